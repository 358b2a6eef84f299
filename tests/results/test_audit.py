"""An audit that comes after the run has its place in the run's verdict, summary and folder."""

import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from journals import begins, killed_run

from perfscale.errors import ResultsError
from perfscale.results import (
    AuditedSeries,
    AuditedTime,
    AuditedValue,
    AuditRecord,
    RunOutcome,
    RunResult,
    rebuild_results,
    summarize,
    with_audit,
)
from perfscale.results.export.junit import junit

TIME = AuditedTime(
    start="2026-01-02T03:04:05+00:00",
    end="2026-01-02T03:05:05+00:00",
    range_seconds=62,
    values={"p95": AuditedValue(61.0, "seconds", 60.0, exceeded=True), "x": AuditedValue(1.0)},
    without_data=["y"],
)
RECORD = AuditRecord(
    prometheus="http://localhost:9090",
    profile="kubevirt",
    scrape_interval_seconds=1.0,
    data_until="2026-01-02T03:05:06+00:00",
    exit_code=3,
    problems=("audit: p95 61 seconds, above 60",),
    total=TIME,
    workloads=(TIME,),
    series=(AuditedSeries("load", "runs", [(0.0, 1.0), (1.0, None)]),),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return killed_run(tmp_path / "run", begins())


@pytest.fixture
def result(folder: Path) -> RunResult:
    return rebuild_results(folder).result


@pytest.mark.parametrize(
    ("run", "audit", "stands"),
    [
        (0, 0, 0),
        (0, 3, 3),
        (0, 1, 1),
        (0, 4, 4),
        (1, 3, 1),
        (3, 1, 1),
        (1, 4, 4),
        (3, 3, 3),
        (70, 4, 70),
        (130, 4, 130),
        (137, 3, 137),
    ],
)
def test_the_graver_exit_code_stands(result: RunResult, run: int, audit: int, stands: int) -> None:
    before = replace(result, exit_code=run)
    assert with_audit(before, replace_exit_code(audit)).exit_code == stands


def replace_exit_code(code: int) -> AuditRecord:
    return AuditRecord("http://x", "kubevirt", 1.0, None, code)


@pytest.mark.parametrize(
    ("outcome", "code", "after"),
    [
        (RunOutcome.PASSED, 0, RunOutcome.PASSED),
        (RunOutcome.PASSED, 3, RunOutcome.FAILED),
        (RunOutcome.INTERRUPTED, 3, RunOutcome.INTERRUPTED),
        (RunOutcome.KILLED, 1, RunOutcome.KILLED),
    ],
)
def test_a_run_that_passed_has_failed_if_its_audit_did(
    result: RunResult, outcome: RunOutcome, code: int, after: RunOutcome
) -> None:
    before = replace(result, outcome=outcome)
    assert with_audit(before, replace_exit_code(code)).outcome is after


def test_the_summary_has_values_and_verdicts_but_no_series(result: RunResult) -> None:
    assert summarize(result)["audit"] is None
    summary = summarize(with_audit(replace(result, problems=("first",)), RECORD))
    assert summary["problems"] == ["first", "audit: p95 61 seconds, above 60"]
    audit = summary["audit"]
    assert audit["prometheus"] == "http://localhost:9090"
    assert audit["total"]["rangeSeconds"] == 62
    assert audit["total"]["values"] == {
        "p95": {"value": 61.0, "unit": "seconds", "limit": 60.0, "exceeded": True},
        "x": {"value": 1.0},
    }
    assert "series" not in audit
    json.dumps(summary)


def parsed(result: RunResult) -> ET.Element:
    return ET.fromstring(junit(result))  # noqa: S314 -- our own


def cases(result: RunResult) -> dict[str, str | None]:
    """The test cases of the audit for CI systems, and how those that failed did."""
    found = {}
    for case in parsed(result).findall("testsuite[@name='perfscale.audit']/testcase"):
        failure = case.find("failure")
        found[case.get("name", "")] = None if failure is None else failure.get("message")
    return found


def test_each_threshold_is_a_test_case_for_ci_systems(result: RunResult) -> None:
    audited = with_audit(replace(result, outcome=RunOutcome.PASSED, problems=()), RECORD)
    assert cases(audited) == {"queries": None, "p95 at most 60": "61 seconds"}
    run = parsed(audited).find("testsuite[@name='perfscale.run']")
    assert run is not None
    assert run.get("failures") == "0"


def test_queries_that_failed_are_a_test_case_that_failed(result: RunResult) -> None:
    record = AuditRecord("http://x", "kubevirt", 1.0, None, 4, ("audit: away",))
    assert cases(with_audit(result, record)) == {"queries": "audit: away"}


def test_a_report_that_is_made_again_has_the_audit(folder: Path) -> None:
    (folder / "audit.json").write_text(json.dumps(RECORD.as_json()), encoding="utf-8")
    result = rebuild_results(folder).result
    assert result.audit == RECORD
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    assert summary["audit"]["exitCode"] == 3


def test_a_file_that_describes_no_audit_is_named(folder: Path) -> None:
    (folder / "audit.json").write_text('{"prometheus": 1}')
    with pytest.raises(ResultsError, match=r"run/audit.json: it does not describe an audit"):
        rebuild_results(folder)
