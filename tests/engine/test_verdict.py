import signal
from typing import Any

import pytest
from workloads import config, workload

from perfscale.engine.accounting.verdict import Verdict, judge
from perfscale.errors import NamespaceConflictError, ThresholdError, UnreachableError
from perfscale.results import (
    Accounts,
    IterationResult,
    NamespaceCounts,
    Rate,
    RunOutcome,
    ThresholdVerdict,
    WorkloadResult,
)


def result(accounts: Accounts, *problems: str) -> WorkloadResult:
    rate = Rate(target=None, achieved=None, held_back_s=0.0)
    measured: dict[str, Any] = {
        "accounts": accounts, "children": Accounts(), "rate": rate, "kinds": {}, "child_kinds": {},
    }  # fmt: skip
    iteration = IterationResult(
        iteration=1, started_s=0.0, finished_s=1.0, problems=problems, **measured
    )
    return WorkloadResult(name="density", iteration_count=1, iterations=(iteration,), **measured)


def judged(accounts: Accounts, *problems: str, keys: Any = None, **ending: Any) -> Verdict:
    namespaces = ending.pop("namespaces", NamespaceCounts())
    ending = {"error": None, "interrupted_by": None, **ending}
    settings = config(workload(**(keys or {})))
    return judge(settings, [result(accounts, *problems)], namespaces, **ending)


ALL_WELL = Accounts(requested=2, created=2, ready=2, deleted=2)
NO_WAITS = {
    "iterationCreationWait": False,
    "iterationCleanup": False,
    "iterationDeletionWait": False,
}


def test_a_run_in_which_all_went_well_passes() -> None:
    assert judged(ALL_WELL) == Verdict(RunOutcome.PASSED, 0, ())


@pytest.mark.parametrize(
    "accounts",
    [
        Accounts(requested=2, created=1, ready=1, failed=1, deleted=1),
        Accounts(requested=2, created=2, ready=1, unready=1, deleted=2),
        Accounts(requested=2, created=2, ready=2, deleted=1, leftover=1),
    ],
    ids=["failed", "unready", "left over"],
)
def test_anything_that_was_waited_for_in_vain_fails_the_run(accounts: Accounts) -> None:
    verdict = judged(accounts)
    assert (verdict.outcome, verdict.exit_code) == (RunOutcome.FAILED, 1)
    assert verdict.problems


def test_what_nobody_waited_for_does_not_fail_the_run() -> None:
    accounts = Accounts(requested=2, created=2, unready=2)
    assert judged(accounts, keys=NO_WAITS).exit_code == 0


def test_a_failed_object_fails_the_run_even_if_nobody_waited() -> None:
    accounts = Accounts(requested=2, created=2, unready=1, failed=1)
    assert judged(accounts, keys=NO_WAITS).exit_code == 1


def test_a_problem_is_told_once_with_its_workload_and_iteration() -> None:
    accounts = Accounts(requested=2, created=1, ready=1, failed=1)
    assert judged(accounts, "1 failed: quota").problems == (
        "density, iteration 1: 1 failed: quota",
    )


def test_a_namespace_that_stays_fails_a_run_that_waited_for_it() -> None:
    verdict = judged(ALL_WELL, namespaces=NamespaceCounts(created=1, leftover=1))
    assert verdict.exit_code == 1


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UnreachableError("gone"), 4),
        (NamespaceConflictError("theirs"), 2),
        (ValueError("ours"), 70),
    ],
)
def test_the_error_that_ended_the_run_decides_the_exit_code(error: Exception, code: int) -> None:
    accounts = Accounts(requested=2, failed=1, not_attempted=1)
    verdict = judged(accounts, error=error)
    assert (verdict.outcome, verdict.exit_code) == (RunOutcome.FAILED, code)
    assert verdict.problems[0] == str(error)


def test_an_interrupt_outranks_everything() -> None:
    accounts = Accounts(requested=2, failed=1, not_attempted=1)
    verdict = judged(accounts, error=UnreachableError("gone"), interrupted_by=signal.SIGTERM)
    assert (verdict.outcome, verdict.exit_code) == (RunOutcome.INTERRUPTED, 143)
    assert verdict.problems[0] == "interrupted by SIGTERM"


def missed(text: str = "density: vmiReady p99 is 4s, 1s more than 3s") -> ThresholdVerdict:
    return ThresholdVerdict(
        "density", "vmiReady", "p99", "max", 3.0, "seconds", 4.0, passed=False, missed_by=1.0,
        text=text,
    )  # fmt: skip


def test_a_threshold_that_is_missed_fails_a_run_in_which_all_went_well() -> None:
    verdict = judged(ALL_WELL, thresholds=[missed()])
    assert verdict == Verdict(RunOutcome.FAILED, 3, (missed().text,))


def test_an_object_that_failed_counts_for_more_than_a_threshold() -> None:
    one_failed = Accounts(requested=2, created=2, ready=1, failed=1, deleted=2)
    verdict = judged(one_failed, thresholds=[missed()])
    assert verdict.exit_code == 1
    assert verdict.problems[-1] == missed().text


def test_a_run_that_a_threshold_ended_is_not_blamed_for_what_it_did_not_wait_for() -> None:
    ended = Accounts(requested=9, created=5, ready=2, unready=3, not_attempted=4, deleted=5)
    lost = ThresholdError("vmiReady p99 cannot be met any more")
    verdict = judged(ended, error=lost, thresholds=[missed()])
    assert (verdict.outcome, verdict.exit_code) == (RunOutcome.FAILED, 3)
    assert verdict.problems[0] == str(lost)
    assert judged(ended, error=lost, problems=["the cleanup failed"]).exit_code == 1
