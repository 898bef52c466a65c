"""report.html, as it is written and as a browser shows it."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from loadgate.domain import FailOn, Policy, Reason
from loadgate.report.html import encode_html
from loadgate.report.truth import Report
from tests.report.sample_run import RUN, failed, hostile_run, passed, skipped, small_run
from tests.report.test_comment import many
from tests.report.test_markdown import POISON

POLICY = re.compile(r"<meta http-equiv=\"Content-Security-Policy\" content=\"([^\"]*)\">")


class Page(HTMLParser):
    def __init__(self, report: Report) -> None:
        super().__init__()
        self.html = encode_html(report).decode()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.text = ""
        self.feed(self.html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, key, value or "") for key, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data


# --- as it is written -----------------------------------------------------------------------------------------


def test_the_policy_allows_its_own_style_and_nothing_else() -> None:
    page = encode_html(RUN.report).decode()
    policy = POLICY.search(page)
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)

    assert policy is not None
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert (
        policy[1]
        == f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
    assert "url(" not in style[1]
    assert "@import" not in style[1]


@pytest.mark.parametrize("text", [*POISON, "</style></title><script>alert(1)</script>\"'{{ 7919 * 7 }}"])
def test_hostile_strings_are_text_and_nothing_else(text: str) -> None:
    page, plain = Page(hostile_run(text).report), Page(hostile_run("x").report)

    assert set(page.tags) == set(plain.tags)
    assert {(tag, key) for tag, key, _ in page.attributes} == {(tag, key) for tag, key, _ in plain.attributes}
    assert "55433" not in page.text
    assert all(character.isprintable() or character == "\n" for character in page.html)


def test_nothing_in_it_leads_out_of_it() -> None:
    addresses = [(tag, value) for tag, key, value in Page(RUN.report).attributes if key in ("href", "src", "action")]

    assert addresses == [("link", "data:,")]


def test_every_case_is_in_the_matrix_with_a_word_and_not_only_a_colour() -> None:
    page = Page(RUN.report)

    for word, number in (("passed", 6), ("failed", 6), ("error", 6), ("skipped", 6)):
        assert len(re.findall(rf"</span> {word}</span></td>", page.html)) == number


def test_two_thousand_failures_fit_into_two_megabytes() -> None:
    report = many(2_000, causes=10_000)
    log = "2026-11-02 10:00:00: W tensorflow <something> & more\n" * 400
    cases = [replace(case, result=replace(case.result, log=log)) if case.result else case for case in report.cases]

    assert len(encode_html(replace(report, cases=tuple(cases)))) < 2_000_000


# --- as a browser shows it ------------------------------------------------------------------------------------

DARK, LIGHT = 0, 1
AXE = """
<script>{axe}</script>
<script>
document.querySelectorAll("details").forEach((each) => (each.open = true));
axe.run().then((found) => {{
  const said = found.violations.map((v) => [v.id, v.nodes.map((n) => n.html + n.failureSummary)]);
  document.body.innerHTML = "<pre id=found></pre>";
  document.getElementById("found").textContent = JSON.stringify(said);
}});
</script>
"""


def browse(chromium: str, page: Path, *arguments: str, scheme: int = LIGHT, width: int = 1280) -> tuple[str, str]:
    """What the browser has of the page at the end, and what it said."""
    command = [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--v=0"]
    command += [f"--user-data-dir={page.parent / 'profile'}", f"--blink-settings=preferredColorScheme={scheme}"]
    command += [f"--window-size={width},1200", "--virtual-time-budget=20000", "--dump-dom", *arguments, page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=True)
    return done.stdout, done.stderr


@pytest.fixture
def hostile_page(tmp_path: Path) -> Path:
    page = tmp_path / "report.html"
    page.write_bytes(encode_html(hostile_run("<script>document.title=1</script><img src=http://127.0.0.1:9/x>").report))
    return page


def test_a_browser_says_nothing_and_asks_nobody(chromium: str, hostile_page: Path) -> None:
    log = hostile_page.parent / "net.json"
    _, said = browse(chromium, hostile_page, f"--log-net-log={log}")

    assert "CONSOLE" not in said
    assert "127.0.0.1:9" not in re.sub(r'"clientInfo":.*', "", log.read_text())


@pytest.mark.parametrize("scheme", [LIGHT, DARK])
@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_no_violation(chromium: str, node_modules: Path, tmp_path: Path, width: int, scheme: int) -> None:
    axe = (node_modules / "axe-core" / "axe.min.js").read_text()
    page = tmp_path / "report.html"
    written = POLICY.sub("", encode_html(RUN.report).decode())  # which would keep axe out
    page.write_text(written.replace("</body>", AXE.format(axe=axe.replace("</script", "<\\/script")) + "</body>"))
    shown, _ = browse(chromium, page, scheme=scheme, width=width)
    found = re.search(r'<pre id="found">(.*?)</pre>', shown, re.DOTALL)

    assert found is not None, shown[-500:]
    violations: list[Any] = json.loads(found[1])
    assert violations == []


def test_a_run_of_nothing_and_one_that_is_well_are_pages_too() -> None:
    assert "Nothing to load" in Page(small_run({}).report).text
    assert "Every model loads" in Page(small_run({"a.h5": {"serving": passed()}}).report).text


def test_that_a_failure_does_not_block_stands_in_the_header() -> None:
    run = small_run({"a.h5": {"serving": failed(Reason.CRASHED, "SIGSEGV")}}, policy=Policy(fail_on=FailOn.NEVER))
    header, _, rest = encode_html(run.report).decode().partition("</header>")

    assert "<strong>Does not block.</strong> policy: fail-on is never" in header
    assert "fail-on is never" not in rest


def test_what_was_not_tried_is_not_said_to_load() -> None:
    no_gpu = skipped(Reason.NO_GPU, "there is no GPU")
    nothing = Page(small_run({"a.h5": {"serving": no_gpu}}).report).text
    assert "- Nothing was loaded" in nothing
    some = Page(small_run({"a.h5": {"serving": no_gpu}, "b.h5": {"serving": passed()}}).report).text
    assert "Every model that was tried loads" in some
