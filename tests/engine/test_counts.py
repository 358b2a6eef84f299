"""What is counted of objects for whoever looks on during a run."""

from collections.abc import Iterable

import pytest
from tracker_story import VMI, Story

from perfscale.engine.accounting.counts import ObjectCounter
from perfscale.engine.snapshot import ObjectCounts
from perfscale.engine.tracking.rows import TrackedObject, Transition
from perfscale.results import WorkloadPlan

PLAN = WorkloadPlan("density", 2, {VMI.kind: 6}, 20.0, 20)


class Counted:
    """A story whose changes are counted."""

    def __init__(self) -> None:
        self.story = Story()
        self.counter = ObjectCounter()

    def take(self, changes: Iterable[Transition]) -> None:
        for each in changes:
            self.counter.change(each.subject, each.kind)

    def sent(self, name: str) -> TrackedObject:
        row = self.story.sent(self.story.iteration(), name)
        self.counter.send(row)
        return row

    @property
    def told(self) -> ObjectCounts:
        (counts,) = self.counter.counts([PLAN])
        return counts


def test_what_has_not_begun_is_told_with_zeros() -> None:
    told = Counted().told
    assert (told.workload, told.kind, told.requested) == ("density", VMI.kind, 6)
    assert (told.sent, told.created, told.ready, told.failed, told.deleted) == (0, 0, 0, 0, 0)


def test_an_object_counts_at_each_step_and_stays_counted_when_its_iteration_is_forgotten() -> None:
    counted = Counted()
    row = counted.sent("a")
    counted.take(counted.story.answered(row))
    counted.take(counted.story.becomes(row, "Running"))
    counted.story.tracker.request_deletion(row.scope, counted.story.tick())
    counted.take(counted.story.vanishes(row))
    counted.story.tracker.retire(row.scope)
    told = counted.told
    assert (told.sent, told.created, told.ready, told.failed, told.deleted) == (1, 1, 1, 0, 1)


def test_the_time_to_ready_is_counted_from_when_the_create_was_sent() -> None:
    counted = Counted()
    row = counted.sent("a")
    counted.take(counted.story.answered(row))
    counted.take(counted.story.becomes(row, "Running"))
    assert row.ready_s is not None
    assert row.sent_s is not None
    latency = counted.told.ready_latency.summarize()
    assert latency.count == 1
    assert latency.max == pytest.approx(row.ready_s - row.sent_s)


def test_what_is_found_out_later_counts_too_and_nothing_is_taken_back() -> None:
    counted = Counted()
    row = counted.sent("a")
    counted.take(counted.story.tracker.refuse(row, "no answer", certain=False))
    counted.take(counted.story.seen("ADDED", counted.story.metadata("a"), "Running"))
    told = counted.told
    assert (told.created, told.ready, told.failed) == (1, 1, 1)


def test_what_churn_creates_and_deletes_is_counted_by_round_and_not_with_the_first() -> None:
    counted = Counted()
    first = counted.sent("a")
    counted.take(counted.story.answered(first))
    counted.take(counted.story.becomes(first, "Running"))
    counted.story.tracker.mark_replaced(first, 1)
    first.delete_requested_s = counted.story.tick()
    counted.take(counted.story.vanishes(first))
    second = counted.sent("b")
    second.round = 1
    counted.take(counted.story.answered(second))
    counted.take(counted.story.becomes(second, "Running"))
    (came,) = counted.counter.churn()[PLAN.name, VMI.kind].rounds
    assert (came.first, came.ready.count, came.deletion.count) == (1, 1, 1)
    assert counted.told.ready_latency.summarize().count == 2
    assert counted.told.first_ready_latency.summarize().count == 1


def test_the_slowest_objects_are_known_also_when_their_iteration_is_forgotten() -> None:
    counted = Counted()
    rows = [counted.sent(name) for name in ("slow", "quick")]
    for row in reversed(rows):
        counted.take(counted.story.answered(row))
        counted.take(counted.story.becomes(row, "Running"))
    for row in rows:
        counted.story.tracker.retire(row.scope)
    assert [each.name for each in counted.counter.slowest()] == ["slow", "quick"]
    counted.counter.let_go(rows[:1])
    rows[0].error = rows[1].error = "it is looked at no more"
    assert [each.name for each in counted.counter.slowest()] == ["slow"]
