"""pip's requirements files, read without pip: what the resolver may be given, and the line that each came from.

The runtime is made on a machine, or in a container, that does not have the repository. So a line that means a file
of it is left out and noted, and the files that a file names with `-r` and `-c` are read here.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from packaging.requirements import InvalidRequirement
from packaging.requirements import Requirement as ParsedRequirement

from loadgate.declared import Declared
from loadgate.domain import Origin, Requirement
from loadgate.mistakes import Mistake, Mistakes, nearest, quoted
from loadgate.repository import UnusableFileError, read_text, resolve

DEEPEST = 16
MOST_FILES = 100
MOST_LINES = 20_000
LONGEST_REQUIREMENT = 4000
"""Characters, without its hashes. Python refuses to read a number of 4,300 digits."""

DEEPEST_MARKER = 50

Line = tuple[int, int, str]
"""Its number, its column and its text."""

_INCLUDES = {"-r": "-r", "--requirement": "-r", "-c": "-c", "--constraint": "-c", "-e": "-e", "--editable": "-e"}
_KEPT_WITH_VALUE = ("-i", "--index-url", "--extra-index-url", "-f", "--find-links", "--no-binary", "--only-binary")
_KEPT_ALONE = ("--no-index", "--pre", "--prefer-binary", "--require-hashes")
_ONLY_FOR_PIP = ("--trusted-host", "--use-feature")
_OF_ONE_REQUIREMENT = ("--hash", "--config-setting", "--global-option")
_OPTIONS = (*_INCLUDES, *_KEPT_WITH_VALUE, *_KEPT_ALONE, *_ONLY_FOR_PIP)

_COMMENT = re.compile(r"(^|\s+)#.*$")
_SCHEME = re.compile(r"^[a-zA-Z][a-zA-Z0-9+.-]*:")
_VCS = re.compile(r"^(git|hg|svn|bzr)\+(?!file:)[a-z]+:")
_VARIABLE = "${"
"""Begins what the resolver would replace by a variable of ours, such as the password of an index."""
_ARCHIVE = re.compile(r"\.(whl|zip|tar\.gz|tar\.bz2|tar\.xz|tgz)$")


def read(root: Path, file: str) -> Declared:
    """Read `file` and the files that it names.

    Raises `WrongLinesError` with every line that is wrong, `UnusableFileError` where `file` itself cannot be read.
    """
    reading = _Reading(root)
    reading.follow(resolve(file), constraint=False)
    return reading.declared()


def read_lines(
    root: Path, lines: Iterable[Line], file: str, folder: str = "", constraints: Iterable[Line] = ()
) -> Declared:
    """Read lines of pip's format that stand in another kind of file. Paths after `-r` are relative to `folder`.

    Raises `WrongLinesError`.
    """
    reading = _Reading(root)
    try:
        reading.take_all(lines, file, folder, constraint=False)
        reading.take_all(constraints, file, folder, constraint=True)
    except UnusableFileError as error:
        reading.mistakes.append(Mistake(file, error.line, error.column, str(error)))
    return reading.declared()


class WrongLinesError(Mistakes):
    """Some lines are wrong. `rest` is what the others say, and `lines` are the wrong ones as they stand there."""

    def __init__(self, mistakes: Iterable[Mistake], lines: Iterable[Requirement], rest: Declared) -> None:
        super().__init__(mistakes)
        self.lines = tuple(lines)
        self.rest = rest


@dataclass(slots=True)
class _Reading:
    root: Path
    requirements: list[Requirement] = field(default_factory=list)
    constraints: list[Requirement] = field(default_factory=list)
    left_out: list[Requirement] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    mistakes: list[Mistake] = field(default_factory=list)
    wrong: list[Requirement] = field(default_factory=list)
    open_files: list[str] = field(default_factory=list)
    done: set[tuple[str, bool]] = field(default_factory=set)
    lines: int = 0

    def declared(self) -> Declared:
        declared = Declared(
            requirements=tuple(self.requirements),
            constraints=tuple(self.constraints),
            left_out=tuple(self.left_out),
            notes=tuple(self.notes),
            files=tuple(dict.fromkeys(name for name, _ in sorted(self.done))),
        )
        if self.mistakes:
            raise WrongLinesError(self.mistakes, self.wrong, declared)
        return declared

    def follow(self, file: str, *, constraint: bool) -> None:
        if file in self.open_files:
            raise UnusableFileError("includes itself")
        if (file, constraint) in self.done:
            return
        if len(self.open_files) >= DEEPEST or len(self.done) >= MOST_FILES:
            raise UnusableFileError(f"is one file too many; at most {MOST_FILES}, {DEEPEST} deep, are followed")
        text = read_text(self.root, file)
        self.done.add((file, constraint))
        self.open_files.append(file)
        try:
            self.take_all(_logical_lines(text), file, posixpath.dirname(file), constraint=constraint)
        finally:
            self.open_files.pop()

    def take_all(self, lines: Iterable[Line], file: str, folder: str, *, constraint: bool) -> None:
        for line, column, text in lines:
            self.lines += 1
            if self.lines > MOST_LINES:
                raise UnusableFileError(f"has more than {MOST_LINES:,} lines; that is no file a person wrote")
            try:
                self._take(" ".join(text.split()), Origin(file=file, line=line), folder, constraint=constraint)
            except (_WrongLineError, UnusableFileError) as error:
                self.mistakes.append(Mistake(file, line, column, str(error)))
                self.wrong.append(Requirement(text=text.strip(), origin=Origin(file=file, line=line)))

    def _take(self, text: str, origin: Origin, folder: str, *, constraint: bool) -> None:
        if text.startswith("-"):
            self._take_option(text, origin, folder, constraint=constraint)
        else:
            self._take_requirement(text, origin, constraint=constraint)

    def _take_option(self, text: str, origin: Origin, folder: str, *, constraint: bool) -> None:
        option, value = _split_option(text)
        if option not in _OPTIONS:
            raise _WrongLineError(f"unknown option {quoted(option)}; {nearest(option, _OPTIONS)}")
        if option in _KEPT_ALONE:
            self._keep(option, origin, constraint=False)
            return
        if not value:
            raise _WrongLineError(f"{quoted(option)} lacks its value")
        if option in _KEPT_WITH_VALUE:
            self._take_place(option, value, origin)
        elif option in _ONLY_FOR_PIP:
            self.notes.append(f"{origin}: {quoted(text)} is left out: it tells pip how to work, not what to install.")
        elif _INCLUDES[option] == "-e":
            self._take_editable(value, origin, constraint=constraint)
        else:
            self._take_include(option, value, origin, folder)

    def _take_place(self, option: str, value: str, origin: Origin) -> None:
        looks_up = option in ("-f", "--find-links", "-i", "--index-url", "--extra-index-url")
        if looks_up and not re.match(r"https?://", value):
            self._leave_out(f"{option} {value}", origin)
            return
        self._keep(f"{option} {value}", origin, constraint=False)

    def _take_editable(self, value: str, origin: Origin, *, constraint: bool) -> None:
        if _VCS.match(value):
            self._keep(value, origin, constraint=constraint)
        else:
            self._leave_out(f"-e {value}", origin)

    def _take_include(self, option: str, value: str, origin: Origin, folder: str) -> None:
        if _SCHEME.match(value):
            self.notes.append(f"{origin}: {quoted(value)} is left out: it is not part of the repository.")
            return
        try:
            # pip, too, reads a `-r` inside a constraints file as requirements
            self.follow(resolve(value, folder), constraint=_INCLUDES[option] == "-c")
        except UnusableFileError as error:
            raise _WrongLineError(f"{quoted(value)} {error}") from error

    def _take_requirement(self, text: str, origin: Origin, *, constraint: bool) -> None:
        wanted, *options = text.split(" --")
        for option in (f"--{option}" for option in options):
            if not option.startswith(_OF_ONE_REQUIREMENT):
                raise _WrongLineError(f"{quoted(option)} has no place behind a requirement; give it a line of its own")
        if _is_local(wanted):
            self._leave_out(wanted, origin)
            return
        if not (_VCS.match(wanted) or re.match(r"https?://", wanted)):
            _check_requirement(wanted)
        self._keep(text, origin, constraint=constraint)

    def _keep(self, text: str, origin: Origin, *, constraint: bool) -> None:
        if _VARIABLE in text:
            why = "no variable of the machine is told to an address that a repository names"
            self.notes.append(f"{origin}: {quoted(text)} is left out: {why}.")
            self.left_out.append(Requirement(text=text, origin=origin))
            return
        (self.constraints if constraint else self.requirements).append(Requirement(text=text, origin=origin))

    def _leave_out(self, text: str, origin: Origin) -> None:
        self.notes.append(f"{origin}: {quoted(text)} is left out: runtimes are made without the repository's files.")
        self.left_out.append(Requirement(text=text, origin=origin))


class _WrongLineError(Exception):
    pass


def _logical_lines(text: str) -> Iterator[Line]:
    """Line, column and text of each, continuation lines joined, comments and empty ones left out."""
    joined = ""
    first = 0
    for number, physical in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), start=1):
        first = first if joined else number
        is_comment = physical.lstrip().startswith("#")
        if physical.endswith("\\") and not is_comment:
            joined += physical[:-1]
            continue
        # a comment ends a continued line, as it does for pip
        yield from _without_comment(first, joined + (" " if is_comment else "") + physical)
        joined = ""
    yield from _without_comment(first, joined)


def _without_comment(line: int, text: str) -> Iterator[Line]:
    wanted = _COMMENT.sub("", text).rstrip()
    if wanted.strip():
        yield line, len(wanted) - len(wanted.lstrip()) + 1, wanted


def _split_option(text: str) -> tuple[str, str]:
    if text.startswith("--"):
        option, _, value = re.sub(r"[\s=]+", " ", text, count=1).partition(" ")
        return option, value.strip()
    return text[:2], text[2:].lstrip(" =").strip()


def _is_local(wanted: str) -> bool:
    """A path, as pip tells one from a name."""
    _, separator, target = wanted.partition("@")
    address = target.strip() if separator and not _SCHEME.match(wanted) else wanted
    if re.match(r"(git\+|hg\+|svn\+|bzr\+)?file:", address):
        return True
    if _SCHEME.match(address):
        return False
    path = address.split(";", 1)[0].split("[", 1)[0].strip()
    return path.startswith((".", "/", "~")) or "/" in path or bool(_ARCHIVE.search(path))


def _check_requirement(wanted: str) -> None:
    if len(wanted) > LONGEST_REQUIREMENT or wanted.count("(") > DEEPEST_MARKER:
        raise _WrongLineError(f"{quoted(wanted)} is no requirement: it is too long or nested too deeply")
    try:
        ParsedRequirement(wanted)
    except InvalidRequirement as error:
        reason = str(error).split("\n", 1)[0]
        raise _WrongLineError(
            f"{quoted(wanted)} is no requirement: {_lower_first(reason)}; write it as `name==1.2.3`"
        ) from error


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]
