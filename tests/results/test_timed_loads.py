"""Loads that end by their time, in the journal of a run that was killed."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from journals import INFO, begins, created, killed_run

from perfscale.results import (
    Accounts,
    DueEntry,
    Entry,
    IterationEndEntry,
    IterationEntry,
    RoundEntry,
    WorkloadPlan,
    rebuild_results,
)

(PLAN,) = INFO.workloads
TIMED = msgspec.structs.replace(PLAN, objects={"ConfigMap": 200}, ends=True)


def timed(*more: Entry) -> list[Entry]:
    """The first iteration, of a hundred objects at most, of which two were sent."""
    entries = begins()
    return [
        IterationEntry(1, "density", 1, {"ConfigMap": 100}, 0.1, ends=True),
        *entries[1:],
        *more,
    ]


def test_of_a_timed_load_that_was_killed_what_may_have_come_after_the_journal_is_unknown(
    tmp_path: Path,
) -> None:
    due = [DueEntry(1, at_s, {"ConfigMap": count}) for at_s, count in ((0.1, 4), (0.6, 9))]
    folder = killed_run(tmp_path / "run", timed(*due), (TIMED,))
    made = rebuild_results(folder).result
    assert made.accounts == Accounts(
        requested=9, created=1, ready=1, failed=1, not_attempted=7, unknown=8
    )
    assert "whether 8 of 9 objects were created is unknown" in made.problems[-1]


def test_of_a_timed_load_and_its_churn_both_may_have_gone_on_after_the_journal(
    tmp_path: Path,
) -> None:
    more = [DueEntry(1, 0.6, {"ConfigMap": 4}), RoundEntry(1, 1, 0.7, {"ConfigMap": 2})]
    folder = killed_run(tmp_path / "run", timed(*more), (TIMED,))
    accounts = rebuild_results(folder).result.accounts
    assert (accounts.requested, accounts.not_attempted, accounts.unknown) == (6, 4, 5)


def test_what_was_due_and_never_sent_when_a_load_ended_was_not_attempted(tmp_path: Path) -> None:
    end = IterationEndEntry(1, 9.0, 0.0, [], requested={"ConfigMap": 5})
    folder = killed_run(tmp_path / "run", timed(end), (TIMED,))
    accounts = rebuild_results(folder).result.accounts
    assert accounts.balanced
    assert (accounts.requested, accounts.not_attempted) == (5, 3)


@pytest.mark.parametrize("steady", [True, False])
def test_the_target_of_a_rate_that_moves_is_what_was_offered(tmp_path: Path, steady: bool) -> None:
    plan: WorkloadPlan = msgspec.structs.replace(PLAN, qps=50.0, steady=steady)
    due = [0.0, 1.0, 1.5, 1.75]
    objects = [created(n, sent_s=at_s, scheduled_s=at_s) for n, at_s in enumerate(due, start=1)]
    entries = [IterationEntry(1, "density", 1, {"ConfigMap": 4}, 0.0), *objects]
    folder = killed_run(tmp_path / "run", entries, (plan,))
    rate = rebuild_results(folder).result.workloads[0].rate
    assert rate.offered == pytest.approx(3 / 1.75)
    assert rate.target == (50.0 if steady else rate.offered)
    assert rate.sent_share == pytest.approx(3 / 50 / 1.75 if steady else 1.0)
