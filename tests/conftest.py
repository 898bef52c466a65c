"""What all tests share: which signals they may send, no silent skips, and what is made once."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from loadgate.domain import Lock, Plan, Runtime
from loadgate.phases.provision import provision
from loadgate.progress import Silent
from tests.containers import action_cache, engine, image, node_modules, place, runner
from tests.refused_skips import pytest_make_collect_report, pytest_runtest_makereport

__all__ = [
    "action_cache",
    "engine",
    "image",
    "node_modules",
    "place",
    "pytest_make_collect_report",
    "pytest_runtest_makereport",
    "runner",
]


def pytest_configure() -> None:
    """A program inherits which signals are ignored, as SIGINT is in a shell's background, and no test could stop it."""
    for number in (signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)


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
