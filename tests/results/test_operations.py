"""Operations: their records, their accounts, and their way through a journal."""

from collections.abc import Iterable
from typing import Any

import msgspec
import pytest

from perfscale.results import (
    AnyEntry,
    BlindEntry,
    BlindSpan,
    CountedEntry,
    DueEntry,
    IterationEndEntry,
    IterationEntry,
    ObjectRecord,
    OperationAccounts,
    OperationChangeEntry,
    OperationEntry,
    OperationOutcome,
    OperationRecord,
    OperationResult,
    WorkloadPlan,
)
from perfscale.results.journal.entries import Begin
from perfscale.results.journal.replay import Replay
from perfscale.results.model.interruptions import Cause

VM = "VirtualMachine"


class Records:
    def __init__(self) -> None:
        self.operations: list[OperationRecord] = []

    def record(self, objects: Iterable[ObjectRecord], *, children: bool = False) -> None:
        assert not list(objects)
        assert children in {True, False}

    def record_operations(self, operations: Iterable[OperationRecord]) -> None:
        self.operations += operations


def begin(iterations: int = 1, operation: str = "restart") -> Begin:
    plan = WorkloadPlan("restarts", iterations, {}, None, 1, operation=operation)
    return Begin(
        schema_version=3,
        run_id="1234",
        workloads=(plan,),
        paths={},
        api_versions={VM: "kubevirt.io/v1"},
    )


def restart(number: int, **fields: Any) -> OperationEntry:
    return OperationEntry(
        n=number,
        i=1,
        operation="restart",
        kind=VM,
        namespace="density-1",
        name=f"vm-{number}",
        uid=f"uid-{number}",
        scheduled_s=1.0,
        admitted_s=1.1,
        **fields,
    )


def replayed(
    *entries: AnyEntry, iterations: int = 1, requested: int = 4, operation: str = "restart"
) -> tuple[Replay, list[OperationRecord]]:
    records = Records()
    replay = Replay(begin(iterations, operation), records)
    replay.take(IterationEntry(1, "restarts", 1, {VM: requested}, 1.0))
    for entry in entries:
        line = msgspec.json.encode(entry)
        replay.take(msgspec.json.decode(line, type=AnyEntry))
    replay.close()
    return replay, records.operations


def test_every_requested_operation_has_one_outcome() -> None:
    replay, records = replayed(
        restart(1, sent_s=1.2),
        restart(2, sent_s=1.2, answered_s=1.3),
        restart(3, sent_s=1.2, error="409 Conflict: VM is not running"),
        OperationChangeEntry(n=1, answered_s=1.4, milestones={"Gone": 2.0}),
        OperationChangeEntry(n=1, done_s=5.0),
        IterationEndEntry(1, 9.0, 0.0, [], settled=True),
    )
    by_name = {record.name: record for record in records}
    assert by_name["vm-1"].outcome is OperationOutcome.DONE
    assert by_name["vm-1"].milestones == {"Gone": 2.0}
    assert by_name["vm-1"].error is None
    assert by_name["vm-2"].outcome is OperationOutcome.UNFINISHED
    assert by_name["vm-2"].error == (
        "the effect was not seen before the wait for it, or the run, ended"
    )
    assert by_name["vm-3"].error == "409 Conflict: VM is not running"
    expected = OperationAccounts(requested=4, done=1, failed=1, unfinished=1, not_attempted=1)
    run_sum = replay.run_tally.close()
    (workload,) = run_sum.workloads
    assert expected.balanced
    (operation,) = workload.operations
    assert (operation.operation, operation.kind) == ("restart", VM)
    assert operation.api_version == "kubevirt.io/v1"
    assert operation.accounts == expected
    assert workload.iterations[0].operations == workload.operations == run_sum.operations


def test_operations_of_a_timed_load_that_was_killed_may_have_come_after_the_journal() -> None:
    records = Records()
    replay = Replay(begin(1), records)
    replay.take(IterationEntry(1, "restarts", 1, {VM: 90}, 1.0, ends=True))
    replay.take(DueEntry(1, 1.0, {VM: 5}))
    replay.take(restart(1, sent_s=1.2, answered_s=1.3, done_s=1.4))
    replay.take(DueEntry(1, 1.5, {VM: 7}))
    replay.close()
    (operation,) = replay.run_tally.close(is_cut=True).operations
    expected = OperationAccounts(requested=7, done=1, not_attempted=6, unknown=6)
    assert operation.accounts == expected
    assert expected.balanced


def test_what_was_seen_before_a_request_was_refused_and_sent_again_counts_no_more() -> None:
    _, records = replayed(
        restart(1, sent_s=1.2, milestones={"Gone": 1.3}),
        OperationChangeEntry(n=1, again=True, answered_s=2.0),
        restart(2, sent_s=1.2, milestones={"Gone": 1.3}),
        OperationChangeEntry(n=2, again=True, answered_s=2.0, milestones={"Gone": 2.5}),
        IterationEndEntry(1, 9.0, 0.0, [], settled=True),
    )
    assert [each.milestones for each in records] == [{}, {"Gone": 2.5}]


