"""A requirement with another version, in the line of whichever kind of file asks for it. Pure, over the file's text.

A line is matched by its text alone, and a name may stand in it that means something else. So what comes out is read
again, and where it does not say exactly what is meant, there is no line to tell.
"""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import Any

from packaging.requirements import Requirement as ParsedRequirement
from packaging.utils import canonicalize_name

from loadgate.declared import is_dockerfile
from loadgate.diagnosis.change import parse

BOUND = r"\s*(?:===?|[<>!~]=|[<>=])\s*\d[\w.*+!-]*"
BEFORE = r"(?<![\w.\-/@:+=<>!~$])(?<!\w\[)"
AFTER = r"(?![\w.\-/$]|\s*[@=<>!~:(\[])"
STRING = r"(?P<quote>[\"'])(?P<version>[^\"']*)(?P=quote)"

Step = str | int
Difference = tuple[tuple[Step, ...], object]
"""Where in a document, and what stands there now."""


def respelled(file: str, lines: Sequence[str], number: int, was: str, now: str) -> str | None:
    """Line `number` of `file`, counted from 1, where it asks for `now` instead of `was`; None where it cannot tell."""
    line, wanted = lines[number - 1], parse(now)
    if wanted is None:
        return None
    if PurePosixPath(file).name == "pyproject.toml":
        found = _in_poetrys_table(line, wanted) or _in_place(line, wanted)
        return found if found and _is_all_that_differences(lines, number, found, wanted) else None
    if is_dockerfile(file):
        found = _in_tag(line, wanted) or _in_place(line, wanted)
        return found if found and (line.lstrip().startswith("FROM") or _is_one_word(line, found, wanted)) else None
    if line.partition(" #")[0].strip() == was.strip():
        return line.replace(was.strip(), now, 1)
    return _in_place(line, wanted)


def _name(wanted: ParsedRequirement) -> str:
    """However it is spelled: `Tensorflow_Hub` is `tensorflow-hub`."""
    return rf"(?i:{'[-_.]+'.join(map(re.escape, re.split(r'[-_.]+', wanted.name)))})"


def _in_place(line: str, wanted: ParsedRequirement) -> str | None:
    """Where it is named once, outside of a comment."""
    said, comment, rest = line.partition(" #")
    pattern = rf"{BEFORE}({_name(wanted)}(?:\[[^\]\"']*\])?)(?:{BOUND}(?:\s*,{BOUND})*)?{AFTER}"
    changed, times = re.subn(pattern, lambda found: found[1] + str(wanted.specifier), said)
    return changed + comment + rest if times == 1 else None


def _in_poetrys_table(line: str, wanted: ParsedRequirement) -> str | None:
    """`name = "^2.13"`, or `name = { version = "^2.13", ... }`."""
    key = re.match(rf"\s*[\"']?{_name(wanted)}[\"']?\s*=\s*(?=[\"'{{])", line)
    if key is None:
        return None
    value = line[key.end() :]
    pattern = rf"(?P<key>\bversion\s*=\s*){STRING}" if value.startswith("{") else rf"(?P<key>){STRING}"
    version = str(wanted.specifier) or "*"
    changed, times = re.subn(pattern, rf"\g<key>\g<quote>{version}\g<quote>", value, count=1)
    return line[: key.end()] + changed if times else None


def _in_tag(line: str, wanted: ParsedRequirement) -> str | None:
    """That of the image itself, where its name is the package's."""
    exact = next((each.version for each in wanted.specifier if each.operator == "=="), "")
    changed = re.sub(rf"(/{_name(wanted)}:)[0-9]+(?:\.[0-9]+)*", rf"\g<1>{exact}", line, count=1)
    return changed if changed != line and exact else None


def _is_meant(text: str, wanted: ParsedRequirement) -> bool:
    parsed = parse(text)
    return (
        parsed is not None
        and canonicalize_name(parsed.name) == canonicalize_name(wanted.name)
        and parsed.specifier == wanted.specifier
    )


def _is_one_word(line: str, changed: str, wanted: ParsedRequirement) -> bool:
    """Of a line of shell: `>` and `<` are no versions there."""
    before, after = _words(line), _words(changed)
    if before is None or after is None or len(before) != len(after):
        return False
    differing = [word for old, word in zip(before, after, strict=True) if old != word]
    return all(_is_meant(word, wanted) for word in differing) and len(differing) <= 1


def _words(line: str) -> list[str] | None:
    lexer = shlex.shlex(line.rstrip().removesuffix("\\"), posix=True, punctuation_chars="();&|<>")
    lexer.whitespace_split = True
    try:
        return list(lexer)
    except ValueError:
        return None


def _is_all_that_differences(lines: Sequence[str], number: int, changed: str, wanted: ParsedRequirement) -> bool:
    """Of the whole document: the same word may be one of its `keywords`."""
    try:
        before = tomllib.loads("\n".join(lines))
        after = tomllib.loads("\n".join((*lines[: number - 1], changed, *lines[number:])))
        found = list(_differences(before, after))
    except (ValueError, RecursionError):
        return False
    return len(found) <= 1 and all(_is_dependency(path, value, wanted) for path, value in found)


def _differences(before: Any, after: Any, path: tuple[Step, ...] = ()) -> Iterator[Difference]:
    if isinstance(before, dict) and isinstance(after, dict) and before.keys() == after.keys():
        for key in before:
            yield from _differences(before[key], after[key], (*path, key))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for place, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from _differences(old, new, (*path, place))
    elif before != after:
        yield path, after


def _is_dependency(path: tuple[Step, ...], value: object, wanted: ParsedRequirement) -> bool:
    match path:
        case ("project", "dependencies", int()) | ("project", "optional-dependencies", _, int()):
            return isinstance(value, str) and _is_meant(value, wanted)
        case ("tool", "poetry", "dependencies", str(name), *rest):
            pass
        case ("tool", "poetry", "group", _, "dependencies", str(name), *rest):
            pass
        case _:
            return False
    is_version = rest in ([], ["version"]) and value == (str(wanted.specifier) or "*")
    return is_version and canonicalize_name(name) == canonicalize_name(wanted.name)
