"""The `pip install` commands in a line of shell, and what each would install. The shell is never asked."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_WITH_VALUE = frozenset(
    {"-t", "--target", "--prefix", "--root", "--src", "--timeout", "--retries", "--cache-dir", "--proxy", "--cert"}
    | {"--root-user-action", "--platform", "--python-version", "--implementation", "--abi", "--progress-bar", "--log"}
    | {"--trusted-host", "--python", "--upgrade-strategy", "--config-settings", "--global-option", "--index-strategy"}
    | {"--use-feature", "--client-cert", "--exists-action", "--report", "--link-mode", "--resolution", "-p"}
)
_KEPT = frozenset(
    {"-r", "--requirement", "-c", "--constraint", "-e", "--editable", "-i", "--index-url", "--extra-index-url"}
    | {"-f", "--find-links", "--no-binary", "--only-binary"}
)
_KEPT_ALONE = frozenset(("--pre", "--no-index", "--prefer-binary"))
_INSTALLERS = frozenset(("pip", "wheel", "setuptools", "uv", "poetry", "pipenv"))
"""What `pip install --upgrade pip wheel` brings up to date before the work begins; no part of the runtime."""

_UPGRADING = frozenset(("-U", "--upgrade", "--force-reinstall", "-I", "--ignore-installed"))
_FRESH = _UPGRADING | {"-P", "--upgrade-package", "--reinstall", "-t", "--target", "--prefix", "--root"}
_OF_THE_SYSTEM = frozenset(("", "/bin", "/usr/bin", "/usr/local/bin"))

_QUOTED_OR_COMMENT = re.compile(r"""(?P<quoted>'[^']*'|"(?:\\.|[^"\\])*"|\\.)|(?:^|(?<=[\s;&|()]))#.*""")

NEARBY = 200
"""Lines that are searched for a word. One that a variable stands for is in none of them."""


@dataclass(frozen=True, slots=True)
class Installed:
    """One word that pip was given: a line of a requirements file."""

    text: str
    line: int
    is_fresh: bool = False
    """What the image has already is left aside: the newest that is allowed is installed."""
    is_upgrade: bool = False
    """So is what an earlier command installed."""
    command: tuple[int, int] = (0, 0)
    """Line of the instruction, and which of the commands in it this one is."""


def installed_by(command: str, lines: Sequence[tuple[int, str]]) -> Iterator[Installed]:
    """`lines` are the physical lines that the command was written on, to say where each word stands."""
    place = 0
    for number, (manner, words) in enumerate(_commands(command)):
        for text, word in _of_words(words):
            # words stand in the order of their lines, so each is looked for from where the last one was found
            nearby = range(place, min(place + NEARBY, len(lines)))
            place = next((index for index in nearby if word in lines[index][1]), place)
            yield Installed(text, lines[place][0], *manner, (lines[0][0], number))


def _commands(command: str) -> Iterator[tuple[tuple[bool, bool], list[str]]]:
    """Of each pip install in it whether it is fresh and an upgrade, and its words from behind `install`."""
    for part in command.split("\n"):
        lexer = shlex.shlex(_without_comment(part), posix=True, punctuation_chars="();&|")
        lexer.whitespace_split = True
        lexer.commenters = ""
        words: list[str] = []
        try:
            for word in lexer:
                if word and set(word) <= set("();&|"):
                    yield from _install(words)
                    words = []
                else:
                    words.append(word)
        except ValueError:
            # a quote that never ends: no line of shell either
            return
        yield from _install(words)


def _without_comment(line: str) -> str:
    """A `#` begins one only where a word begins: shlex ends the line at that of `#egg=` as well."""
    return _QUOTED_OR_COMMENT.sub(lambda found: found["quoted"] or "", line)


def _install(words: list[str]) -> Iterator[tuple[tuple[bool, bool], list[str]]]:
    for place, word in enumerate(words):
        if re.fullmatch(r"pip(3(\.\d+)?)?", posixpath.basename(word)) and "install" in words[place:]:
            between = words[place + 1 : words.index("install", place)]
            if all(option.startswith("-") for option in between):
                given = words[words.index("install", place) + 1 :]
                program = words[place - 2] if words[place - 1 : place] == ["-m"] else word
                yield _manner(program, given), given
            return


def _manner(program: str, given: list[str]) -> tuple[bool, bool]:
    """Fresh is the pip of an environment of its own as well, which has nothing in it."""
    options = {re.sub(r"[=].*", "", word) for word in given if word.startswith("-")}
    is_fresh = posixpath.dirname(program) not in _OF_THE_SYSTEM or not _FRESH.isdisjoint(options)
    return is_fresh, not _UPGRADING.isdisjoint(options)


def _of_words(words: list[str]) -> Iterator[tuple[str, str]]:
    """Each line, and the word by which its place in the file is found."""
    waiting = iter(words)
    for word in waiting:
        option, equals, value = word.partition("=")
        if re.fullmatch(r"\d*(>>?|<)", word):
            next(waiting, "")
        elif not word.startswith("-"):
            if not re.match(r"\d*[<>]", word) and word not in _INSTALLERS:
                yield word, word
        elif word in _KEPT_ALONE:
            yield word, word
        elif option in _KEPT or option in _WITH_VALUE:
            value = value if equals else next(waiting, "")
            if option in _KEPT and value:
                yield f"{option} {value}", value
        elif re.match(r"-[rcif]\S", word):
            yield f"{word[:2]} {word[2:]}", word
