"""What README.md and docs/how-to show is what happens: each page's commands run in order, in a copy of examples/.

In a block ```console, a line that begins with `$ ` is a command, and the lines below it are in its output as they stand
there; `...` stands for what is left out. A block ```yaml with the name of a file is that file from there on.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import pytest

from loadgate import cli
from loadgate.domain import Lock

REPOSITORY = Path(__file__).parents[2]
README = REPOSITORY / "README.md"
HOW_TO = sorted((REPOSITORY / "docs" / "how-to").glob("*.md"))
BLOCK = re.compile(r"^(?P<indent> *)```(?P<info>[^\n`]+)\n(?P<body>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL)
LEFT_OUT = "..."
STARTS_TENSORFLOW = re.compile(r"loadgate (check(?! --predict)|provision|load|report)\b|script/demo|pip install")
WIDTH = 100


@dataclass(frozen=True)
class File:
    name: str
    content: str


@dataclass(frozen=True)
class Command:
    line: str
    shown: tuple[str, ...]


def steps(page: Path) -> Iterator[File | Command]:
    for block in BLOCK.finditer(page.read_text()):
        language, _, name = block["info"].partition(" ")
        body = textwrap.dedent(block["body"])
        if language == "yaml" and name:
            yield File(name, body)
        elif language in ("console", "sh"):
            yield from commands(body)


def commands(body: str) -> Iterator[Command]:
    beginning, *each = re.split(r"^\$ ", body, flags=re.MULTILINE)
    assert not beginning.strip(), f"a block that does not begin with a command: {body}"
    for text in each:
        line, *shown = text.splitlines()
        yield Command(line, tuple(shown))


def without_what_differs(text: str) -> list[str]:
    """Lines without the patch release of the machine's Python, and without trailing space."""
    return [re.sub(r"(Python 3\.\d+)\.\d+", r"\1.x", line).rstrip() for line in text.splitlines()]


def pieces(shown: tuple[str, ...]) -> list[list[str]]:
    """What is shown between the places where something is left out."""
    found: list[list[str]] = [[]]
    for line in without_what_differs("\n".join(shown)):
        if line == LEFT_OUT:
            found.append([])
        else:
            found[-1].append(line)
    return [piece for piece in found if any(piece)]


def missing_from(output: str, shown: tuple[str, ...]) -> list[str]:
    """The first piece of what is shown that does not follow in the output; empty where all of it does."""
    lines = without_what_differs(output)
    at = 0
    for piece in pieces(shown):
        starts = (n for n in range(at, len(lines)) if is_piece(piece, lines[n : n + len(piece)]))
        if (start := next(starts, None)) is None:
            return piece
        at = start + len(piece)
    return []


def is_piece(piece: list[str], lines: list[str]) -> bool:
    """Whether the lines are those of the piece, in which a line may end in `...` as well."""
    return len(piece) == len(lines) and all(
        line.startswith(shown.removesuffix(LEFT_OUT)) if shown.endswith(LEFT_OUT) else line == shown
        for shown, line in zip(piece, lines, strict=True)
    )


