"""Who waits for whom at the barriers of a run."""

from perfscale.config.sections.hooks import AFTER_WORKLOAD, BEFORE_ITERATION
from perfscale.engine.sharding.coordination import Arrival, Barrier, Moment
from perfscale.fleet.meeting import Meeting

READY = Barrier(Moment.READY, "density", 1)
BEGIN = Barrier(BEFORE_ITERATION, "density", 2)
OVER = Barrier(AFTER_WORKLOAD, "density")


def test_a_barrier_waits_for_every_generator() -> None:
    meeting = Meeting(2)
    assert meeting.missing(READY) == [0, 1]
    meeting.arrive(1, READY, Arrival(count=3))
    assert meeting.missing(READY) == [0]
    meeting.arrive(0, READY, Arrival(well=False, count=4))
    assert meeting.missing(READY) == []
    release = meeting.release_of(READY, Arrival())
    assert release.counts == (4, 3)
    assert not release.well
    assert meeting.release(READY, release) == [1, 0]


def test_nobody_waits_for_a_generator_that_has_ended() -> None:
    meeting = Meeting(2)
    meeting.arrive(0, READY, Arrival())
    meeting.leave(1)
    assert meeting.missing(READY) == []


def test_who_is_at_the_end_of_a_workload_is_missed_at_none_of_its_barriers() -> None:
    meeting = Meeting(2)
    meeting.arrive(0, BEGIN, Arrival())
    meeting.arrive(1, OVER, Arrival())
    assert meeting.missing(BEGIN) == []
    assert meeting.missing(Barrier(Moment.READY, "other", 1)) == [0, 1]
    assert meeting.missing(Barrier(Moment.WORKLOAD_OVER, "density")) == [0, 1]
    assert meeting.missing(Barrier(Moment.DELETED, "density")) == [0, 1]


def test_who_comes_after_the_release_goes_on_at_once() -> None:
    meeting = Meeting(2)
    meeting.arrive(0, READY, Arrival())
    meeting.arrive(1, READY, Arrival())
    release = meeting.release_of(READY, Arrival())
    meeting.release(READY, release)
    assert list(meeting.overdue()) == []
    meeting.arrive(0, READY, Arrival())
    assert list(meeting.overdue()) == [(READY, release)]


def test_who_is_in_a_workload_that_the_coordinator_has_left_is_let_go() -> None:
    meeting = Meeting(2)
    meeting.arrive(0, BEGIN, Arrival())
    meeting.arrive(1, OVER, Arrival())
    meeting.release(OVER, meeting.release_of(OVER, Arrival()))
    assert [barrier for barrier, _ in meeting.overdue()] == [BEGIN]
