"""What a CI system makes of a run."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from journals import INFO, begins, killed_run

from perfscale.results import (
    Accounts,
    IterationResult,
    NamespaceCounts,
    Rate,
    RunOutcome,
    RunResult,
    ThresholdVerdict,
    WatchCounts,
    WorkloadResult,
    rebuild_results,
)
from perfscale.results.export.junit import junit

Suites = dict[str, dict[str, str | None]]
"""Of each suite its cases, with what is said of those that did not pass."""


def iteration(number: int, *problems: str) -> IterationResult:
    return IterationResult(
        iteration=number, started_s=10.0 * number, finished_s=10.0 * number + 2.5,
        accounts=Accounts(), children=Accounts(), rate=Rate(None, None, 0.0),
        kinds={}, child_kinds={}, problems=problems,
    )  # fmt: skip


def workload(*iterations: IterationResult, count: int = 1) -> WorkloadResult:
    return WorkloadResult(
        name="density", iteration_count=count, iterations=iterations,
        accounts=Accounts(), children=Accounts(), rate=Rate(None, None, 0.0),
        kinds={}, child_kinds={},
    )  # fmt: skip


def run(*workloads: WorkloadResult, **known: Any) -> RunResult:
    result = RunResult(
        info=INFO, finished_at=datetime(2026, 1, 2, 3, 5, 5, tzinfo=UTC), duration_s=60.0,
        outcome=RunOutcome.PASSED, exit_code=0, problems=(), error=None, remains=False,
        accounts=Accounts(), children=Accounts(), watch=WatchCounts(),
        namespaces=NamespaceCounts(), requests={}, workloads=workloads,
    )  # fmt: skip
    return replace(result, **known)


def verdict(text: str, *, workload: str | None = None, passed: bool = False) -> ThresholdVerdict:
    return ThresholdVerdict(
        workload, "vmiReady", "p99", "max", 30.0, "seconds", 12.0, passed, None, text
    )


def read(text: str) -> Suites:
    """Read the document, having checked that its counts are those of its cases."""
    root = ET.fromstring(text)  # noqa: S314 -- it is our own
    found: Suites = {}
    for suite in root.findall("testsuite"):
        cases = suite.findall("testcase")
        assert suite.attrib["tests"] == str(len(cases))
        assert suite.attrib["failures"] == str(len(suite.findall("testcase/failure")))
        assert suite.attrib["skipped"] == str(len(suite.findall("testcase/skipped")))
        assert suite.attrib["timestamp"] == "2026-01-02T03:04:05"
        assert {case.attrib["classname"] for case in cases} == {suite.attrib["name"]}
        found[suite.attrib["name"]] = {case.attrib["name"]: told_of(case) for case in cases}
    assert root.attrib["tests"] == str(sum(len(cases) for cases in found.values()))
    assert float(root.attrib["time"]) == 60.0
    return found


def told_of(case: ET.Element) -> str | None:
    failure, skipped = case.find("failure"), case.find("skipped")
    if skipped is not None:
        return f"skipped: {skipped.attrib['message']}"
    if failure is None:
        return None
    assert failure.attrib["message"]
    return failure.text


def test_a_run_in_which_all_went_well_has_only_passed_tests() -> None:
    kept = (verdict("fine", passed=True), verdict("fine", workload="density", passed=True))
    suites = read(junit(run(workload(iteration(1), iteration(2), count=2), thresholds=kept)))
    threshold = "vmiReady p99 at most 30s"
    assert suites == {
        "perfscale.run": {"run": None, threshold: None},
        "perfscale.density": {"iteration 1": None, "iteration 2": None, threshold: None},
    }


def test_what_went_wrong_stands_where_it_did() -> None:
    missed = (verdict("too slow", workload="density"), verdict("slow, all in all"))
    result = run(
        workload(iteration(1), iteration(2, "timed out after 1s waiting", "1 failed"), count=9),
        outcome=RunOutcome.FAILED,
        problems=(
            "the cluster went away",
            "density, iteration 2: timed out after 1s waiting",
            "density, iteration 2: 1 failed",
            *(each.text for each in missed),
        ),
        thresholds=missed,
    )
    suites = read(junit(result))
    threshold = "vmiReady p99 at most 30s"
    assert suites["perfscale.run"] == {
        "run": "the cluster went away", threshold: "slow, all in all",
    }  # fmt: skip
    assert suites["perfscale.density"] == {
        "iteration 1": None,
        "iteration 2": "timed out after 1s waiting\n1 failed",
        "iterations 3 to 9": "skipped: not attempted",
        threshold: "too slow",
    }


def test_an_interrupted_run_did_not_pass() -> None:
    result = run(outcome=RunOutcome.INTERRUPTED, problems=("interrupted by SIGINT",))
    assert read(junit(result)) == {"perfscale.run": {"run": "interrupted by SIGINT"}}


@pytest.mark.parametrize(
    ("said", "read_as"),
    [
        ("<script>alert(1)</script>\"'&", "<script>alert(1)</script>\"'&"),
        ("bell \a, null \0, half \ud800", "bell \\x07, null \\x00, half \ufffd"),
        ("Grüße, 世界 \U0001f600", "Grüße, 世界 \U0001f600"),
    ],
)
def test_whatever_a_cluster_says_is_text(said: str, read_as: str) -> None:
    text = junit(run(workload(iteration(1, said))))
    assert read(text)["perfscale.density"]["iteration 1"] == read_as


def test_it_is_written_with_the_report(tmp_path: Path) -> None:
    folder = killed_run(tmp_path / "density-20260102T030405Z-1234", begins())
    result = rebuild_results(folder).result
    assert (folder / "junit.xml").read_text(encoding="utf-8") == junit(result)
