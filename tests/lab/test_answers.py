"""The key against which causes are scored knows every cause that a score can be asked of."""

from __future__ import annotations

from lab.answers import BLAMES

from loadgate.diagnosis.rule import rules

OF_THE_ENDING = {"crashed", "ended_the_process", "out_of_memory", "timed_out"}
OF_THE_MACHINE = {"cpu_only_build", "h5py_3_with_old_keras", "no_gpu_seen", "op_without_cpu_kernel"}
"""The lab has one machine, and each of its runtimes one h5py: no other load tells what would have mended it."""


def test_every_cause_has_an_answer_unless_no_other_load_could_give_it() -> None:
    assert {rule.cause for rule in rules()} - BLAMES.keys() == OF_THE_ENDING | OF_THE_MACHINE
