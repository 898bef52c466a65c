"""The page of the action's inputs and outputs, from action.yml."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]


def action_page() -> str:
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    return "\n".join(_lines(action)) + "\n"


def _lines(action: Mapping[str, Mapping[str, Mapping[str, str]]]) -> Iterator[str]:
    yield "# The action's inputs and outputs"
    yield ""
    yield "Taken by `script/reference` from `action.yml`. [On GitHub](../how-to/github.md) shows them in use."
    yield ""
    yield "## Inputs"
    yield ""
    yield "None is required. One that is left empty means what one that is not given means."
    yield ""
    yield "| input | default | meaning |"
    yield "| --- | --- | --- |"
    for name, entry in action["inputs"].items():
        default = str(entry.get("default", "")).replace("${{ github.token }}", "the job's own token")
        shown = f"`{default}`" if default and " " not in default else default
        yield f"| `{name}` | {shown} | {_text(entry)} |"
    yield ""
    yield "## Outputs"
    yield ""
    yield "| output | meaning |"
    yield "| --- | --- |"
    for name, entry in action["outputs"].items():
        yield f"| `{name}` | {_text(entry)} |"


def _text(entry: Mapping[str, str]) -> str:
    return " ".join(entry["description"].split()).replace("|", "\\|")
