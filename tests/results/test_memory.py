"""The end of a run, in memory that hardly grows with the number of its objects."""

import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest
from journals import INFO, passed
from run_folders import PATH, VMI

from perfscale.results import (
    IterationFacts,
    ObjectRecord,
    OperationOutcome,
    OperationRecord,
    OperationTallies,
    Outcome,
    RunFolder,
    RunResult,
    RunTally,
    WorkloadPlan,
)
from perfscale.results.measure.operations import latencies, tally
from perfscale.results.pages import write_page

FEW, MANY = 4000, 8000
AT_ONCE: Final = 100
MOST_EACH: Final = 400
"""Bytes for each further object: 19 samples of eight bytes, arrays that grow by an eighth more
than they need, and a latency that is being sorted. A record takes some two thousand."""


def records(count: int) -> Iterator[list[ObjectRecord]]:
    """VMIs that became ready and went, a batch at a time."""
    for first in range(1, count + 1, AT_ONCE):
        yield [vmi(number) for number in range(first, first + AT_ONCE)]


def vmi(number: int) -> ObjectRecord:
    sent_s = number / 500
    phases = {phase: sent_s + place + number % 7 / 10 for place, phase in enumerate(PATH)}
    stamps = {phase: f"2026-01-02T03:04:0{place}Z" for place, phase in enumerate(PATH)}
    return ObjectRecord(
        kind=VMI, namespace="density-1", name=f"vmi-{number}", uid=f"uid-{number}",
        workload="density", iteration=1, replica=number, outcome=Outcome.READY, error=None,
        scheduled_s=sent_s, admitted_s=sent_s, sent_s=sent_s, created_s=sent_s + 0.1,
        phases_s=phases, ready_s=sent_s + 4, delete_requested_s=20.0, deleted_s=sent_s + 21,
        server={"creationTimestamp": "2026-01-02T03:04:00Z", "phases": stamps},
        observed_s=sent_s + 0.2,
    )  # fmt: skip


def end_run(parent: Path, count: int) -> tuple[RunFolder, RunResult]:
    """Write everything of a run, as the engine and the command do."""
    info = replace(INFO, workloads=(WorkloadPlan("density", 1, {VMI: count}, None, 1),))
    info = replace(info, paths={VMI: PATH})
    folder = RunFolder(parent)
    folder.begin(info)
    run_tally = RunTally(info.workloads, info.paths)
    tally = run_tally.open_tally(children=False)
    for batch in records(count):
        tally.add(batch)
        folder.record(batch)
    run_tally.enter(IterationFacts("density", 1, {VMI: count}, 0.0, 40.0, 0.0, ()), tally)
    result = passed(info, run_tally.close())
    folder.finish(result)
    return folder, result


def most_allocated(parent: Path, count: int) -> int:
    """Bytes at the highest point until the page is written."""
    tracemalloc.start()
    try:
        folder, result = end_run(parent, count)
        assert folder.path is not None
        write_page(folder.path)
        assert result.accounts.ready == count
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_no_object_is_held_until_the_end(tmp_path: Path) -> None:
    most_allocated(tmp_path / "first", AT_ONCE)  # with all that is imported and compiled once
    few, many = (most_allocated(tmp_path / str(count), count) for count in (FEW, MANY))
    assert (many - few) / (MANY - FEW) < MOST_EACH


def measured(count: int) -> int:
    """Bytes that a load which goes round has taken after so many operations."""
    tracemalloc.start()
    try:
        tallies = OperationTallies()
        for first in range(0, count, AT_ONCE):
            tallies.add_records([get(number) for number in range(first, first + AT_ONCE)])
        (result,) = tallies.results()
        assert result.accounts.done == count
        return tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()


def get(number: int) -> OperationRecord:
    sent_s = number / 500
    return OperationRecord(
        workload="reads", iteration=1, operation="get", kind=VMI, api_version="v1",
        namespace="density-1", name="vmi", uid="uid", outcome=OperationOutcome.DONE, error=None,
        scheduled_s=sent_s, admitted_s=sent_s, sent_s=sent_s, answered_s=sent_s + 0.01,
        done_s=sent_s + 0.01, milestones={}, counts={},
    )  # fmt: skip


def test_a_load_that_goes_round_for_long_takes_no_more_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module in (latencies, tally):
        monkeypatch.setattr(module, "MOST_EXACT", 1000)
    measured(2 * AT_ONCE)
    assert measured(20_000) < measured(5_000) + 20_000
