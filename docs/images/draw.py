"""Draws check.svg: the top of what `loadgate check examples` really prints, with its colours.

usage: draw.py [FILE]
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text

HERE = Path(__file__).parent
WIDTH = 100
LAST = "Failures"
"""What is drawn ends after the first case below this heading."""
WITHOUT_FONTS = re.sub(r"@font-face \{\{.*?\}\}\n", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
"""rich would have the reader fetch a font from somewhere; theirs will do."""


def printed() -> str:
    environment = os.environ | {"FORCE_COLOR": "1", "COLUMNS": str(WIDTH), "TERM": "xterm-256color"}
    command = [str(Path(sys.executable).with_name("loadgate")), "check", "examples"]
    ran = subprocess.run(command, cwd=HERE.parents[1], env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - our own command
    if ran.returncode != 1:
        sys.stderr.write(ran.stderr)
        raise SystemExit(f"loadgate check examples ended with {ran.returncode} where 1 was expected")
    return ran.stdout


def main() -> None:
    lines = Text.from_ansi(printed()).split("\n")
    heading = next(number for number, line in enumerate(lines) if line.plain == LAST)
    end = next(number for number, line in enumerate(lines) if number > heading and not line.plain)
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, highlight=False)
    console.print(Text.from_ansi("$ loadgate check examples"))
    for line in lines[:end]:
        console.print(line, soft_wrap=True)
    svg = console.export_svg(title="loadgate", code_format=WITHOUT_FONTS, unique_id="loadgate")
    to = Path(sys.argv[1]) if sys.argv[1:] else HERE / "check.svg"
    to.write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main()
