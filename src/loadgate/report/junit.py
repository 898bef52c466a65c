"""JUnit XML: a suite a runtime × device, a test case an artifact and stage, and one for the runtime itself.

Two things go beyond the schema that Jenkins publishes, because the common readers understand them and those that do
not pass over them: `file` on a test case (GitLab links it) and `properties` in it (as pytest writes them).
"""

from __future__ import annotations

import xml.etree.ElementTree as ET  # builds, never parses: nothing untrusted is read with it
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from junit_xml import TestCase, TestSuite

from loadgate import untrusted
from loadgate.domain import Artifact, Confidence, Device, Diagnosis, Outcome, Reason, Stage, StageResult
from loadgate.report import causes, wording
from loadgate.report.diff import diff
from loadgate.report.truth import CaseReport, Report, RuntimeReport, Standing

PASSED_LOG = 1_000
LOG = 32_000
"""Characters of a case's log; many viewers load the whole file into memory."""
BODY = 20_000


def encode_junit(report: Report) -> bytes:
    suites = [
        suite_element(report, runtime, device) for runtime in report.runtimes for device in _devices(report, runtime)
    ]
    root = ET.Element("testsuites", {"name": "loadgate"})
    for total in ("tests", "failures", "errors"):
        root.set(total, str(sum(int(suite.attrib[total]) for suite in suites)))
    root.set("time", _seconds(sum(float(suite.attrib["time"]) for suite in suites)))
    root.extend(suites)
    ET.indent(root)
    encoded: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return encoded + b"\n"


def suite_element(report: Report, runtime: RuntimeReport, device: Device) -> ET.Element:
    cases = [case for case in report.cases if (case.case.runtime, case.case.device) == (runtime.name, device)]
    artifacts = {artifact.path: artifact for artifact in report.artifacts}
    twice = {path for path, number in Counter(case.case.artifact for case in cases).items() if number > 1}
    suite_name = untrusted.name(f"loadgate.{runtime.name}.{device}")
    is_foreseen = any(case.prediction is not None for case in cases)
    entries: list[tuple[TestCase, Mapping[str, str]]] = [(_runtime_test(runtime, suite_name, is_foreseen), {})]
    for case in cases:
        artifact = artifacts[case.case.artifact]
        label = f"{case.case.artifact} ({case.case.loader})" if case.case.artifact in twice else case.case.artifact
        for test in _stage_tests(case, label, suite_name, report.checks.stages):
            entries.append((test, _case_properties(case, artifact)))
    suite = TestSuite(
        suite_name,
        [test for test, _ in entries],
        properties=_printable(_suite_properties(report, runtime, device)),
    )
    return _finished(suite.build_xml_doc(), [_printable(properties) for _, properties in entries])


def _devices(report: Report, runtime: RuntimeReport) -> Sequence[Device]:
    """Those that were asked for, and any other that a case of the plan names."""
    named = {case.case.device for case in report.cases if case.case.runtime == runtime.name}
    return [device for device in Device if device in named or device in runtime.runtime.devices]


def _runtime_test(runtime: RuntimeReport, classname: str, is_foreseen: bool) -> TestCase:
    test = TestCase("runtime", classname, elapsed_sec=runtime.state.seconds if runtime.state else 0.0)
    if runtime.finding is not None:
        finding = runtime.finding
        suggestion = f"\n\nsuggested, not verified: {finding.suggestion}" if finding.suggestion else ""
        test.add_error_info(
            untrusted.line(finding.headline) or "the runtime could not be made",
            _body(finding.detail + suggestion),
            f"{finding.kind}.{untrusted.name(finding.cause)}",
        )
    elif runtime.lock is None and is_foreseen:
        test.add_skipped_info("predicted: no runtime was made")
    elif runtime.lock is None:
        test.add_error_info("the run ended before the runtime was made", error_type=Reason.INTERRUPTED.value)
    warnings = (f"{warning.headline} {warning.suggestion or ''}".rstrip() for warning in runtime.warnings)
    test.stdout = _body("\n".join((*warnings, *runtime.notes))) or None
    return test


def _stage_tests(case: CaseReport, label: str, classname: str, asked: Sequence[Stage]) -> Iterator[TestCase]:
    """One test case a stage, the same ones whatever happened, so that viewers can follow each over time."""
    results = {stage.stage: stage for stage in (case.result.stages if case.result else ())}
    for stage in [stage for stage in Stage if stage in asked or stage in results]:
        title = label if stage is Stage.LOAD else f"{label} [{stage}]"
        test = TestCase(
            untrusted.name(title),
            classname,
            elapsed_sec=results[stage].seconds if stage in results else 0.0,
            file=untrusted.name(case.case.artifact),
        )
        if stage in results:
            _tell(test, results[stage], case.diagnosis)
        else:
            _tell_missing(test, case, stage)
        if stage is Stage.LOAD and case.result is not None:
            limit = PASSED_LOG if case.standing is Standing.PASSED else LOG
            log = untrusted.block(case.result.log, lines=2_000, characters=limit)
            test.stdout = "\n\n".join([*map(_cause, case.warnings), *([log] if log else [])]) or None
        yield test


