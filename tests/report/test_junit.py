from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace

import junitparser
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadgate import untrusted
from loadgate.domain import Device, Loader
from loadgate.report.assembly import assemble
from loadgate.report.junit import LOG, encode_junit

from .sample_run import LEGACY, NEXT, RUN, Run, hostile_run, passed, result

HOSTILE = ["]]>", "<![CDATA[", "&amp;<x>\"'", "\x1b[31m", "\u202e", "\ud800", "\x00", "\ufffe", "\r\n\t", "a" * 3_000]
ANY_TEXT = st.lists(st.sampled_from(HOSTILE) | st.text(st.characters())).map("".join)


def suites_of(run: Run) -> dict[str, junitparser.TestSuite]:
    return {suite.name: suite for suite in junitparser.JUnitXml.fromstring(encode_junit(run.report))}


def cases_of(suite: junitparser.TestSuite) -> dict[str, junitparser.TestCase]:
    return {test.name: test for test in suite}


def parsed(xml: bytes) -> ET.Element:
    return ET.fromstring(xml)  # noqa: S314 - that it parses is what is tested


def properties_of(element: ET.Element) -> dict[str, str]:
    return {found.attrib["name"]: found.attrib["value"] for found in element.findall("properties/property")}


def suite_element(run: Run, name: str) -> ET.Element:
    return next(suite for suite in parsed(encode_junit(run.report)) if suite.get("name") == name)


def test_there_is_a_suite_a_runtime_and_device() -> None:
    assert list(suites_of(RUN)) == [
        "loadgate.serving.cpu",
        "loadgate.next.cpu",
        "loadgate.next.gpu",
        "loadgate.legacy.cpu",
    ]


def test_a_suite_has_the_runtime_and_each_artifact_and_stage() -> None:
    tests = list(cases_of(suites_of(RUN)["loadgate.serving.cpu"]))

    assert tests[:3] == ["runtime", "models/churn/classifier.keras", "models/churn/classifier.keras [infer]"]
    assert len(tests) == 1 + 2 * len(RUN.plan.artifacts)


def test_the_names_of_tests_are_the_same_whatever_happened() -> None:
    nothing_reached = encode_junit(assemble(RUN.plan, replace(RUN.locks, runtimes=()), ()))

    names = [
        [test.get("name") for test in parsed(xml).iter("testcase")]
        for xml in (encode_junit(RUN.report), nothing_reached)
    ]
    assert names[0] == names[1]


def test_a_failure_has_its_type_its_cause_and_the_traceback() -> None:
    test = cases_of(suites_of(RUN)["loadgate.serving.cpu"])["models/churn/classifier.keras"]
    (failure,) = test.result

    assert isinstance(failure, junitparser.Failure)
    assert failure.type == "TypeError"
    assert failure.message == "The file was written by Keras 3 and Keras 2.15.0 is Keras 2."
    assert "Unrecognized keyword arguments: ['batch_shape']" in failure.text
    assert "base_layer.py" in failure.text
    assert "oneDNN" in test.system_out


def test_a_hang_says_where_it_hung() -> None:
    (failure,) = cases_of(suites_of(RUN)["loadgate.next.cpu"])["models/churn/legacy.h5"].result

    assert failure.type == "timed_out"
    assert "legacy_h5_format.py" in failure.text


def test_a_skip_has_its_reason() -> None:
    (skip,) = cases_of(suites_of(RUN)["loadgate.next.gpu"])["models/churn/legacy.h5"].result

    assert isinstance(skip, junitparser.Skipped)
    assert skip.message == "no GPU is visible on this machine"


def test_a_broken_runtime_is_explained_once_and_its_cases_point_at_it() -> None:
    tests = cases_of(suites_of(RUN)["loadgate.legacy.cpu"])
    (error,) = tests["runtime"].result
    (of_case,) = tests["models/churn/legacy.h5"].result

    assert (error.type, error.message) == (
        "import.numpy_2",
        "TensorFlow 2.11.1 was built for NumPy 1 and meets NumPy 2.2.6",
    )
    assert "suggested, not verified: add `numpy<2`" in error.text
    assert (of_case.type, of_case.message) == ("runtime", f"no verdict: runtime {LEGACY} could not be made")


def test_a_case_that_was_not_reached_is_an_error_and_never_green() -> None:
    case = RUN.plan.cases[0]
    run = RUN.without_results(case.id)
    (error,) = cases_of(suites_of(run)["loadgate.serving.cpu"])[case.artifact].result

    assert isinstance(error, junitparser.Error)
    assert error.message == "not reached: the run ended before it"
    assert properties_of(suite_element(run, "loadgate.serving.cpu"))["partial"] == "true"


