"""Load what a JSON file names by the whole action: `load_in_the_action.py ORDER ANSWER PLACE ACTION CACHE`.

Every phase runs, in the containers and behind the walls of action.yml; the secret of the environment is its token.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from loadgate.domain import Plan
from loadgate.interchange import read_document, read_results
from tests.attacks.load_walled import told
from tests.containers import SERVING_RUNTIME
from tests.e2e.acting import Runner

FORGED = b'"case": "forges_the_result_of_another"'


def spec(order: dict[str, Any], paths: list[str]) -> str:
    loaders = {path: job["loader"] for path, job in zip(paths, order["jobs"], strict=True)}
    return (
        f"version: 1\nartifacts: {{include: {json.dumps(paths)}, loader: {json.dumps(loaders)}}}\n"
        f"runtimes:\n  target: {SERVING_RUNTIME[:-1]}, env: {json.dumps(order['env'])}}}\n"
        f"checks: {{infer: true, timeout: {int(order['timeout'])}, memory: {order['memory']}}}\n"
        "remedies: {try: false}\n"
    )


def main(order: dict[str, Any], runner: Runner, cache: str) -> dict[str, Any]:
    repository = Path(order["repository"])
    names = {str(Path(job["path"]).relative_to(repository)): job["name"] for job in order["jobs"]}
    (repository / "loadgate.yml").write_text(spec(order, list(names)))
    inputs = {"token": os.environ["GITHUB_TOKEN"], "cache-directory": cache, "jobs": "4", "memory": "8g"}
    act = runner.act(repository, inputs)
    work = Path(act.outputs["reports"]).parent
    assert act.step("Report").outcome == "success", act.log
    results = work / "results/results.jsonl"
    if FORGED in results.read_bytes():
        (repository / "results.jsonl").write_bytes(results.read_bytes())
    plan = read_document(work / "plan/plan.json", Plan)
    assert {artifact.path for artifact in plan.artifacts} == set(names), "the plan is of other models"
    name_of = {case.id: names[case.artifact] for case in plan.cases}
    answer = {name_of[result.case]: told(result) for result in read_results(results)}
    return answer | {"the step": {"commands": act.step("Load").commands}}


if __name__ == "__main__":
    order_file, answer_file, place, action, cache = sys.argv[1:]
    runner = Runner(place=Path(place), action=Path(action))
    Path(answer_file).write_text(json.dumps(main(json.loads(Path(order_file).read_text()), runner, cache)))
