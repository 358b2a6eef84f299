"""Thresholds judged: what is met, what is missed and by how much, and what nobody can say."""

from dataclasses import replace
from typing import Any

import pytest

from perfscale.config import Threshold
from perfscale.results import (
    Accounts,
    CallResult,
    KindResult,
    LatencySamples,
    OperationAccounts,
    OperationResult,
    Rate,
    WorkloadResult,
)
from perfscale.results.model.run import ThresholdVerdict
from perfscale.results.verdicts.thresholds import judge_threshold

VMI = "VirtualMachineInstance"
ALL_READY = Accounts(requested=4, created=4, ready=4, deleted=4)


def samples(*values: float, missing: int = 0) -> LatencySamples:
    result = LatencySamples()
    for value in values:
        result.add(value)
    for _ in range(missing):
        result.add_missing()
    return result


def kind(*ready: float, missing: int = 0) -> KindResult:
    return KindResult(
        Accounts(),
        phases={"Ready": samples(*ready, missing=missing).summarize()},
        deletion=samples(0.5).summarize(),
        creation=samples(0.25).summarize(),
    )


def calls(verb: str, **counts: Any) -> CallResult:
    counts = {"timeouts": 0, "connection_errors": 0, "retries": 0, **counts}
    return CallResult(verb, "pods", throttled_s=0.0, latency=samples().summarize(), **counts)


def workload(**known: Any) -> WorkloadResult:
    fields: dict[str, Any] = {
        "name": "density", "iteration_count": 1, "accounts": ALL_READY, "children": Accounts(),
        "rate": Rate(20.0, 18.0, 0.0, share=0.9, sent=19.0, sent_share=0.95),
        "kinds": {VMI: kind(1.0, 2.0, 3.0, 4.0)},
        "child_kinds": {}, "iterations": (), **known,
    }  # fmt: skip
    return WorkloadResult(**fields)


def judged(result: WorkloadResult, **threshold: Any) -> ThresholdVerdict:
    return judge_threshold(Threshold.model_validate(threshold), result, result.name)


@pytest.mark.parametrize(
    ("threshold", "value"),
    [
        ({"metric": "vmiReady", "quantile": "p50", "max": "2500ms"}, 2.5),
        ({"metric": "vmiReady", "quantile": "max", "max": "4s"}, 4.0),
        ({"metric": "vmiReady", "quantile": "mean", "max": "3s"}, 2.5),
        ({"metric": "vmiDeletion", "quantile": "p99.9", "max": "1s"}, 0.5),
        ({"metric": "vmiCreation", "quantile": "p99", "max": "1s"}, 0.25),
        ({"metric": "failed", "max": 0}, 0.0),
        ({"metric": "achievedQps", "min": 18}, 18.0),
        ({"metric": "achievedQps", "min": "90%"}, 90.0),
        ({"metric": "sentQps", "min": 19}, 19.0),
        ({"metric": "sentQps", "min": "95%"}, 95.0),
    ],
)
def test_a_threshold_is_met_up_to_its_bound(threshold: dict[str, Any], value: float) -> None:
    verdict = judged(workload(), **threshold)
    assert (verdict.passed, verdict.value, verdict.missed_by) == (True, value, None)


@pytest.mark.parametrize(
    ("threshold", "missed_by", "text"),
    [
        (
            {"metric": "vmiReady", "quantile": "max", "max": "2500ms"}, 1.5,
            "density: vmiReady max is 4s, 1.5s more than 2.5s",
        ),
        (
            {"metric": "achievedQps", "min": "95%"}, 5.0,
            "density: achievedQps is 90%, 5 points less than 95%",
        ),
        (
            {"metric": "achievedQps", "min": 20}, 2.0,
            "density: achievedQps is 18/s, 2/s less than 20",
        ),
    ],
)  # fmt: skip
def test_one_that_is_missed_says_by_how_much(
    threshold: dict[str, Any], missed_by: float, text: str
) -> None:
    verdict = judged(workload(), **threshold)
    assert (verdict.passed, verdict.missed_by, verdict.text) == (False, missed_by, text)


READY = {"metric": "vmiReady", "quantile": "p99", "max": "1h"}


@pytest.mark.parametrize(
    ("result", "threshold"),
    [
        (workload(kinds={}), READY),
        (workload(kinds={VMI: kind()}), READY),
        (workload(), {"metric": "podReady", "quantile": "p50", "max": "1h"}),
        (workload(), {"metric": "vmiRunning", "quantile": "p50", "max": "1h"}),
        (workload(rate=Rate(20.0, None, 0.0)), {"metric": "achievedQps", "min": 1}),
        (workload(rate=Rate(None, 18.0, 0.0)), {"metric": "achievedQps", "min": "1%"}),
        (
            workload(accounts=Accounts(requested=4, not_attempted=4)),
            {"metric": "failed", "max": "100%"},
        ),
        (workload(), {"metric": "apiErrors", "max": 100}),
    ],
)
def test_one_without_a_sample_is_missed(result: WorkloadResult, threshold: dict[str, Any]) -> None:
    verdict = judged(result, **threshold)
    assert (verdict.passed, verdict.value, verdict.missed_by) == (False, None, None)
    assert "has no sample; at " in verdict.text