def test_properties_say_what_the_runtime_and_the_artifact_are() -> None:
    suite = suite_element(RUN, "loadgate.serving.cpu")
    artifact = RUN.plan.artifacts[0]
    assert RUN.locks.runtimes[0].lock is not None

    of_suite = properties_of(suite)
    assert of_suite["lock.digest"] == RUN.locks.runtimes[0].lock.digest
    assert (of_suite["python"], of_suite["tensorflow"], of_suite["keras"]) == ("3.11.7", "2.15.1", "2.15.0")
    of_case = properties_of(next(test for test in suite if test.get("name") == artifact.path))
    assert (of_case["artifact.digest"], of_case["saved_with.keras"]) == (artifact.digest, "3.15.1")


def test_two_loaders_of_one_artifact_in_one_runtime_are_two_tests() -> None:
    case = next(c for c in RUN.plan.cases if c.runtime == NEXT and c.device is Device.CPU)
    other = replace(case, id="other", loader=Loader.TF_KERAS)
    plan = replace(RUN.plan, cases=(*RUN.plan.cases, other))
    run = Run(plan, RUN.locks, (*RUN.results, result("other", passed())))

    assert {f"{case.artifact} (keras)", f"{case.artifact} (tf_keras)"} <= set(
        cases_of(suites_of(run)["loadgate.next.cpu"])
    )


@pytest.mark.parametrize(
    "run", [RUN, RUN.with_broken(NEXT), hostile_run("".join(HOSTILE))], ids=["run", "broken", "hostile"]
)
def test_the_document_keeps_to_what_jenkins_publishes_but_for_file_and_properties_of_a_test(run: Run) -> None:
    """The element and attribute names of Jenkins's own description of the format, junit-10."""
    allowed = {
        "testsuites": ({"name", "time", "tests", "failures", "errors"}, {"testsuite"}),
        "testsuite": ({"name", "tests", "failures", "errors", "skipped", "time"}, {"properties", "testcase"}),
        "testcase": (
            {"name", "time", "classname", "file"},
            {"properties", "skipped", "error", "failure", "system-out"},
        ),
        "properties": (set(), {"property"}),
        "property": ({"name", "value"}, set()),
        **dict.fromkeys(("skipped", "error", "failure"), ({"type", "message"}, set())),
        "system-out": (set(), set()),
    }
    root = parsed(encode_junit(run.report))
    assert root.tag == "testsuites"
    for element in root.iter():
        attributes, children = allowed[element.tag]
        assert set(element.attrib) <= attributes
        assert {child.tag for child in element} <= children
        if "time" in element.attrib:
            assert element.attrib["time"].replace(".", "", 1).isdigit()


def test_totals_are_what_is_in_the_document() -> None:
    root = parsed(encode_junit(RUN.report))

    for suite in root:
        tests = list(suite.iter("testcase"))
        assert int(suite.attrib["tests"]) == len(tests)
        for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(suite.attrib[attribute]) == sum(1 for test in tests if test.find(tag) is not None)
    for attribute in ("tests", "failures", "errors"):
        assert int(root.attrib[attribute]) == sum(int(suite.attrib[attribute]) for suite in root)


@settings(deadline=None)
@given(ANY_TEXT)
def test_any_text_reads_back_as_it_was_made_safe(text: str) -> None:
    run = hostile_run(text)
    xml = encode_junit(run.report)
    suite = junitparser.JUnitXml.fromstring(xml)
    first, second = list(suite)
    tests = list(first)

    assert first.name == untrusted.name(f"loadgate.r{text}.cpu")
    assert second.name == untrusted.name(f"loadgate.s{text}.cpu")
    assert [test.name for test in tests] == [
        "runtime",
        untrusted.name(f"models/{text}.h5"),
        untrusted.name(f"models/{text}.h5 [infer]"),
        untrusted.name(f"models/{text}.h52"),
        untrusted.name(f"models/{text}.h52 [infer]"),
    ]
    (failure,) = tests[4].result
    assert failure.message == (untrusted.line(text) or "crashed")
    assert (tests[1].system_out or "") == untrusted.block(text, lines=2_000, characters=LOG)
    assert parsed(xml).get("tests") == "10"


def test_a_log_of_many_megabytes_is_cut_in_the_middle() -> None:
    flood = replace(RUN.results[0], log="beginning\n" + "\x1b]]>" * 5_000_000 + "\nend")
    run = Run(RUN.plan, RUN.locks, (flood,))
    xml = encode_junit(run.report)

    assert len(xml) < 600_000
    test = cases_of(next(iter(junitparser.JUnitXml.fromstring(xml))))["models/churn/classifier.keras"]
    assert test.system_out.startswith("beginning")
    assert test.system_out.endswith("end")
