"""Where LOADGATE_NO_SKIPS is set, as it is in CI, a skip is a failure unless no machine of ours could do better."""

from __future__ import annotations

import os
import signal
from collections.abc import Generator
from pathlib import Path

import pytest

from loadgate.domain import Lock, Plan, Runtime
from loadgate.phases.provision import provision
from loadgate.progress import Silent
from tests.containers import action_cache, engine, image, node_modules, place, runner

__all__ = ["action_cache", "engine", "image", "node_modules", "place", "runner"]

ALLOWED_REASONS = ("no GPU", "no container engine", "the corpus is not here", "this kernel")
"""What a reason may begin with: what cannot be installed."""


def pytest_configure() -> None:
    """A program inherits which signals are ignored, as SIGINT is in a shell's background, and no test could stop it."""
    for number in (signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)


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


@pytest.fixture(scope="session")
def runtimes_cache() -> Path:
    """One cache for all tests, kept between runs: a runtime takes a minute and a gigabyte."""
    given = os.environ.get("LOADGATE_TEST_CACHE")
    return Path(given) if given else Path.home() / ".cache" / "loadgate-tests"


@pytest.fixture(scope="session")
def serving(runtimes_cache: Path) -> Lock:
    """TensorFlow 2.15.1 with its own Keras 2, the last that loads a Lambda layer without a question."""
    runtime = Runtime(name="serving", python="3.11", tensorflow="2.15.1")
    (state,) = provision(Plan(runtimes=(runtime,)), runtimes_cache, progress=Silent()).runtimes
    assert state.lock is not None, state.finding
    return state.lock
