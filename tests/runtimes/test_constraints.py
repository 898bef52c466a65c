"""What a TensorFlow needs beside itself: the table is sound, and a runtime that follows it can be told from one."""

from __future__ import annotations

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from loadgate.runtimes.constraints import constraints, constraints_for
from loadgate.runtimes.findings import rules
from loadgate.runtimes.supported_pythons import support_of, supports


def test_a_release_has_the_constraints_of_its_minor_version() -> None:
    found = constraints_for(Version("2.9.1"))
    assert found is not None
    assert found.tensorflow == "2.9"
    assert any(Requirement(line).name == "numpy" for line in found.requirements)


def test_a_release_that_was_not_measured_has_none() -> None:
    assert constraints_for(Version("9.9.9")) is None


def test_the_table_is_sorted_and_names_each_minor_version_once() -> None:
    minors = [Version(constraint.tensorflow) for constraint in constraints()]
    assert minors == sorted(set(minors))


def test_what_was_seen_is_what_the_requirements_allow() -> None:
    for constraint in constraints():
        for line in map(Requirement, constraint.requirements):
            assert line.specifier.contains(constraint.seen[line.name]), (constraint.tensorflow, line)


def test_every_minor_version_that_has_builds_was_measured_from_1_15_on() -> None:
    known = [support.tensorflow for support in supports() if Version(support.tensorflow) >= Version("1.15")]
    assert [constraint.tensorflow for constraint in constraints()] == known


def test_what_happens_without_the_requirements_is_a_cause_that_a_runtime_is_told_of() -> None:
    causes = {rule.cause for rule in rules()}
    for constraint in constraints():
        assert (constraint.otherwise is None) == (not constraint.requirements)
        assert constraint.otherwise is None or constraint.otherwise in causes


def test_every_python_is_one_for_which_that_release_has_builds() -> None:
    for constraint in constraints():
        support = support_of(SpecifierSet(f"=={constraint.tensorflow}.*"))
        assert support.tensorflow == constraint.tensorflow
        assert constraint.pythons
        assert set(constraint.pythons) <= set(support.pythons())