def _tell(test: TestCase, stage: StageResult, diagnosis: Diagnosis | None) -> None:
    kind = untrusted.name(stage.exception.type if stage.exception else "") or (stage.reason or stage.outcome).value
    message = untrusted.line(stage.message) or kind
    match stage.outcome:
        case Outcome.FAILED:
            known = diagnosis is not None and diagnosis.confidence is not Confidence.UNKNOWN
            why = untrusted.line(diagnosis.headline) if diagnosis and known else message
            body = "\n\n".join(part for part in (_cause(diagnosis) if diagnosis else "", _evidence(stage)) if part)
            test.add_failure_info(why, body or None, kind)
        case Outcome.ERROR:
            test.add_error_info(message, _evidence(stage), kind)
        case Outcome.SKIPPED:
            test.add_skipped_info(message)
        case Outcome.PASSED:
            pass


def _tell_missing(test: TestCase, case: CaseReport, stage: Stage) -> None:
    """A stage without a result: the case's own standing where it is the load, else it hangs on the load."""
    missing = case.result is not None and case.reason is Reason.PROBE
    if (stage is Stage.LOAD or missing) and case.standing in (Standing.ERROR, Standing.NOT_REACHED):
        test.add_error_info(untrusted.line(case.message), error_type=(case.reason or case.standing).value)
    else:
        test.add_skipped_info(wording.REASONS[Reason.EARLIER_STAGE])


def _cause(diagnosis: Diagnosis) -> str:
    """The cause, what shows it, what mends it, and the page that says more."""
    lines = [untrusted.line(f"{diagnosis.headline} ({diagnosis.cause}, {diagnosis.confidence})")]
    lines += [untrusted.line(f"{each.side}: {each.text}") for each in diagnosis.evidence]
    for remedy in diagnosis.remedies:
        known = "verified" if remedy.verified else "suggested, not verified"
        lines.append(untrusted.line(f"{known}: {remedy.headline}"))
        for edit in remedy.edits:
            lines.append(f"    {untrusted.name(f'{edit.file}:{edit.line}' if edit.line else edit.file)}")
            lines += [f"    {sign} {text}" for sign, text in diff(edit)]
    if diagnosis.cause != causes.UNKNOWN:
        lines.append(untrusted.line(f"more: {causes.command(diagnosis.cause)}"))
    return _body("\n".join(lines))


def _evidence(stage: StageResult) -> str | None:
    parts = []
    if stage.exception is not None:
        parts.append(f"{stage.exception.type}: {stage.exception.message}")
        parts.extend(f"behind it: {cause}" for cause in stage.exception.chain)
        parts.append(stage.exception.traceback)
    parts.append(stage.stack)
    return _body("\n\n".join(part for part in parts if part)) or None


def _suite_properties(report: Report, runtime: RuntimeReport, device: Device) -> Mapping[str, str]:
    properties = {"loadgate": report.loadgate, "runtime": runtime.name, "device": device.value}
    if report.partial:
        properties["partial"] = "true"
    if runtime.lock is not None:
        properties |= {
            "lock.digest": runtime.lock.digest,
            "python": runtime.lock.python,
            "tensorflow": runtime.lock.tensorflow,
            "keras": runtime.lock.keras or "",
            "keras.module": runtime.lock.keras_module or "",
        }
    return properties


def _case_properties(case: CaseReport, artifact: Artifact) -> Mapping[str, str]:
    saver = artifact.facts.saved_with if artifact.facts else None
    result = case.result
    return {
        "artifact.digest": artifact.digest or "",
        "artifact.format": artifact.format.value,
        "saved_with.tensorflow": (saver.tensorflow if saver else None) or "",
        "saved_with.keras": (saver.keras if saver else None) or "",
        "loader": case.case.loader.value,
        "api": result.api if result else "",
        "peak_memory": str(result.peak_memory) if result and result.peak_memory is not None else "",
    }


def _finished(suite: ET.Element, properties: Sequence[Mapping[str, str]]) -> ET.Element:
    """Add what junit-xml cannot say, and take out what the schema does not know."""
    del suite.attrib["disabled"]
    suite.set("time", _seconds(float(suite.attrib["time"])))
    for test, of_case in zip(suite.iter("testcase"), properties, strict=True):
        test.set("time", _seconds(float(test.attrib.get("time", "0"))))
        if of_case:
            element = ET.Element("properties")
            for key, value in of_case.items():
                ET.SubElement(element, "property", {"name": key, "value": value})
            test.insert(0, element)
    return suite


def _printable(properties: Mapping[str, str]) -> dict[str, str]:
    return {key: untrusted.name(value) for key, value in properties.items() if value}


def _body(text: str) -> str:
    return untrusted.block(text, lines=1_000, characters=BODY)


def _seconds(seconds: float) -> str:
    """Jenkins's schema knows no exponents, and no infinity."""
    return f"{seconds:.3f}" if 0 <= seconds < float("inf") else "0.000"
