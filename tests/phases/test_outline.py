"""What scripts are told of the files between the phases."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from loadgate.domain import (
    Artifact,
    Case,
    Device,
    Format,
    Loader,
    Lock,
    Locks,
    Plan,
    Requirement,
    Runtime,
    RuntimeState,
)
from loadgate.phases.outline import outline
from tests.report.sample_run import RUN

PLAIN = re.compile(r"[A-Za-z0-9_./\[\]\",-]*")


def case(artifact: str, device: Device = Device.CPU) -> Case:
    return Case(id=artifact, artifact=artifact, runtime="serving", device=device, loader=Loader.KERAS)


@pytest.fixture
def plan() -> Plan:
    return Plan(
        artifacts=(Artifact(path="a.h5", format=Format.KERAS_H5, files=("a.h5",), bytes=1),),
        runtimes=(Runtime(name="serving", python="3.11", tensorflow="2.15.1"),),
        cases=(case("a.h5"), case("b.h5"), case("c.h5")),
    )


def told(plan: Plan, *locks: Locks, shards: int = 1) -> dict[str, str]:
    return dict(outline(plan, locks, None, shards=shards))


def locks_of(interpreter: str) -> Locks:
    lock = Lock(
        digest="sha256:0",
        interpreter=interpreter,
        python="3.11.2",
        implementation="CPython",
        packages={},
        tensorflow="2",
    )
    return Locks(runtimes=(RuntimeState(name="serving", lock=lock),))


def test_a_plan_is_counted(plan: Plan) -> None:
    lines = told(plan)
    assert (lines["artifacts"], lines["runtimes"], lines["cases"]) == ("1", "1", "3")
    assert (lines["gpu"], lines["images"]) == ("false", "0")


def test_a_case_on_a_gpu_asks_for_one(plan: Plan) -> None:
    assert told(replace(plan, cases=(*plan.cases, case("d.h5", Device.GPU))))["gpu"] == "true"


@pytest.mark.parametrize(("shards", "said"), [(1, '["1/1"]'), (2, '["1/2","2/2"]'), (9, '["1/3","2/3","3/3"]')])
def test_there_are_no_more_shards_than_cases(plan: Plan, shards: int, said: str) -> None:
    assert told(plan, shards=shards)["shards"] == said


def test_a_plan_without_cases_is_one_empty_shard(plan: Plan) -> None:
    assert told(replace(plan, cases=()), shards=4)["shards"] == '["1/1"]'


def test_the_key_of_the_cache_follows_what_runtimes_are_made_of_and_nothing_else(plan: Plan) -> None:
    (runtime,) = plan.runtimes
    key = told(plan)["cache_key"]
    assert told(replace(plan, artifacts=(), cases=()))["cache_key"] == key
    assert told(replace(plan, runtimes=(replace(runtime, name="other", env={"A": "1"}),)))["cache_key"] == key
    more = replace(runtime, requirements=(Requirement(text="numpy<2"),))
    for other in (replace(runtime, tensorflow="2.15.0"), replace(runtime, python="3.10"), more):
        assert told(replace(plan, runtimes=(other,)))["cache_key"] != key


def test_the_key_to_save_under_begins_with_the_one_to_look_for(plan: Plan) -> None:
    asked = told(plan)
    saved = told(plan, locks_of("/cache/runtimes/1/bin/python"))
    assert asked["cache_key"].startswith(asked["cache_prefix"])
    assert saved["cache_key"].startswith(f"{asked['cache_key']}-")


def test_other_runtimes_are_saved_under_another_key(plan: Plan) -> None:
    one, other = locks_of("/cache/runtimes/1/bin/python"), locks_of("/cache/runtimes/2/bin/python")
    assert told(plan, one)["cache_key"] != told(plan, one, other)["cache_key"]
    assert told(plan, one, other)["cache_key"] == told(plan, other, one)["cache_key"]


def test_a_report_gives_its_verdict_and_its_counts() -> None:
    report = RUN.report
    lines = dict(outline(None, [], report))
    assert lines["exit_status"] == str(report.exit_status)
    assert lines["failed"] == str(report.totals.failed)
    assert lines["verdict"] in ("passed", "failed", "no-verdict")


def test_nothing_that_an_artifact_or_a_spec_says_reaches_a_line(plan: Plan) -> None:
    evil = "x\nfailed=0\n::set-env name=PATH::"
    hostile = replace(
        plan,
        artifacts=tuple(replace(each, path=evil) for each in plan.artifacts),
        runtimes=(Runtime(name=evil, requirements=(Requirement(text=evil),)),),
        cases=(replace(case(evil), runtime=evil),),
    )
    for value in told(hostile, locks_of(str(Path("/cache") / evil))).values():
        assert PLAIN.fullmatch(value)
