"""`loadgate explain`: a cause as its page in docs/causes tells it, for whoever has only the program."""

from __future__ import annotations

from rich.console import Console
from rich.markdown import Markdown
from rich.padding import Padding
from rich.text import Text

from loadgate.diagnosis.rule import Rule, rules, silent_changes
from loadgate.errors import UsageError
from loadgate.mistakes import nearest, quoted
from loadgate.report.terminal import labelled, page


def known_causes() -> dict[str, Rule]:
    """By id: why a load fails, then what can change although it passes."""
    return {rule.cause: rule for rule in (*rules(), *silent_changes())}


def cause_named(cause: str) -> Rule:
    known = known_causes()
    if cause not in known:
        close = nearest(cause, known)
        hint = close if close.startswith("did you mean") else "`loadgate explain` names them all"
        raise UsageError(f"{quoted(cause)} is no cause; {hint}")
    return known[cause]


def print_cause(rule: Rule, console: Console) -> None:
    with page(console):
        console.print(Text(rule.title, "bold"))
        for heading, markdown in (("Why", rule.explanation), ("What to do", rule.remedy)):
            console.print()
            console.print(Text(heading, "bold"))
            console.print(Padding(Markdown(markdown), (0, 0, 0, 2)))


def print_causes(console: Console) -> None:
    known = known_causes()
    rows = [(cause, Text(rule.title)) for cause, rule in known.items()]
    with page(console):
        console.print(labelled(rows, indent=0, label_width=max(map(len, known))))
