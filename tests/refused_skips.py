"""Where LOADGATE_NO_SKIPS is set, as it is in CI, a skip is a failure unless no machine of ours could do better."""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest

ALLOWED_REASONS = ("no GPU", "no container engine", "the corpus is not here", "this kernel")
"""What a reason may begin with: what cannot be installed."""


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    expected_failure = hasattr(report, "wasxfail")
    if not report.skipped or expected_failure or not os.environ.get("LOADGATE_NO_SKIPS"):
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    reason = reason.removeprefix("Skipped: ")
    if not reason.startswith(ALLOWED_REASONS):
        report.outcome = "failed"
        report.longrepr = f"skipped, and LOADGATE_NO_SKIPS is set: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _refuse_skip(report)
    return report
