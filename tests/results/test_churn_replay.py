"""Churn in the journal of a run that was killed: rounds, and what of them is written by then."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from journals import created, killed_run

from perfscale.results import (
    Accounts,
    ChangeEntry,
    Entry,
    IterationEndEntry,
    IterationEntry,
    ReleaseEntry,
    RoundEntry,
    StageEntry,
    WorkloadPlan,
    rebuild_results,
)

if TYPE_CHECKING:
    from pathlib import Path

PLAN = WorkloadPlan("density", 1, {"ConfigMap": 2}, None, 1)
FIRST: list[Entry] = [
    IterationEntry(1, "density", 1, {"ConfigMap": 2}, 0.1),
    created(1, sent_s=0.2),
    created(2, sent_s=0.2),
]
GONE: list[Entry] = [
    StageEntry(1.0, "deleting", "density", 1, 1),
    ChangeEntry(n=1, delete_requested_s=1.0, replaced_in=1),
    ChangeEntry(n=1, deleted_s=1.4),
    ReleaseEntry(1, [1], []),
]
ANEW: list[Entry] = [
    RoundEntry(1, 1, 1.5, {"ConfigMap": 1}),
    created(3, sent_s=1.6, round=1),
]


def rebuilt(folder: Path, *entries: Entry) -> tuple[Accounts, list[dict[str, object]]]:
    path = killed_run(folder, entries, (PLAN,))
    result = rebuild_results(path).result
    lines = (path / "objects.ndjson").read_text().splitlines()
    return result.accounts, [json.loads(line) for line in lines]


def test_what_was_deleted_in_a_round_is_counted_and_written_before_the_iteration_is_over(
    tmp_path: Path,
) -> None:
    accounts, records = rebuilt(tmp_path / "run", *FIRST, *GONE, *ANEW)
    assert accounts == Accounts(requested=3, created=3, ready=3, deleted=1)
    rounds = [(each["name"], each["round"], each["replaced_in"]) for each in records]
    assert rounds == [("map-1", None, 1), ("map-2", None, None), ("map-3", 1, None)]


def test_a_round_that_was_cut_off_leaves_what_it_had_not_created_unattempted(
    tmp_path: Path,
) -> None:
    accounts, _ = rebuilt(tmp_path / "run", *FIRST, *GONE, RoundEntry(1, 1, 1.5, {"ConfigMap": 1}))
    assert accounts.requested == 3
    assert (accounts.ready, accounts.not_attempted, accounts.unknown) == (2, 1, 1)


def test_a_load_that_ended_by_its_time_asked_for_what_was_due_and_for_the_rounds(
    tmp_path: Path,
) -> None:
    begin = IterationEntry(1, "density", 1, {"ConfigMap": 9}, 0.1, ends=True)
    end = IterationEndEntry(1, 0.9, 0.0, [], requested={"ConfigMap": 2})
    for number, entries in enumerate(([end, *GONE, *ANEW], [*GONE, *ANEW])):
        accounts, _ = rebuilt(tmp_path / str(number), begin, *FIRST[1:], *entries)
        assert (accounts.requested, accounts.ready) == (3, 3)


def test_an_iteration_that_was_made_in_a_round_is_counted_beside_those_of_the_plan(
    tmp_path: Path,
) -> None:
    other = IterationEntry(2, "density", 2, {"ConfigMap": 2}, 2.0, round=1)
    accounts, _ = rebuilt(tmp_path / "run", *FIRST, other)
    assert (accounts.requested, accounts.ready, accounts.not_attempted) == (4, 2, 2)
