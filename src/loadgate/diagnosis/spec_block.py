"""The lines of a `loadgate.yml` that declare one runtime, and how a value of it is changed where it stands.

The text is changed and not the YAML behind it: a person's comments and layout stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from loadgate.diagnosis.draft import Draft
from loadgate.domain import Runtime

SPEC = re.compile(r"\.ya?ml$")
HEAD = re.compile(r"""\s*(?:"[^"]*"|'[^']*'|[^:]*):""")
VALUE = r"""(?:"[^"]*"|'[^']*'|[^,}\s#]+)"""


@dataclass(frozen=True, slots=True)
class Block:
    draft: Draft
    file: str
    first: int
    """Number of the line that names the runtime, from 1."""
    last: int

    @classmethod
    def of(cls, runtime: Runtime, draft: Draft) -> Block | None:
        """None for a runtime that no spec declares."""
        origin = runtime.origin
        head = draft.sources.line(origin)
        if origin is None or head is None or not SPEC.search(origin.file):
            return None
        if not re.match(rf"\s*[\"']?{re.escape(runtime.name)}[\"']?\s*:", head):
            return None
        return cls.beginning_at(origin.line, origin.file, draft)

    @classmethod
    def at_top(cls, key: str, file: str | None, draft: Draft) -> Block | None:
        """That of a key of the spec itself. None where there is no spec, and where it has no such key."""
        lines = draft.sources.files.get(file, ()) if file else ()
        first = next((number for number, text in enumerate(lines, start=1) if text.startswith(f"{key}:")), None)
        return cls.beginning_at(first, file, draft) if file and first else None

    @classmethod
    def beginning_at(cls, first: int, file: str, draft: Draft) -> Block:
        lines = draft.sources.files[file]
        last = first
        for number in range(first + 1, len(lines) + 1):
            text = lines[number - 1]
            if text.strip() and not text.lstrip().startswith("#"):
                if indent_of(text) <= indent_of(lines[first - 1]):
                    break
                last = number
        return cls(draft, file, first, last)

    def set(self, key: str, value: str) -> None:
        if not self._replace(key, VALUE, lambda _old: value):
            self._add(f"{key}: {value}")

    def remove(self, key: str) -> None:
        at = self._find(key)
        if at is None:
            return
        head, text = self._parts(at)
        inline = re.sub(rf",\s*{key}:\s*{VALUE}|(?<={{){key}:\s*{VALUE},?\s*", "", text, count=1)
        self._change(at, f"{head}{inline}" if inline != text else "")

    def put_into(self, key: str, name: str, value: str) -> None:
        """Into a mapping."""
        if self._replace(key, r"\{[^}]*\}", lambda old: with_entry(old, name, value)):
            return
        at = self._find(key)
        if at is None:
            self._add(f"{key}: {{{name}: {value}}}")
        else:
            self._after(self._end_of(at), f"{self._deeper(at)}{name}: {value}")

    def append(self, key: str, item: str) -> None:
        """To a list."""
        if self._replace(key, r"\[[^\]]*\]", lambda old: with_item(old, item)):
            return
        at = self._find(key)
        if at is None:
            self._add(f"{key}: [{item}]")
        else:
            self._after(self._end_of(at), f"{self._deeper(at)}- {item}")

    def _text(self, number: int) -> str:
        return self.draft.text(self.file, number)

    def _parts(self, number: int) -> tuple[str, str]:
        """Of a line: the name of the runtime, which may be that of a key, and what is said of it."""
        text = self._text(number)
        found = HEAD.match(text) if number == self.first else None
        at = found.end() if found else 0
        return text[:at], text[at:]

    def _change(self, number: int, text: str) -> None:
        self.draft.change(self.file, number, text)

    def _find(self, key: str) -> int | None:
        wanted = re.compile(rf"(?<![\w.-]){key}:(?=\s|$)", re.MULTILINE)
        return next((n for n in range(self.first, self.last + 1) if wanted.search(self._parts(n)[1])), None)

    def _replace(self, key: str, value: str, new: Callable[[str], str]) -> bool:
        at = self._find(key)
        if at is None:
            return False
        head, text = self._parts(at)
        found = re.search(rf"(?<![\w.-]){key}:[ \t]*({value})", text)
        if found is None:
            return False
        self._change(at, head + text[: found.start(1)] + new(found[1]) + text[found.end(1) :])
        return True

    def _add(self, entry: str) -> None:
        head = self._text(self.first)
        if re.search(r":\s*\{.*\}\s*(#.*)?$", head):
            inner = head.rindex("}")
            comma = "" if head[:inner].rstrip().endswith("{") else ", "
            self._change(self.first, f"{head[:inner]}{comma}{entry}{head[inner:]}")
        else:
            self._after(self.last, f"{self._indent()}{entry}")

    def _indent(self) -> str:
        for number in range(self.first + 1, self.last + 1):
            if (text := self._text(number)).strip():
                return " " * indent_of(text)
        return " " * (indent_of(self._text(self.first)) + 2)

    def _deeper(self, at: int) -> str:
        if at < self.last and self._text(at + 1).strip():
            return " " * indent_of(self._text(at + 1))
        return " " * (indent_of(self._text(at)) + 2)

    def _end_of(self, at: int) -> int:
        """The last line of the value that begins below line `at`."""
        key = indent_of(self._text(at))
        end = at
        for number in range(at + 1, self.last + 1):
            text = self._text(number)
            below = indent_of(text) > key or (indent_of(text) == key and text.lstrip().startswith("- "))
            if text.strip() and not below:
                break
            end = number if text.strip() else end
        return end

    def _after(self, at: int, line: str) -> None:
        self._change(at, f"{self._text(at)}\n{line}")


def with_entry(mapping: str, name: str, value: str) -> str:
    entries = [entry.strip() for entry in mapping.strip("{}").split(",") if entry.strip()]
    kept = [entry for entry in entries if entry.partition(":")[0].strip("\"' ") != name]
    return f"{{{', '.join([*kept, f'{name}: {value}'])}}}"


def with_item(items: str, item: str) -> str:
    kept = [each.strip() for each in items.strip("[]").split(",") if each.strip()]
    return f"[{', '.join([*kept, item])}]"


def indent_of(text: str) -> int:
    return len(text) - len(text.lstrip(" "))
