"""Which runs count against the cluster, and which do not."""

from __future__ import annotations

from typing import Any

import pytest
from searches import run

from perfscale.errors import ThresholdError, UnreachableError
from perfscale.results import (
    Accounts,
    GeneratorHealth,
    RunOutcome,
    ThresholdVerdict,
    Validity,
    Vitals,
)
from perfscale.search.deciding.trials import Verdict
from perfscale.search.judging import judge_run


def threshold(value: float | None, *, passed: bool = False) -> ThresholdVerdict:
    return ThresholdVerdict(
        "density", "vmiReady", "p99", "max", 5.0, "seconds", value, passed, None, "p99 is 7s"
    )


MISSED = {
    "outcome": RunOutcome.FAILED,
    "exit_code": 3,
    "thresholds": (threshold(7.0),),
    "problems": ("p99 is 7s",),
}


def test_a_run_that_met_its_thresholds_holds() -> None:
    assert judge_run(run(thresholds=(threshold(3.0, passed=True),))).verdict is Verdict.HOLDS


def test_a_run_that_missed_one_is_lost_and_says_which() -> None:
    assert judge_run(run(**MISSED)) == (Verdict.LOST, ("p99 is 7s",))


def test_a_run_that_a_threshold_has_ended_is_lost() -> None:
    assert judge_run(run(**MISSED, error=ThresholdError("p99"))).verdict is Verdict.LOST


def test_objects_that_are_not_ready_in_time_lose_a_percentile() -> None:
    missed = {**MISSED, "thresholds": (threshold(None),), "accounts": Accounts(unready=50)}
    assert judge_run(run(**missed)).verdict is Verdict.LOST


def test_a_percentile_that_refused_objects_keep_from_being_reached_is_no_loss() -> None:
    refused = ("50 VirtualMachineInstance failed: exceeded quota",)
    accounts = Accounts(failed=50)
    missed = {**MISSED, "thresholds": (threshold(None),), "accounts": accounts}
    assert judge_run(run(**{**missed, "problems": refused})) == (Verdict.NOT_COUNTED, refused)


def test_a_run_that_failed_for_another_reason_is_not_counted() -> None:
    problems = ("3 objects left over",)
    failed = run(outcome=RunOutcome.FAILED, exit_code=1, problems=problems)
    assert judge_run(failed) == (Verdict.NOT_COUNTED, problems)


def test_a_cluster_that_was_lost_has_not_lost_its_threshold() -> None:
    gone = run(**{**MISSED, "exit_code": 4}, error=UnreachableError("the server is gone"))
    assert judge_run(gone).verdict is Verdict.NOT_COUNTED


@pytest.mark.parametrize("known", [{}, MISSED])
@pytest.mark.parametrize("verdict", [Validity.GENERATOR_LIMITED, Validity.GENERATOR_LOST])
def test_a_run_whose_generator_was_the_limit_or_was_lost_is_not_counted_and_says_why(
    verdict: Validity, known: dict[str, Any]
) -> None:
    why = ("density: the event loop took 97% of a core (CPU)",)
    health = GeneratorHealth(verdict, why, Vitals())
    assert judge_run(run(**known, generator=health)) == (Verdict.NOT_COUNTED, why)


def test_an_uncertain_run_counts() -> None:
    health = GeneratorHealth(Validity.UNCERTAIN, ("a watch was blind",), Vitals())
    assert judge_run(run(**MISSED, generator=health)).verdict is Verdict.LOST


def test_an_interrupted_run_says_nothing() -> None:
    interrupted = {**MISSED, "outcome": RunOutcome.INTERRUPTED, "exit_code": 130}
    assert judge_run(run(**interrupted)).verdict is None
