"""A Dockerfile: the Python and the TensorFlow that its last stage begins with, and what `pip install` adds."""

from __future__ import annotations

import json
import posixpath
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from loadgate.declared import Python
from loadgate.domain import Origin
from loadgate.infer.image_names import python_of_image, tensorflow_of_image
from loadgate.infer.pip_command import Installed, installed_by
from loadgate.mistakes import quoted
from loadgate.repository import read_text

MOST_INSTRUCTIONS = 2000
MOST_HERE_DOCUMENTS = 10
MOST_CHARACTERS = 500_000
"""Of a Dockerfile with its variables filled in."""
LONGEST_VARIABLE = 1024

_FOR_DEVELOPMENT = frozenset(
    {"dev", "devel", "develop", "development", "devcontainer", "debug", "test", "tests", "testing", "lint", "docs"}
    | {"jupyter", "notebook", "notebooks", "local"}
)
_ON_THE_WAY = frozenset(("base", "build", "builder", "deps", "dependencies", "common"))
"""Names of stages that others begin with or copy from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """What a Dockerfile says of the runtime that it makes."""

    file: str
    python: Python | None = None
    tensorflow: Python | None = None
    """Of a base image that has TensorFlow in it, and the line that names it."""
    base: str = ""
    """The base image's name."""
    base_origin: Origin | None = None
    installed: tuple[Installed, ...] = ()
    copied: tuple[str, ...] = ()
    """Paths, relative to the build's context, that are copied from it."""
    renamed: Mapping[str, str] = field(default_factory=dict)
    """Path in the image → the one file of the context that is copied to it, under that name."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """What `ENV` sets, in the last stage and in those that it begins with."""
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class _Stage:
    base: str
    line: int
    needs: set[str] = field(default_factory=set)
    installed: list[Installed] = field(default_factory=list)
    copied: list[str] = field(default_factory=list)
    renamed: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Instruction:
    word: str
    rest: str
    line: int
    lines: tuple[tuple[int, str], ...]
    """Number and text of each physical line."""


def read(root: Path, name: str) -> Image:
    stages = _stages(read_text(root, name))
    if not stages:
        return Image(file=name)
    last = _last(stages)
    needed = [stages[key] for key in _needed(stages, last)]
    chain = [stages[key] for key in _bases(stages, last)]
    first = chain[-1]
    origin = Origin(file=name, line=first.line)
    tensorflow = tensorflow_of_image(first.base)
    return Image(
        file=name,
        python=_python([first, *reversed(needed)], name),
        tensorflow=Python(said=tensorflow, origin=origin) if tensorflow else None,
        base=first.base,
        base_origin=origin,
        installed=tuple(installed for stage in needed for installed in stage.installed),
        copied=tuple(copied for stage in needed for copied in stage.copied),
        renamed={place: source for stage in needed for place, source in stage.renamed.items()},
        variables={name: value for stage in reversed(chain) for name, value in stage.variables.items()},
        notes=_about_stage(name, last, list(stages)[-1]),
    )


def _python(stages: Iterable[_Stage], file: str) -> Python | None:
    """Of the first whose base tells; what a stage without Python runs was copied from one with it."""
    for stage in stages:
        said = python_of_image(stage.base)
        if said:
            return Python(said=said, origin=Origin(file=file, line=stage.line))
    return None


# --- stages ---------------------------------------------------------------------------------------------------


def _stages(text: str) -> dict[str, _Stage]:
    """By name, or by number where they have none; the last is the one that is built."""
    stages: dict[str, _Stage] = {}
    variables: dict[str, str] = {}
    stage: _Stage | None = None
    left = MOST_CHARACTERS
    for instruction in _instructions(text):
        rest = _substituted(instruction.rest[:left], variables)[:left]
        left -= len(rest)
        if instruction.word in ("ARG", "ENV"):
            assigned = _assignments(instruction.word, rest, variables)
            variables.update(assigned)
            if instruction.word == "ENV" and stage is not None:
                stage.variables.update(assigned)
        elif instruction.word == "FROM":
            named = re.match(r"(?:--\S+\s+)*(\S+)(?:\s+as\s+(\S+))?", rest, re.IGNORECASE)
            if named is None:
                continue
            stage = _Stage(base=named[1], line=instruction.line)
            stages[(named[2] or str(len(stages))).lower()] = stage
        elif stage is not None:
            _add(stage, instruction, rest)
    return stages


def _add(stage: _Stage, instruction: _Instruction, rest: str) -> None:
    stage.needs.update(name.lower() for name in re.findall(r"(?:--|,)from=([^\s,]+)", rest))
    if instruction.word in ("COPY", "ADD") and "--from=" not in rest:
        sources, destination = _copied(rest)
        stage.copied.extend(sources)
        if len(sources) == 1 and not destination.endswith(("/", ".")):
            stage.renamed[posixpath.normpath(destination)] = sources[0]
    if instruction.word == "RUN":
        stage.installed.extend(installed_by(_as_shell(rest), instruction.lines))


def _last(stages: dict[str, _Stage]) -> str:
    """The stage that production runs: the last, but one for development where one for use comes before it."""
    names = list(stages)
    if not _names_one_of(names[-1], _FOR_DEVELOPMENT):
        return names[-1]
    for_use = [name for name in names if not _names_one_of(name, _FOR_DEVELOPMENT | _ON_THE_WAY) and not name.isdigit()]
    return for_use[-1] if for_use else names[-1]


def _names_one_of(stage: str, words: frozenset[str]) -> bool:
    return not words.isdisjoint(re.split(r"[^a-z0-9]+", stage))


def _about_stage(file: str, taken: str, last: str) -> tuple[str, ...]:
    if taken == last:
        return ()
    return (
        f"{file}: the stage {quoted(taken)} is taken, for {quoted(last)} behind it is for development by its name.",
    )


def _needed(stages: dict[str, _Stage], last: str) -> list[str]:
    """The stages that `last` is made from, in the order of the file."""
    names = list(stages)
    waiting, needed = [last], set()
    while waiting:
        name = waiting.pop()
        if name in stages and name not in needed:
            needed.add(name)
            waiting.extend({stages[name].base.lower(), *stages[name].needs})
    return [name for name in names if name in needed]


def _bases(stages: dict[str, _Stage], last: str) -> list[str]:
    """The last stage, the stage that it begins with, and so on."""
    chain = [last]
    while (base := stages[chain[-1]].base.lower()) in stages and base not in chain:
        chain.append(base)
    return chain


# --- instructions ---------------------------------------------------------------------------------------------


def _instructions(text: str) -> Iterator[_Instruction]:
    lines = text.replace("\r\n", "\n").split("\n")
    position = 0
    for _ in range(MOST_INSTRUCTIONS):
        taken: list[tuple[int, str]] = []
        continued = True
        while continued and position < len(lines):
            line = lines[position]
            position += 1
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            continued = line.rstrip().endswith("\\")
            taken.append((position, line.rstrip().removesuffix("\\")))
        if not taken:
            return
        for end in re.findall(r"<<-?[\"']?(\w+)[\"']?", taken[-1][1])[:MOST_HERE_DOCUMENTS]:
            while position < len(lines) and lines[position].strip() != end:
                taken.append((position + 1, "\n" + lines[position]))
                position += 1
            position += 1
        word, _, rest = " ".join(line for _, line in taken).strip().partition(" ")
        yield _Instruction(word.upper(), rest.strip(), taken[0][0], tuple(taken))


def _substituted(text: str, variables: dict[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        name, default = found[1] or found[3], found[2]
        return variables.get(name) or default or found[0]

    return re.sub(r"\$(?:\{(\w+)(?::?-([^{}]*))?\}|(\w+))", value, text)


def _assignments(word: str, rest: str, variables: dict[str, str]) -> dict[str, str]:
    try:
        words = shlex.split(rest)
    except ValueError:
        return {}
    if word == "ENV" and words and "=" not in words[0]:
        return {words[0]: " ".join(words[1:])[:LONGEST_VARIABLE]}
    pairs = [pair.partition("=") for pair in words]
    # `ARG NAME` in a stage brings in what an `ARG NAME=value` before the first FROM said
    return {name: value[:LONGEST_VARIABLE] if equals else variables.get(name, "") for name, equals, value in pairs}


def _copied(rest: str) -> tuple[list[str], str]:
    words = [word for word in _as_shell(rest).split() if not word.startswith("--")]
    return [posixpath.normpath(word) for word in words[:-1]], words[-1] if words else ""


def _as_shell(rest: str) -> str:
    """The exec form, a JSON array, as the shell form."""
    flags = re.match(r"(?:--\S+\s+)*", rest)
    command = rest[flags.end() :] if flags else rest
    if command.startswith("["):
        try:
            words = json.loads(command)
        except (ValueError, RecursionError):
            return command
        if isinstance(words, list) and all(isinstance(word, str) for word in words):
            is_shell = words[:1] and words[0].endswith("sh") and words[1:2] == ["-c"]
            return "\n".join(words[2:3]) if is_shell else shlex.join(words)
    return command