@dataclass
class Reader:
    """Somebody who follows a page from its beginning, in a directory of their own."""

    place: Path
    environment: dict[str, str]
    status: int = 0

    def follow(self, step: File | Command) -> None:
        if isinstance(step, File):
            (self.place / step.name).write_text(step.content)
            return
        assert not self.status or step.line == "echo $?", f"status {self.status} came before {step.line}, unannounced"
        ran = subprocess.run(
            ["bash", "-c", f"(exit {self.status}); {step.line}"],
            cwd=self.place,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        self.status = ran.returncode
        assert missing_from(ran.stdout, step.shown) == [], f"$ {step.line}\n{ran.stdout}"


def reader(place: Path, cache: Path) -> Reader:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return Reader(place, os.environ | {"PATH": path, "LOADGATE_CACHE": str(cache), "COLUMNS": str(WIDTH)})


@pytest.fixture
def examples(tmp_path: Path) -> Path:
    ignored = shutil.ignore_patterns(".loadgate", "__pycache__")
    return Path(shutil.copytree(REPOSITORY / "examples", tmp_path / "examples", ignore=ignored))


def is_cheap(step: File | Command) -> bool:
    return isinstance(step, File) or not STARTS_TENSORFLOW.search(step.line)


def is_followed(step: File | Command) -> bool:
    return isinstance(step, File) or (is_cheap(step) and bool(re.match(r"loadgate|rm |echo '", step.line)))


WITH_CHEAP_COMMANDS = [
    page
    for page in HOW_TO
    if any(re.match(r"loadgate", s.line) for s in steps(page) if isinstance(s, Command) and is_cheap(s))
]


@pytest.mark.parametrize("page", WITH_CHEAP_COMMANDS, ids=lambda page: page.stem)
def test_what_needs_no_tensorflow_does_what_its_page_shows(page: Path, examples: Path, tmp_path: Path) -> None:
    follower = reader(examples, tmp_path / "cache")
    followed = True
    for step in steps(page):
        asks_for_status = isinstance(step, Command) and step.line == "echo $?"
        followed = followed if asks_for_status else is_followed(step)
        if followed:
            follower.follow(step)


@pytest.mark.runtime
@pytest.mark.parametrize("page", HOW_TO, ids=lambda page: page.stem)
def test_a_how_to_does_what_it_shows(page: Path, examples: Path, runtimes_cache: Path, serving: Lock) -> None:
    if page.stem == "existing-interpreter":
        (examples / ".venv").symlink_to(Path(serving.interpreter).parents[1])
    follower = reader(examples, runtimes_cache)
    for step in steps(page):
        follower.follow(step)
    assert follower.status == 0


@pytest.mark.runtime
def test_the_readme_does_what_it_shows_in_a_fresh_clone(tmp_path: Path, runtimes_cache: Path) -> None:
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(REPOSITORY / name, tmp_path)
    for folder in ("src", "script", "examples"):
        ignored = shutil.ignore_patterns("__pycache__", ".loadgate")
        shutil.copytree(REPOSITORY / folder, tmp_path / folder, ignore=ignored)
    (mine := tmp_path / "path/to/repository").mkdir(parents=True)
    (mine / "requirements.txt").write_text("tensorflow==2.15.1\n")
    shutil.copy(REPOSITORY / "examples/models/churn/churn_2024.keras", mine)
    follower = reader(tmp_path, runtimes_cache)
    follower.environment["PATH"] = os.environ["PATH"]
    for step in steps(README):
        follower.follow(step)
    assert follower.status == 0


@pytest.mark.runtime
def test_the_picture_shows_what_is_printed_today(tmp_path: Path, runtimes_cache: Path) -> None:
    draw = REPOSITORY / "docs" / "images" / "draw.py"
    environment = reader(tmp_path, runtimes_cache).environment
    subprocess.run([sys.executable, draw, tmp_path / "new.svg"], env=environment, check=True)
    words = [
        re.findall(r">([^<]+)</text>", svg.read_text()) for svg in (draw.with_name("check.svg"), tmp_path / "new.svg")
    ]
    shown, printed = (without_what_differs("\n".join(each)) for each in words)
    assert shown == printed, "run script/screenshot"


def test_every_spec_on_a_page_is_one(tmp_path: Path) -> None:
    from loadgate.spec import read_spec

    shutil.copytree(REPOSITORY / "examples" / "serving", tmp_path / "serving")
    specs = [step for page in [README, *HOW_TO] for step in steps(page) if isinstance(step, File)]
    for spec in specs:
        (tmp_path / spec.name).write_text(spec.content)
        assert read_spec(tmp_path, tmp_path / spec.name).runtimes
    assert specs


def test_a_sample_that_is_not_what_is_printed_is_noticed() -> None:
    output = "one\ntwo\nthree\nfour\n"
    assert missing_from(output, ("two", "three", LEFT_OUT, "four")) == []
    assert missing_from(output, ("two", "four")) == ["two", "four"]
    assert missing_from(output, ("four", LEFT_OUT, "two")) == ["two"]
    assert missing_from(output, ("th...",)) == []


def options() -> Iterator[tuple[str, str]]:
    for name, command in cli.commands.commands.items():
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                yield from ((name, option) for option in (*parameter.opts, *parameter.secondary_opts))


@pytest.mark.parametrize(("command", "option"), list(options()))
def test_every_option_is_in_the_reference(command: str, option: str) -> None:
    page = (REPOSITORY / "docs" / "reference" / "cli.md").read_text()
    section = page.partition(f"\n## loadgate {command}\n")[2].partition("\n## ")[0]
    assert re.search(rf"^\| `[^`]*{re.escape(option)}\b", section, flags=re.MULTILINE)
