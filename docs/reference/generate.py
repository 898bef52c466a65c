"""Takes from the code what docs/reference says of it, and from the rules the pages in docs/causes.

usage: generate.py [--check]
"""

from __future__ import annotations

import ast
import json
import re
import sys
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path

import click
from action_page import action_page
from cause_pages import FOLDER, pages

from loadgate import cli, domain, interchange
from loadgate.report import truth
from loadgate.report.report_json import report_schema

HERE = Path(__file__).parent
PAGE = HERE / "results.md"
TABLE = re.compile(r"<!-- (?P<record>\w+) -->\n.*?<!-- end -->\n", re.DOTALL)
WORDS = {"str": "string", "int": "integer", "float": "number", "bool": "boolean"}


def expected() -> Mapping[Path, str]:
    """Every file that is generated, whole or in part, as it should be."""
    schemas = {name: interchange.schema(name) for name in interchange.SCHEMAS} | {"report": report_schema()}
    files = {HERE / "schemas" / f"{name}.json": _schema_text(name, schema) for name, schema in schemas.items()}
    files[HERE / "cli.md"] = "\n".join(_commands()) + "\n"
    files[HERE / "action.md"] = action_page()
    files |= pages()
    files[PAGE] = TABLE.sub(lambda match: _section(match["record"]), PAGE.read_text(encoding="utf-8"))
    return files


def _commands() -> Iterator[str]:
    """What `--help` says, as a page."""
    yield "# Commands and options"
    yield ""
    yield "Taken by `script/reference` from what `--help` says. See also [exit status](exit-status.md)."
    yield ""
    whole = cli.commands.make_context("loadgate", [], resilient_parsing=True)
    yield from _command(cli.commands, whole)
    for command in cli.commands.commands.values():
        yield ""
        yield f"## loadgate {command.name}"
        yield ""
        yield from _command(command, click.Context(command, info_name=command.name, parent=whole))


def _command(command: click.Command, context: click.Context) -> Iterator[str]:
    pieces = " ".join(command.collect_usage_pieces(context))
    yield from ("```", f"{context.command_path} {pieces}", "```", "")
    yield from ((command.help or "").strip().replace("\n    ", "\n"), "")
    yield from ("| option | meaning |", "| --- | --- |")
    options = [each for each in command.get_params(context) if isinstance(each, click.Option)]
    for option in options:
        if (record := option.get_help_record(context)) is not None:
            name, meaning = (" ".join(text.split()).replace("|", "\\|") for text in record)
            yield f"| `{name}` | {meaning} |"


def _schema_text(name: str, schema: Mapping[str, object]) -> str:
    title = "one line of results.jsonl" if name == "results" else f"{name}.json"
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": f"loadgate: {title}"}
    return json.dumps(head | dict(schema), indent=2) + "\n"


def _section(record: str) -> str:
    definition = _definitions()[record]
    rows = list(_rows(definition))
    is_enumeration = any(isinstance(base, ast.Name) and base.id == "StrEnum" for base in definition.bases)
    head = ("value", "meaning") if is_enumeration else ("field", "type", "meaning")
    lines = ["| " + " | ".join(cells) + " |" for cells in (head, ["---"] * len(head), *rows)]
    return f"<!-- {record} -->\n" + "\n".join(lines) + "\n<!-- end -->\n"


def _definitions() -> Mapping[str, ast.ClassDef]:
    trees = (ast.parse(Path(module.__file__ or "").read_text(encoding="utf-8")) for module in (domain, truth))
    return {node.name: node for tree in trees for node in tree.body if isinstance(node, ast.ClassDef)}


def _rows(definition: ast.ClassDef) -> Iterator[tuple[str, ...]]:
    body = [*definition.body, ast.Pass()]
    for statement, following in pairwise(body):
        meaning = ""
        if isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant):
            meaning = " ".join(str(following.value.value).split()).replace("|", "\\|")
        match statement:
            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation):
                yield f"`{name}`", _type(annotation), meaning
            case ast.Assign(value=ast.Constant(value=str(value))):
                yield f"`{value}`", meaning


def _type(annotation: ast.expr) -> str:
    match annotation:
        case ast.BinOp(left=left, right=right):
            return f"{_type(left)} or {_type(right)}"
        case ast.Constant(value=None):
            return "null"
        case ast.Subscript(value=ast.Name(id="tuple"), slice=ast.Tuple(elts=[element, *_])):
            return f"list of {_type(element)}"
        case ast.Subscript(value=ast.Name(id="Mapping"), slice=ast.Tuple(elts=[_, value])):
            return f"object of {_type(value)}"
        case _:
            name = ast.unparse(annotation)
            return WORDS.get(name, name)


def main() -> int:
    stale = [
        (path, content)
        for path, content in expected().items()
        if not path.is_file() or path.read_text(encoding="utf-8") != content
    ]
    for path, content in stale:
        print(path.relative_to(HERE.parent))  # noqa: T201 - a program's output
        if "--check" not in sys.argv[1:]:
            path.parent.mkdir(exist_ok=True)
            path.write_text(content, encoding="utf-8")
    left_over = sorted(set(FOLDER.glob("*.md")) - set(expected()))
    for path in left_over:
        print(f"{path.relative_to(HERE.parent)}: no cause has that name")  # noqa: T201 - a program's output
    return 1 if (stale or left_over) and "--check" in sys.argv[1:] else 0


if __name__ == "__main__":
    sys.exit(main())
