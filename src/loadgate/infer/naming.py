"""Where a text names a TensorFlow, in whatever format it is written: seen, but not understood."""

from __future__ import annotations

import codecs
import re
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from loadgate.declared import DOCKERFILES, TENSORFLOW_NAMES, asks_for
from loadgate.domain import Requirement
from loadgate.mistakes import Mistake, quoted
from loadgate.repository import LONGEST_TEXT, UnusableFileError, decode, find_files, read_beginning

PATTERNS = (
    *DOCKERFILES,
    *("*.txt", "*.in", "*.pip", "*.toml", "*.cfg", "*.ini", "*.lock", "*.yml", "*.yaml", "*.env", "*.conf", "setup.py"),
    *(
        "*.sh",
        "*.bash",
        "*.mk",
        "Makefile",
        "makefile",
        "justfile",
        "Jenkinsfile",
        "Vagrantfile",
        "Pipfile",
        "Pipfile.lock",
    ),
    *("noxfile.py", "*.nix", "*.tf", "*.hcl", "*.bzl", "*.bazel", "WORKSPACE", "*.def", "Singularity*"),
)
"""Of files by which somebody makes an environment. Prose, notebooks and sources say what their authors thought of."""
DEPLOYING = (
    *DOCKERFILES,
    *("*constraints*.txt", "docker-compose*.yml", "docker-compose*.yaml", "compose*.yml", "compose*.yaml"),
)
"""Of those, the ones that say what runs where requirements leave the version open."""
PROSE = re.compile(
    r"(?i)(^|[^a-z])(readme|changes|changelog|news|history|releases?|notice|license|authors|todo)([^a-z]|$)"
)
_OTHERWISE = re.compile(
    r"(^|/)(Cargo\.(lock|toml)|\.pre-commit-config\.ya?ml)$|(^|/)models?/(.*/)?(config|info|metadata|params)\.ya?ml$"
)
"""Of another language's packages, of checks before a commit, and what is stored beside a model of its training."""

MOST_FILES = 2000
MOST_BYTES = 64 * 1024**2
"""Of all files together."""
LONGEST_PLACE = 40

_NAME = (
    r"(?<![\w.-])(?:tensorflow(?:[-_](?:cpu|gpu|intel|macos|rocm|cpu[-_]aws|aarch64|mkl|eigen|base))?"
    r"|intel[-_]tensorflow|tf[-_]nightly(?:[-_](?:cpu|gpu))?)"
)
_NAMED = re.compile(rf"{_NAME}(?![\w-])")
_VERSIONED = re.compile(
    rf"(?:{_NAME}(?:/(?:tensorflow|serving))?(?:\[[^\]\n]{{0,60}}\])?\s{{0,4}}(?=[\"'=<>~!:@({{\[-]|version)"
    rf"|\b(?:TENSORFLOW|TF|tensorflow|tf)_(?:VERSION|version)\b(?=[\"' =:]))"
    rf"(?:[\"'\s=<>~!:@({{\[,v-]|version){{1,{LONGEST_PLACE}}}\d{{1,2}}\.\d{{1,2}}[\w.*]{{0,20}}"
)
_WORDS = (b"tensorflow", b"tf-nightly", b"tf_nightly", b"TF_VERSION", b"TF_version", b"tf_version", b"TENSORFLOW_")
"""One of them is in whatever the expressions match. To look for them takes a tenth of the time."""
_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_IS_COMMENT = re.compile(r"(^|\s)[#;]")
_IS_NOTEBOOK = re.compile(r"[\w.-]{0,40}-jupyter\b")
"""Behind the version of `tensorflow/tensorflow:2.15.0-gpu-jupyter`, in which somebody works and nothing is served."""
_ELSEWHERE = re.compile(r"darwin|win32|windows", re.IGNORECASE)
"""In the marker of a line that is not for this system."""


@dataclass(frozen=True, slots=True)
class Named:
    """A place in a file of the repository that names a TensorFlow."""

    file: str
    line: int
    said: str

    @classmethod
    def by(cls, line: Requirement) -> Named | None:
        """A line of which nothing else is understood."""
        return cls._at(line, line.text) if names_tensorflow(line.text) else None

    @classmethod
    def by_left_out(cls, line: Requirement) -> Named | None:
        """A line that is understood, and that no resolver can be given."""
        if asks_for(line.text, TENSORFLOW_NAMES):
            return cls._at(line, line.text)
        found = _VERSIONED.search(line.text)
        return cls._at(line, found[0]) if found else None

    @classmethod
    def _at(cls, line: Requirement, said: str) -> Named | None:
        return cls(line.origin.file, line.origin.line, said) if line.origin else None

    def __str__(self) -> str:
        return str(Mistake(self.file, self.line, 1, f"{quoted(self.said)} names a TensorFlow"))


def names_tensorflow(text: str) -> bool:
    return _NAMED.search(text) is not None


def named_in(root: Path, file: str) -> Named | None:
    """The first place that names TensorFlow at all, in a file that could not be read as what it is."""
    return _first(_NAMED, _text(_beginning(root, file)), file)


def versions_named(root: Path, patterns: Sequence[str], but: Container[str]) -> Iterator[Named]:
    """Of each file by one of those names the first place that says which TensorFlow."""
    left = MOST_BYTES
    for file in find_files(root, patterns)[:MOST_FILES]:
        if file in but or PROSE.search(file.rpartition("/")[2]) or _OTHERWISE.search(file) or left <= 0:
            continue
        content = _beginning(root, file)
        left -= len(content)
        if (named := _first(_VERSIONED, _text(content), file)) is not None:
            yield named


def _first(expression: re.Pattern[str], text: str, file: str) -> Named | None:
    comment = elsewhere = end = -1
    for found in expression.finditer(text):
        if found.end() > end:  # each line is searched once, however many matches are in it
            start = text.rfind("\n", 0, found.start()) + 1
            end = text.find("\n", found.end())
            end = end if end >= 0 else len(text)
            begun = _IS_COMMENT.search(text, max(start - 1, 0), end)
            comment = begun.end() if begun else end + 1
            elsewhere = max((each.start() for each in _ELSEWHERE.finditer(text, start, end)), default=-1)
        if elsewhere < found.end() and found.start() < comment and not _IS_NOTEBOOK.match(text, found.end()):
            return Named(file, text.count("\n", 0, found.start()) + 1, " ".join(found[0].split()))
    return None


def _beginning(root: Path, file: str) -> bytes:
    try:
        return read_beginning(root, file, LONGEST_TEXT)
    except UnusableFileError:
        return b""


def _text(content: bytes) -> str:
    """Empty where nothing in it could be a name that is looked for."""
    if not (content.startswith(_WIDE) or any(word in content for word in _WORDS)):
        return ""
    try:
        return decode(content)
    except UnusableFileError:
        return content.decode("latin-1")
