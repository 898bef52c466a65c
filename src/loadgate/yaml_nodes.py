"""YAML as nodes that know their line and column, from text that nobody vouches for.

PyYAML's own loader builds whatever a tag or an alias asks for. Nothing is built here: the nodes are bounded in number
and depth, and readers take from them what they expect to find, so neither a bomb nor a cycle is ever followed.
"""

from __future__ import annotations

from typing import Any

import yaml

from loadgate.mistakes import Mistake, Mistakes

MOST_NODES = 20_000
DEEPEST = 32

_KINDS = {
    "tag:yaml.org,2002:str": "text",
    "tag:yaml.org,2002:int": "number",
    "tag:yaml.org,2002:float": "number",
    "tag:yaml.org,2002:bool": "boolean",
    "tag:yaml.org,2002:null": "nothing",
    "tag:yaml.org,2002:timestamp": "date",
    "tag:yaml.org,2002:merge": "text",
    "tag:yaml.org,2002:value": "text",
    "tag:yaml.org,2002:seq": "list",
    "tag:yaml.org,2002:map": "mapping",
}


def compose(text: str, file: str, most_nodes: int = MOST_NODES) -> yaml.Node | None:
    """The root node of the only document in `text`; None where there is none. Raises `Mistakes`."""
    try:
        return _Composer(text, most_nodes).get_single_node()
    except _TooMuchError as error:
        raise Mistakes([mistake_at(file, error.node_mark, str(error))]) from error
    except yaml.MarkedYAMLError as error:
        raise Mistakes([mistake_at(file, error.problem_mark, _in_plain_words(error))]) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        column = error.position - (text.rfind("\n", 0, error.position) + 1) + 1
        message = f"the character U+{ord(text[error.position]):04X} has no place in YAML; remove it"
        raise Mistakes([Mistake(file, line, column, message)]) from error
    except (ValueError, OverflowError) as error:
        # PyYAML converts escapes and version numbers without looking at their size
        raise Mistakes([Mistake(file, 1, 1, "not valid YAML: an escape or a number in it is out of range")]) from error


def kind(node: yaml.Node) -> str:
    """`text`, `number`, `boolean`, `date`, `nothing`, `list`, `mapping`; or `tagged`, which nobody expects."""
    found = _KINDS.get(node.tag, "tagged")
    fits = {"list": yaml.SequenceNode, "mapping": yaml.MappingNode}.get(found, yaml.ScalarNode)
    return found if isinstance(node, fits) else "tagged"


def position(node: yaml.Node) -> tuple[int, int]:
    """Line and column of where it begins, from 1."""
    return node.start_mark.line + 1, node.start_mark.column + 1


def fields(node: yaml.Node | None) -> dict[str, yaml.Node]:
    """What a mapping holds under plain keys; nothing where the node is none."""
    pairs = node.value if isinstance(node, yaml.MappingNode) else ()
    return {key.value: value for key, value in pairs if isinstance(key, yaml.ScalarNode)}


def elements(node: yaml.Node | None) -> list[yaml.Node]:
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def text_of(node: yaml.Node | None) -> str | None:
    """A scalar as it is written; None for anything else."""
    return str(node.value) if isinstance(node, yaml.ScalarNode) else None


def mistake_at(file: str, mark: Any, message: str) -> Mistake:  # PyYAML's marks are untyped
    return Mistake(file, mark.line + 1, mark.column + 1, message) if mark else Mistake(file, 1, 1, message)


class _TooMuchError(Exception):
    def __init__(self, message: str, node_mark: Any) -> None:
        super().__init__(message)
        self.node_mark = node_mark


class _Composer(yaml.SafeLoader):
    def __init__(self, text: str, most_nodes: int) -> None:
        super().__init__(text)
        self._most_nodes = most_nodes
        self._nodes = 0
        self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]  # PyYAML's stubs leave it out
        self._nodes += 1
        self._depth += 1
        if self._depth > DEEPEST:
            raise _TooMuchError(f"more than {DEEPEST} levels deep; no key goes that deep", mark)
        if self._nodes > self._most_nodes:
            raise _TooMuchError(f"more than {self._most_nodes:,} values; that is no file a person wrote", mark)
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1


def _in_plain_words(error: yaml.MarkedYAMLError) -> str:
    problem = str(error.problem or "it ends too early")
    if "'\\t'" in problem:
        return "YAML indents with spaces; replace the tab"
    if "single document" in str(error.context):
        return "a second document begins here; keep one, and remove `---`"
    if error.context:
        return f"not valid YAML: {problem}, {error.context}"
    return f"not valid YAML: {problem}"