def test_a_percentile_that_was_not_reached_is_missed_however_large_the_bound() -> None:
    verdict = judged(workload(kinds={VMI: kind(1.0, missing=1)}), **READY)
    assert (verdict.passed, verdict.value) == (False, None)
    assert "was not reached, as 1 of 2 are missing; at most 1h is wanted" in verdict.text


def test_where_no_object_is_of_the_kind_its_children_are_judged() -> None:
    machines = workload(kinds={"VirtualMachine": kind(9.0)}, child_kinds={VMI: kind(5.0)})
    assert judged(machines, **READY).value == 5.0
    assert judged(workload(child_kinds={VMI: kind(50.0)}), **READY).value == 3.97


def test_a_kind_of_the_same_name_in_another_group_is_not_judged() -> None:
    theirs = replace(kind(50.0), api_version="vmoperator.example.com/v1")
    ours = replace(kind(5.0), api_version="kubevirt.io/v1")
    both = {f"{VMI}.vmoperator.example.com": theirs, f"{VMI}.kubevirt.io": ours}
    assert judged(workload(kinds=both), **READY).value == 5.0
    assert judged(workload(kinds={VMI: theirs}), **READY).value is None


def test_objects_count_as_shares_of_those_that_were_requested() -> None:
    accounts = Accounts(requested=8, created=7, ready=5, failed=2, unready=1, leftover=4)
    result = workload(accounts=accounts)
    assert judged(result, metric="failed", max="25%").value == 25.0
    assert judged(result, metric="unready", max=0).missed_by == 1.0
    assert judged(result, metric="leftover", max=4).passed


def test_errors_are_what_was_not_answered_throttled_failed_or_refused_a_change() -> None:
    result = workload(
        calls=(
            calls("create", statuses={201: 90, 403: 1, 429: 2}, timeouts=1, retries=5),
            calls("get", statuses={200: 1, 404: 3, 500: 1}, connection_errors=1),
        )
    )
    assert judged(result, metric="apiErrors", max=0).value == 6.0
    assert judged(result, metric="apiErrors", max="6%").passed
    assert judged(result, metric="apiRetries", max=5).passed


def restarts(
    *effects: float, missing: int = 0, failed: int = 0, kind: str = "VM"
) -> OperationResult:
    requested = len(effects) + missing + failed
    effect = samples(*effects, missing=missing + failed).summarize()
    return OperationResult(
        operation="restart",
        kind=kind,
        api_version="kubevirt.io/v1",
        accounts=OperationAccounts(
            requested=requested, done=len(effects), failed=failed, unfinished=missing
        ),
        response=samples(*(0.25 for _ in range(requested))).summarize(),
        effect=effect,
        milestones={"Gone": samples(1.0, 2.0).summarize()},
        time_in={"Gone": samples(3.0, 4.0).summarize()},
    )


@pytest.mark.parametrize(
    ("threshold", "value"),
    [
        ({"metric": "restartEffect", "quantile": "max", "max": "8s"}, 8.0),
        ({"metric": "restartResponse", "quantile": "p50", "max": "1s"}, 0.25),
        ({"metric": "restartGone", "quantile": "max", "max": "2s"}, 2.0),
        ({"metric": "restartTimeInGone", "quantile": "max", "max": "4s"}, 4.0),
        ({"metric": "unfinished", "max": 0}, 0.0),
    ],
)
def test_operations_have_thresholds_as_creates_do(threshold: dict[str, Any], value: float) -> None:
    result = workload(operations=(restarts(2.0, 4.0, 8.0),), accounts=Accounts())
    verdict = judged(result, **threshold)
    assert (verdict.passed, verdict.value) == (True, value)


def test_an_operation_that_is_not_done_counts_as_slowest_and_in_the_share_that_failed() -> None:
    result = workload(operations=(restarts(2.0, missing=1, failed=1),), accounts=Accounts())
    effect = judged(result, metric="restartEffect", quantile="p99", max="1h")
    assert effect.text == (
        "density: restartEffect p99 was not reached, as 2 of 3 are missing; at most 1h is wanted"
    )
    assert judged(result, metric="failed", max="50%").value == pytest.approx(100 / 3, abs=1e-3)
    assert judged(result, metric="unfinished", max=0).value == 1


def test_of_several_kinds_the_slowest_is_judged() -> None:
    result = workload(operations=(restarts(2.0), restarts(9.0, kind="Other")))
    assert judged(result, metric="restartEffect", quantile="p50", max="3s").value == 9.0
