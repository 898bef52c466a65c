"""The quick way through the matrix: many loads a process. What ends its process there is loaded alone, by `loading`."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import msgspec

from lab.loading import CHECKS, TIERS, WORKERS, Wanted, import_paths_of, imports_of, load_alone, missing, record
from lab.place import INSIDE, Place, append_line, read_lines
from lab.runtimes import environment_of
from loadgate.domain import CaseResult, ExceptionInfo, Loader, Lock, Outcome, Reason, Stage, StageResult
from loadgate.loading.messages import StageLine
from loadgate.loading.probe_process import INHERITED, PROBE
from loadgate.loading.verdict import reported, skipped

Say = Callable[[str], None]
GROUP = 24
"""Loads that share a process."""
PATIENCE = 8
"""Seconds for one load here; one that takes longer is given more of them alone."""
LOOPS = 2.0
"""Seconds of computing, of those, that say of one file that its load will never end; the longest that ended took one.
The functions of a SavedModel are traced while it is loaded, which may take longer."""
BUILDING = (Loader.CHECKPOINT, Loader.WEIGHTS)
"""To compare these, the catalogue's own code is imported, which no other load may find in its process."""


def sweep(place: Place, say: Say, only: Sequence[str] = (), tiers: Sequence[int] = range(TIERS)) -> int:
    """Append to `loads.jsonl` every load that is not there yet; how many that were."""
    count = 0
    rounds = [(tier, *each) for tier in tiers for each in place.locks().items() if not only or each[0] in only]
    for tier, runtime, lock in rounds:
        for imports in (False, True):
            wanted = [each for each in missing(place, runtime, lock, tier) if each.imports is imports]
            if not wanted:
                continue
            begun = time.monotonic()
            alone = list(swept(place, runtime, lock, imports, wanted))
            load_alone(place, alone, say)
            seconds = time.monotonic() - begun
            count += len(wanted)
            what = f"{runtime}{' with imports' if imports else ''}: {len(wanted)} loads in {seconds:.0f} s"
            say(f"{what}, {len(wanted) / seconds:.1f} a second, {len(alone)} alone")
    return count


def swept(place: Place, runtime: str, lock: Lock, imports: bool, wanted: Sequence[Wanted]) -> Iterator[Wanted]:
    """Make the loads, append what came of each, and yield those that have to be made alone."""
    paths = {line["id"]: str(place.artifacts / line["path"]) for line in read_lines(place.catalogue)}
    named = {str(number): each for number, each in enumerate(wanted)}
    scratch = place.root / "scratch" / f"sweep-{runtime}-{imports}"
    scratch.mkdir(parents=True, exist_ok=True)
    answers, request = scratch / "answers.jsonl", scratch / "request.json"
    answers.unlink(missing_ok=True)
    request.write_text(
        json.dumps(
            {
                "paths": [str(path) for path in import_paths_of(imports)],
                "imports": imports_of(imports),
                "groups": list(groups(named, paths)),
                "timeout": PATIENCE,
                "memory": CHECKS.memory,
                "workers": WORKERS,
            }
        )
    )
    env = {key: os.environ[key] for key in INHERITED if key in os.environ}
    env |= {"HOME": str(scratch), "TMPDIR": str(scratch), "CUDA_VISIBLE_DEVICES": "-1", "PYTHONDONTWRITEBYTECODE": "1"}
    env |= environment_of(runtime)
    with (scratch / "log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - the runtime's own Python
            [lock.interpreter, INSIDE / "lab_sweep.py", PROBE.parent, request, answers],
            env=env, cwd=scratch, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
        answered: set[str] = set()
        ended = False
        while not ended:
            ended = process.poll() is not None
            for name, answer in new_answers(answers, answered):
                append_line(place.loads, record(place, named[name], result_of(name, answer)))
            time.sleep(0.0 if ended else 1.0)
    if process.returncode:
        raise SystemExit(
            f"{runtime}: the sweep ended with {process.returncode}: {(scratch / 'log').read_text()[-2000:]}"
        )
    looping = {
        each["suspect"]
        for each in read_lines(answers)
        if "suspect" in each and each["computed"] > LOOPS and Path(paths[named[each["suspect"]].artifact]).is_file()
    }
    for name in looping - answered:
        append_line(place.loads, record(place, named[name], hung(name)))
    yield from (each for name, each in named.items() if name not in answered | looping)


def hung(name: str) -> CaseResult:
    stage = StageResult(
        stage=Stage.LOAD,
        outcome=Outcome.FAILED,
        reason=Reason.TIMED_OUT,
        message=f"computed for {PATIENCE} s and was not done",
    )
    later = (skipped(each, Reason.EARLIER_STAGE, "") for each in (Stage.INFER, Stage.COMPILE))
    return CaseResult(case=name, stages=(stage, *later), seconds=float(PATIENCE), isolation="shared")


def groups(named: dict[str, Wanted], paths: dict[str, str]) -> Iterator[list[dict[str, str]]]:
    def kind(item: tuple[str, Wanted]) -> tuple[bool, str]:
        return item[1].loader in BUILDING, item[1].loader

    for _, same in groupby(sorted(named.items(), key=kind), kind):
        items = [{"name": name, "path": paths[each.artifact], "loader": each.loader.value} for name, each in same]
        for start in range(0, len(items), GROUP):
            yield items[start : start + GROUP]


def new_answers(path: Path, answered: set[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    for line in read_lines(path):
        name = line.get("name")
        if name is not None and name not in answered:
            answered.add(name)
            yield name, line


def result_of(name: str, answer: dict[str, Any]) -> CaseResult:
    stages = []
    for stage in (Stage.LOAD, Stage.INFER, Stage.COMPILE):
        found = answer.get(stage.value)
        if found is None:
            reason = Reason.EARLIER_STAGE if answer["load"]["reason"] else Reason.NOTHING_TO_RUN
            stages.append(skipped(stage, reason, ""))
            continue
        exception = msgspec.convert(found["exception"], ExceptionInfo) if found.get("exception") else None
        stages.append(reported(StageLine(stage=stage, seconds=0.0, reason=found["reason"], exception=exception), stage))
    return CaseResult(case=name, stages=tuple(stages), api=answer["api"], seconds=answer["seconds"], isolation="shared")