def test_what_was_not_seen_makes_uncertain_what_is_counted_after_it_became_known() -> None:
    """As in the run itself, whose journal says when operations were counted."""
    stall = BlindEntry(0, BlindSpan(Cause.GENERATOR, None, None, 1.0, 3.0))
    for entries, uncertain in (
        ([CountedEntry(1), stall], None),
        ([stall, CountedEntry(1)], 1),
        ([stall], 1),
    ):
        replay, _ = replayed(restart(1, sent_s=0.5, answered_s=0.6, done_s=2.0), *entries)
        (operation,) = replay.run_tally.close().operations
        found = operation.effect.earliest
        assert (None if found is None else found.uncertain) == uncertain


def migration(number: int, **fields: Any) -> OperationEntry:
    return msgspec.structs.replace(restart(number, **fields), operation="migrate")


def measured(*entries: AnyEntry, operation: str = "restart") -> OperationResult:
    end = IterationEndEntry(1, 90.0, 0.0, [], settled=True)
    requested = len(entries)
    replay, _ = replayed(*entries, end, requested=requested, operation=operation)
    ((result,),) = [each.operations for each in replay.run_tally.close().workloads]
    return result


def test_what_was_refused_or_never_seen_done_counts_as_slowest() -> None:
    result = measured(
        restart(1, sent_s=1.0, answered_s=1.5, done_s=4.0, milestones={"Gone": 2.0}),
        restart(2, sent_s=1.0, answered_s=1.25, milestones={"Gone": 3.0}),
        restart(3, sent_s=1.0, error="409 Conflict: VM is not running"),
        restart(4),
    )
    assert (result.response.count, result.response.missing) == (2, 1)
    assert (result.response.p50, result.response.max) == (0.5, None)
    assert (result.effect.count, result.effect.missing) == (1, 2)
    assert (result.effect.min, result.effect.p50) == (3.0, None)
    assert (result.milestones["Gone"].count, result.milestones["Gone"].missing) == (2, 1)
    assert (result.time_in["Gone"].min, result.time_in["Gone"].missing) == (2.0, 1)


def test_what_is_done_without_a_milestone_misses_nothing() -> None:
    result = measured(restart(1, sent_s=1.0, answered_s=1.5, done_s=4.0))
    assert not result.milestones
    assert result.effect.max == 3.0


def test_the_time_that_a_migration_waits_in_the_queue_stands_apart() -> None:
    phases = {"Pending": 1.5, "Scheduling": 31.5, "Running": 33.0, "Succeeded": 40.0}
    result = measured(
        migration(1, sent_s=1.0, answered_s=1.25, done_s=40.0, milestones=phases),
        migration(2, sent_s=1.0, answered_s=1.25, milestones={"Pending": 1.5}),
        operation="migrate",
    )
    assert list(result.milestones) == [
        *("Pending", "Scheduling", "Scheduled", "PreparingTarget", "TargetReady", "Running"),
        "Succeeded",
    ]
    pending = result.time_in["Pending"]
    assert (pending.count, pending.missing, pending.min) == (1, 1, 30.0)
    assert result.time_in["Scheduling"].max == 1.5
    assert result.milestones["Scheduling"].missing == 1
    assert result.milestones["Pending"].max == 0.5


def test_the_rate_of_operations_is_that_of_their_requests() -> None:
    sent = [
        restart(n, sent_s=1.0 + n / 10, answered_s=1.05 + n / 10, done_s=9.0) for n in range(21)
    ]
    late = [msgspec.structs.replace(each, scheduled_s=each.sent_s) for each in sent]
    replay, _ = replayed(*late, IterationEndEntry(1, 9.0, 0.0, [], settled=True), requested=21)
    (workload,) = replay.run_tally.close().workloads
    assert workload.rate.creates == 21
    assert workload.rate.sent == pytest.approx(10.0)
    assert workload.rate.achieved == pytest.approx(20 / 2.05)


def test_iterations_that_never_came_count_as_not_attempted() -> None:
    replay, _ = replayed(
        restart(1, sent_s=1.2, answered_s=1.3, done_s=2.0),
        IterationEndEntry(1, 9.0, 0.0, [], settled=True),
        iterations=3,
        requested=1,
    )
    (workload,) = replay.run_tally.close().workloads
    (result,) = workload.operations
    assert result.accounts == OperationAccounts(requested=3, done=1, not_attempted=2)


def test_a_load_without_a_number_of_its_own_requests_what_it_sends() -> None:
    sent = [restart(n, sent_s=1.2, answered_s=1.3, done_s=1.3) for n in range(1, 2501)]
    replay, records = replayed(*sent, IterationEndEntry(1, 9.0, 0.0, [], settled=True), requested=0)
    (workload,) = replay.run_tally.close().workloads
    assert workload.operations[0].accounts == OperationAccounts(requested=2500, done=2500)
    assert len({record.name for record in records}) == 2500


@pytest.mark.parametrize(
    ("fields", "outcome"),
    [
        ({}, OperationOutcome.NOT_ATTEMPTED),
        ({"sent_s": 1.2}, OperationOutcome.UNFINISHED),
        ({"sent_s": 1.2, "done_s": 1.3}, OperationOutcome.DONE),
        ({"sent_s": 1.2, "done_s": 1.3, "error": "gone"}, OperationOutcome.FAILED),
    ],
)
def test_what_became_of_an_operation_follows_from_its_times(
    fields: dict[str, Any], outcome: OperationOutcome
) -> None:
    _, (record,) = replayed(restart(1, **fields))
    assert record.outcome is outcome
    assert (record.error is None) is (
        outcome in {OperationOutcome.DONE, OperationOutcome.NOT_ATTEMPTED}
    )
