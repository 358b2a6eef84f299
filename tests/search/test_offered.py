"""Whether a run has shown anything of the value that it was for, once it is over."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from searches import run, workload

from perfscale.errors import ThresholdError
from perfscale.results import (
    Accounts,
    GeneratorHealth,
    Rate,
    RunResult,
    Validity,
    Vitals,
    WorkloadResult,
)
from perfscale.results.model.client.health import InFlight
from perfscale.search import Varied, Verdict
from perfscale.search.judging import Judged
from perfscale.search.offering import Offered, changed_keys, judge_offered

RATE = Rate(
    target=40.0, achieved=39.8, held_back_s=1.0, share=0.995, seconds=5.0, offered=40.0, sent=40.0,
    sent_share=1.0, sent_seconds=5.0, creates=200, burst=1,
)  # fmt: skip
HOLDS = Judged(Verdict.HOLDS)
LOST = Judged(Verdict.LOST, ("p99 is 7s",))


def result(*rates: Rate, in_flight: int = 300, **known: Any) -> RunResult:
    workloads = tuple(
        WorkloadResult(
            accounts=Accounts(), children=Accounts(), rate=rate, kinds={}, child_kinds={},
            name="density", iteration_count=1, iterations=(),
        )
        for rate in rates
    )  # fmt: skip
    vitals = Vitals(in_flight=InFlight(limit=256, max=in_flight))
    health = GeneratorHealth(Validity.VALID, (), vitals)
    return replace(run(**known), workloads=workloads, generator=health)


def judged(
    folder: Path, vary: str, ran: RunResult, verdict: Judged = HOLDS, value: float = 40, **keys: Any
) -> Judged:
    varied = Varied(workload(folder, 400, **keys), (), vary)
    step = Offered(varied.at(value), changed_keys(varied, 5, value), "", ran)
    return judge_offered(verdict, step)


@pytest.mark.parametrize("verdict", [HOLDS, LOST])
def test_a_rate_that_was_offered_and_taken_counts(tmp_path: Path, verdict: Judged) -> None:
    assert judged(tmp_path, "qps", result(RATE), verdict) == verdict


@pytest.mark.parametrize("verdict", [HOLDS, LOST])
def test_a_value_without_effect_counts_neither_way_and_says_what_to_do(
    tmp_path: Path, verdict: Judged
) -> None:
    found = judged(tmp_path, "globalConfig.qps", result(RATE), verdict, qps=20)
    assert found.verdict is Verdict.NOT_COUNTED
    why, way = found.reasons
    assert why == "the limit holds nothing back: no more than 20 requests a second are due"
    assert way.startswith("the way out: vary qps")


def test_a_threshold_that_has_ended_the_load_before_it_came_to_its_value_is_lost(
    tmp_path: Path,
) -> None:
    ran = result(RATE, error=ThresholdError("p99"))
    assert judged(tmp_path, "globalConfig.qps", ran, LOST, qps=20) == LOST


@pytest.mark.parametrize(
    ("rate", "why"),
    [
        ({"sent": 20.0, "sent_share": 0.5}, "density: 20 creates a second were sent, of 40 wanted"),
        ({"achieved": 20.0, "share": 0.5}, "density: 20 creates a second were accepted, of 40"),
    ],
)
def test_a_rate_that_the_server_did_not_take_does_not_hold_and_may_be_lost(
    tmp_path: Path, rate: dict[str, Any], why: str
) -> None:
    ran = result(replace(RATE, **rate))
    found = judged(tmp_path, "qps", ran)
    assert found.verdict is Verdict.NOT_COUNTED
    assert why in found.reasons[0]
    assert "achievedQps" in found.reasons[1]
    assert judged(tmp_path, "qps", ran, LOST) == LOST


def test_the_time_of_one_answer_at_the_end_is_no_rate_that_was_not_taken(tmp_path: Path) -> None:
    short = replace(RATE, achieved=30.0, share=0.75, seconds=0.5)
    assert judged(tmp_path, "qps", result(short)) == HOLDS


def test_a_few_requests_that_are_over_at_once_do_not_hold_at_every_rate(tmp_path: Path) -> None:
    few = replace(RATE, target=640.0, achieved=150.0, share=0.23, seconds=0.13, creates=20)
    found = judged(tmp_path, "qps", result(few), value=640)
    assert found.verdict is Verdict.NOT_COUNTED
    assert "density: 150 creates a second were accepted, of 640 wanted" in found.reasons[0]


def test_a_rate_of_which_only_a_burst_was_sent_is_not_counted(tmp_path: Path) -> None:
    found = judged(tmp_path, "qps", result(replace(RATE, creates=8)), LOST)
    assert found.verdict is Verdict.NOT_COUNTED
    assert "fewer than 10 requests came after its burst" in found.reasons[0]


@pytest.mark.parametrize(("accepted", "verdict"), [(39.0, "holds"), (20.0, "notCounted")])
def test_a_limit_of_the_run_holds_only_if_it_was_reached(
    tmp_path: Path, accepted: float, verdict: str
) -> None:
    ran = result(replace(RATE, target=None, achieved=accepted))
    found = judged(tmp_path, "globalConfig.qps", ran)
    assert found.verdict == verdict
    if verdict != "holds":
        assert "the limit was never reached: 20 requests a second" in found.reasons[0]


@pytest.mark.parametrize("vary", ["maxInFlight", "workloads[0].maxInFlight"])
@pytest.mark.parametrize("verdict", [HOLDS, LOST])
def test_a_bound_that_was_never_reached_is_not_counted(
    tmp_path: Path, vary: str, verdict: Judged
) -> None:
    assert judged(tmp_path, vary, result(RATE, in_flight=40), verdict) == verdict
    found = judged(tmp_path, vary, result(RATE, in_flight=39), verdict)
    assert found.verdict is Verdict.NOT_COUNTED
    assert "the bound was never reached: 39 requests in flight at most" in found.reasons[0]


def test_a_bound_of_a_workload_that_kept_nothing_waiting_is_not_counted(tmp_path: Path) -> None:
    ran = result(replace(RATE, held_back_s=0.0))
    assert judged(tmp_path, "workloads[0].maxInFlight", ran).verdict is Verdict.NOT_COUNTED


def test_objects_that_were_not_all_due_are_not_counted(tmp_path: Path) -> None:
    found = judged(tmp_path, "replicas", result(RATE), value=400, qps=20, duration="10s")
    assert found.verdict is Verdict.NOT_COUNTED
    assert "the load is over after 200 of the 400 objects" in found.reasons[0]
