"""Markdown as GitHub renders it: with its own parser, and then what it does to the text that is no code."""

from __future__ import annotations

from html.parser import HTMLParser

import pycmarkgfm

ALLOWED = frozenset(
    {"a", "b", "br", "code", "details", "h3", "li", "p", "pre", "strong", "sub", "summary"}
    | {"table", "tbody", "td", "th", "thead", "tr", "ul"}
)
UNCLOSED = frozenset({"br", "img", "input", "hr", "meta", "link"})


class Rendered(HTMLParser):
    """What came out: which elements, which addresses, and which text stands outside of code."""

    def __init__(self, markdown: str) -> None:
        super().__init__()
        self.html = pycmarkgfm.gfm_to_html(markdown, options=pycmarkgfm.options.unsafe)
        self.tags: list[str] = []
        self.links: list[str] = []
        self.text = ""
        self.bare_text = ""
        self.open: list[str] = []
        self.unbalanced: list[str] = []
        self.comments = 0
        self.feed(self.html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for key, value in attrs if key in ("href", "src")]
        if tag not in UNCLOSED:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self.open and self.open[-1] == tag:
            self.open.pop()
        else:
            self.unbalanced.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data
        if not {"code", "pre"} & set(self.open):
            self.bare_text += data

    def handle_comment(self, _data: str) -> None:
        self.comments += 1
