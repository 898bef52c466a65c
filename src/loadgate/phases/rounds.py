"""The files of the second round: `candidates.json`, and beside it what became of its runtimes and its cases."""

from __future__ import annotations

from pathlib import Path

from loadgate.diagnosis.attempts import Rounds
from loadgate.domain import Locks, Plan
from loadgate.interchange import encode_result, read_document, read_results, write_document, write_whole

CANDIDATES, LOCKS, RESULTS = "candidates.json", "candidate-locks.json", "candidate-results.jsonl"


def write_rounds(folder: Path, rounds: Rounds) -> None:
    """The files of the second round, as the phases would write them when run one by one."""
    if not rounds.candidates.trials:
        return
    known = {runtime.name for runtime in rounds.candidates.runtimes}
    locks = Locks(runtimes=tuple(state for name, state in rounds.states.items() if name in known))
    write_document(folder / CANDIDATES, rounds.candidates)
    write_document(folder / LOCKS, locks)
    lines = [encode_result(result) + b"\n" for result in rounds.results.values()]
    write_whole(folder / RESULTS, b"".join(lines))


def read_rounds(candidates: Path) -> Rounds:
    """From `candidates.json`, and what lies beside it."""
    locks = read_document(candidates.with_name(LOCKS), Locks)
    results = read_results(candidates.with_name(RESULTS))
    return Rounds.of(read_document(candidates, Plan), locks, results)
