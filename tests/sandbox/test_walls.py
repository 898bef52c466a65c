"""What older kernels and stricter machines leave open, and that each gap is told by name."""

from __future__ import annotations

from dataclasses import replace

import pytest

from loadgate.domain import Wall
from loadgate.errors import LoadgateError
from loadgate.sandbox.walls import NO_SANDBOX, Mechanisms, Sandbox, require, standing

ALL = Mechanisms(landlock_version=7)


def without(version: int = 7, **reasons: str) -> Sandbox:
    return standing(replace(ALL, landlock_version=version, **reasons))


def test_where_everything_works_every_wall_holds_and_no_gap_is_left() -> None:
    sandbox = without()
    assert sandbox.held == tuple(Wall)
    assert sandbox.gaps == ()
    require(sandbox)


@pytest.mark.parametrize(
    ("sandbox", "missing"),
    [
        (without(0, landlock="Function not implemented"), {Wall.FILES, Wall.PROCESSES}),
        (without(seccomp="Invalid argument"), {Wall.LOCAL_SOCKETS, Wall.PROCESSES}),
        (without(namespaces="Operation not permitted", shared_memory="it needs a mount namespace"), set()),
        (
            without(namespaces="Operation not permitted", seccomp="Invalid argument"),
            set(Wall) - {Wall.FILES, Wall.PRIVILEGES},
        ),
        (without(1, seccomp="Invalid argument"), set(Wall) - {Wall.NETWORK, Wall.PRIVILEGES}),
        (without(1), set()),
        (without(capabilities="Operation not permitted"), {Wall.PRIVILEGES}),
        (NO_SANDBOX, set(Wall)),
    ],
    ids=[
        *("no Landlock", "no seccomp", "no namespaces", "neither seccomp nor namespaces"),
        *("old Landlock alone", "old Landlock with seccomp", "capabilities kept", "nothing"),
    ],
)
def test_what_does_not_hold_is_told_with_its_reason(sandbox: Sandbox, missing: set[Wall]) -> None:
    assert set(sandbox.missing) == missing
    assert len(sandbox.gaps) >= len(missing)


def test_a_kernel_that_knows_no_scopes_says_what_imports_can_do() -> None:
    sandbox = without(4)
    assert sandbox.missing == ()
    (gap,) = sandbox.gaps
    assert "imports:" in gap
    assert "6.12" in gap


def test_where_the_sandbox_is_required_and_a_wall_is_missing_the_run_ends_without_a_verdict() -> None:
    with pytest.raises(LoadgateError, match=r"Landlock: Function not implemented; it needs Linux 5\.13") as refusal:
        require(without(0, landlock="Function not implemented"))
    assert refusal.value.exit_status == 3
