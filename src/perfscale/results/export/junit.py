"""``junit.xml``: a run as CI systems show it, a test case for each thing that it had to keep to.

The elements are those of the schema that Jenkins and GitLab read:
https://github.com/jenkinsci/xunit-plugin/blob/master/src/main/resources/org/jenkinsci/plugins/xunit/types/model/xsd/junit-10.xsd
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

from perfscale.config.sections.metrics import Unit
from perfscale.errors import ThresholdError
from perfscale.results.model.run import RunOutcome
from perfscale.results.verdicts.thresholds import show
from perfscale.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from perfscale.results.model.audit import AuditRecord
    from perfscale.results.model.run import RunResult, ThresholdVerdict
    from perfscale.results.model.workload import IterationResult, WorkloadResult


_EXCEEDED: Final = ThresholdError.exit_code
_NOT_XML: Final = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no XML document can hold, escaped or not: https://www.w3.org/TR/xml/#charsets"""


def junit(result: RunResult) -> str:
    """The document: a suite for the run as a whole, for each workload, and for the audit."""
    root = ET.Element("testsuites", name="perfscale", time=_seconds(result.duration_s))
    suites = [_run_suite(result), *(_workload_suite(each, result) for each in result.workloads)]
    if result.audit is not None:
        suites.append(_audit_suite(result.audit))
    for suite in suites:
        suite.set("timestamp", result.info.started_at.strftime("%Y-%m-%dT%H:%M:%S"))
        suite.set("errors", "0")
        suite.set("tests", str(len(suite.findall("testcase"))))
        for name, path in (("failures", "testcase/failure"), ("skipped", "testcase/skipped")):
            suite.set(name, str(len(suite.findall(path))))
        root.append(suite)
    for name in ("tests", "failures", "errors", "skipped"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in suites)))
    ET.indent(root)
    text: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return text.decode() + "\n"


def _run_suite(result: RunResult) -> ET.Element:
    """The run itself, with whatever no workload is to blame for, and its thresholds."""
    suite = _suite("run", result.duration_s)
    elsewhere = {each.text for each in result.thresholds} | {
        f"{workload.name}, iteration {iteration.iteration}: {problem}"
        for workload in result.workloads
        for iteration in workload.iterations
        for problem in iteration.problems
    }
    if result.audit is not None:
        elsewhere.update(result.audit.problems)
    own = [problem for problem in result.problems if problem not in elsewhere]
    case = _case(suite, "run", result.duration_s)
    if own or result.outcome in {RunOutcome.INTERRUPTED, RunOutcome.KILLED}:
        _fail(case, result.outcome.value, own)
    _add_thresholds(suite, (each for each in result.thresholds if each.workload is None))
    return suite


def _workload_suite(workload: WorkloadResult, result: RunResult) -> ET.Element:
    done = workload.iterations
    suite = _suite(workload.name, sum(_length_s(each) for each in done))
    for each in done:
        case = _case(suite, f"iteration {each.iteration}", _length_s(each))
        if each.problems:
            _fail(case, each.problems[0], each.problems)
    if len(done) < workload.iteration_count:
        first, last = len(done) + 1, workload.iteration_count
        name = f"iteration {first}" if first == last else f"iterations {first} to {last}"
        ET.SubElement(_case(suite, name, 0.0), "skipped", message="not attempted")
    ours = (each for each in result.thresholds if each.workload == workload.name)
    _add_thresholds(suite, ours)
    return suite


def _add_thresholds(suite: ET.Element, verdicts: Iterable[ThresholdVerdict]) -> None:
    for verdict in verdicts:
        bound = "at least" if verdict.bound == "min" else "at most"
        limit = show(verdict.limit, Unit(verdict.unit))
        parts = (verdict.metric, verdict.quantile, bound, limit)
        case = _case(suite, " ".join(part for part in parts if part), 0.0)
        if not verdict.passed:
            _fail(case, verdict.text, (verdict.text,))


def _audit_suite(audit: AuditRecord) -> ET.Element:
    """Whether all queries were answered, and the thresholds of their results."""
    suite = _suite("audit", 0.0)
    case = _case(suite, "queries", 0.0)
    if audit.exit_code not in (0, _EXCEEDED):
        _fail(case, audit.problems[0], audit.problems)
    for alert in audit.alerts:
        case = _case(suite, f"alert in {alert.workload}: {alert.description}", 0.0)
        if alert.fails:
            _fail(case, alert.description, (f"{alert.severity}: {alert.description}",))
    for name, each in ({} if audit.total is None else audit.total.values).items():
        if each.limit is not None:
            case = _case(suite, f"{name} at most {each.limit:g}", 0.0)
            if each.exceeded:
                measured = f"{each.value:g} {each.unit}".rstrip()
                _fail(case, measured, (measured,))
    return suite


def _length_s(iteration: IterationResult) -> float:
    return iteration.finished_s - iteration.started_s


def _suite(name: str, seconds: float) -> ET.Element:
    return ET.Element("testsuite", name=_clean(f"perfscale.{name}"), time=_seconds(seconds))


def _case(suite: ET.Element, name: str, seconds: float) -> ET.Element:
    return ET.SubElement(
        suite,
        "testcase",
        name=_clean(name),
        classname=suite.get("name", ""),
        time=_seconds(seconds),
    )


def _fail(case: ET.Element, message: str, problems: Sequence[str]) -> None:
    failure = ET.SubElement(case, "failure", message=_clean(message), type="failure")
    failure.text = _clean("\n".join(problems))


def _seconds(seconds: float) -> str:
    return f"{seconds:.3f}"


def _clean(text: str) -> str:
    return _NOT_XML.sub("\ufffd", visible(text))
