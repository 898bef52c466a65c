from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from loadgate.errors import INTERRUPTED, LoadgateError, UsageError
from loadgate.report.gate import EXIT_STATUS

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


def test_schemas_and_tables_are_those_of_the_code() -> None:
    check = [sys.executable, str(REFERENCE / "generate.py"), "--check"]
    stale = subprocess.run(check, capture_output=True, text=True, check=False)

    assert (stale.returncode, stale.stdout, stale.stderr) == (0, "", ""), "run script/reference"


def test_every_table_of_the_page_is_filled() -> None:
    page = (REFERENCE / "results.md").read_text()

    assert page.count("<!-- end -->") == len(re.findall(r"<!-- [A-Z]\w+ -->\n\| ", page)) > 0


def test_the_page_on_exit_statuses_has_those_of_the_code() -> None:
    page = (REFERENCE / "exit-status.md").read_text()
    documented = {int(status) for status in re.findall(r"^\| (\d+) \|", page, flags=re.MULTILINE)}

    assert documented == {*EXIT_STATUS.values(), UsageError.exit_status, LoadgateError.exit_status, INTERRUPTED}
