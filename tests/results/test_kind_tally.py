"""What is measured of one kind: by the client's clock, by the server's, and never by both."""

from collections.abc import Iterable
from typing import Any

import pytest

from perfscale.results import KindResult, ObjectRecord, Outcome
from perfscale.results.measure.tallies.kinds import KindTally
from perfscale.results.model.latency import NotWaitedFor

PATH = ("Pending", "Scheduling", "Running")
CREATED = "2026-01-02T03:04:05Z"


def record(phases_s: dict[str, float] | None = None, **known: Any) -> ObjectRecord:
    fields: dict[str, Any] = {
        "kind": "VirtualMachineInstance", "namespace": "density-1", "name": "vmi-1", "uid": "uid-1",
        "workload": "density", "iteration": 1, "replica": 1, "outcome": Outcome.READY,
        "error": None, "scheduled_s": 0.5, "admitted_s": 0.75, "sent_s": 1.0, "created_s": 1.25,
        "ready_s": None, "delete_requested_s": None, "deleted_s": None, "server": {},
        "phases_s": phases_s or {}, **known,
    }  # fmt: skip
    return ObjectRecord(**fields)


def measured(records: Iterable[ObjectRecord]) -> KindResult:
    tally = KindTally(path=PATH)
    for each in records:
        tally.measure(each, each.sent_s)
    return tally.result()


def server(**phases: str) -> dict[str, object]:
    stamps = {phase: f"2026-01-02T03:04:{second}Z" for phase, second in phases.items()}
    return {"creationTimestamp": CREATED, "phases": stamps}


def durations(result: KindResult) -> dict[tuple[str, str], tuple[int, int, float | None]]:
    return {
        (each.before, each.after): (each.duration.count, each.duration.missing, each.duration.min)
        for each in result.transitions
    }


def test_the_time_in_a_phase_lasts_until_the_next_that_was_seen() -> None:
    result = measured(
        [
            record({"Pending": 1.5, "Scheduling": 2.0, "Running": 6.0, "Succeeded": 9.0}),
            record({"Pending": 1.5, "Running": 4.5}),
        ]
    )
    assert durations(result) == {
        ("Pending", "Scheduling"): (1, 0, 0.5),
        ("Scheduling", "Running"): (1, 0, 4.0),
        ("Running", "Succeeded"): (1, 0, 3.0),
        ("Pending", "Running"): (1, 0, 3.0),
    }


@pytest.mark.parametrize("outcome", [Outcome.UNREADY, Outcome.FAILED])
def test_what_got_stuck_in_a_phase_is_missing_from_the_way_to_the_next(outcome: Outcome) -> None:
    result = measured([record({"Pending": 1.5, "Scheduling": 2.0}, outcome=outcome)])
    assert durations(result)["Scheduling", "Running"] == (0, 1, None)
    assert ("Running", "Succeeded") not in durations(result)


def test_the_servers_stamps_are_measured_among_themselves_in_whole_seconds() -> None:
    seen = {"Pending": 1.5, "Scheduling": 2.0, "Running": 6.0}
    stamped = server(Pending="05", Scheduling="06", Running="11")
    result = measured([record(seen, server=stamped)])
    assert {phase: each.max for phase, each in result.server_phases.items()} == {
        "Pending": 0.0, "Scheduling": 1.0, "Running": 6.0,
    }  # fmt: skip
    assert result.phases["Running"].max == 5.0


def test_a_phase_that_the_server_never_stamped_is_missing() -> None:
    stuck = record({"Pending": 1.5}, server=server(Pending="05"), outcome=Outcome.UNREADY)
    result = measured([stuck])
    assert [(phase, each.count, each.missing) for phase, each in result.server_phases.items()] == [
        ("Pending", 1, 0), ("Scheduling", 0, 1), ("Running", 0, 1),
    ]  # fmt: skip


def test_a_kind_of_which_the_server_stamps_no_phases_has_none() -> None:
    stamped = {"creationTimestamp": CREATED}
    result = measured([record({"Pending": 1.5}, server=stamped, outcome=Outcome.UNREADY)])
    assert result.server_phases == {}


def skewed(seconds: int, *, sent_s: float = 1.0) -> ObjectRecord:
    """One whose phases were stamped, a moment after it was created, by a clock that is off."""
    stamped = server(Pending=f"{5 + seconds:02}", Running=f"{7 + seconds:02}")
    seen = {"Pending": sent_s + 0.3, "Running": sent_s + 2.1}
    return record(seen, sent_s=sent_s, created_s=sent_s + 0.2, server=stamped)


def test_latencies_below_nothing_are_counted_and_left_out_with_a_reason() -> None:
    stamped = server(Pending="00", Running="09")
    result = measured([record({"Pending": 1.5, "Running": 12.0}, server=stamped)])
    assert "Pending" not in result.server_phases
    assert result.server_phases["Running"].count == 1
    clock = result.phase_clock
    assert clock is not None
    assert (clock.negative, clock.count) == (1, 2)
    assert clock.reason is not None
    assert "1 of 2 are negative and left out" in clock.reason
    # Stamped at 00, or less than a second later, by half a second after the server's 05 to 06.
    assert (clock.low_s, clock.high_s) == (-6.5, -3.75)


@pytest.mark.parametrize(("seconds", "word"), [(-3, "behind"), (20, "ahead")])
def test_clocks_that_are_surely_apart_are_told_of(seconds: int, word: str) -> None:
    clock = measured([skewed(seconds), skewed(seconds, sent_s=1.6)]).phase_clock
    assert clock is not None
    assert clock.low_s <= seconds <= clock.high_s
    assert clock.consistent
    assert clock.reason is not None
    assert f"the controllers' clock is {word} by" in clock.reason


def test_clocks_that_agree_need_no_reason() -> None:
    clock = measured([skewed(0)]).phase_clock
    assert clock is not None
    assert clock.low_s <= 0 <= clock.high_s
    assert clock.reason is None


def test_controllers_with_different_clocks_are_told_of() -> None:
    clock = measured([skewed(0), skewed(30)]).phase_clock
    assert clock is not None
    assert not clock.consistent
    assert clock.reason is not None
    assert "differ from each other" in clock.reason


def test_a_stamp_that_is_no_time_is_left_out() -> None:
    stamps = {"creationTimestamp": CREATED, "phases": {"Pending": "yesterday"}}
    assert measured([record({"Pending": 1.5}, server=stamps)]).server_phases == {}


def test_a_watch_is_late_by_no_less_than_since_the_answer_and_no_more_than_since_the_request() -> (
    None
):
    delay = measured([record(observed_s=1.5), record(observed_s=1.125)]).watch_delay
    assert delay is not None
    assert (delay.at_least.min, delay.at_least.max) == (0.0, 0.25)
    assert (delay.at_most.min, delay.at_most.max) == (0.125, 0.5)


def test_without_an_event_of_its_creation_nothing_is_known_of_the_watch() -> None:
    assert measured([record()]).watch_delay is None


def test_a_milestone_is_missing_from_those_that_never_came_to_it_ready_or_not() -> None:
    result = measured(
        [
            record({"Running": 2.0, "IP": 2.5, "AgentConnected": 8.0}, ready_s=2.0),
            record({"Running": 3.0, "IP": 3.5}, ready_s=3.0, delete_requested_s=9.0),
            record({"Pending": 2.0}, outcome=Outcome.UNREADY),
        ]
    )
    found = {name: (each.count, each.missing, each.min) for name, each in result.phases.items()}
    assert found["IP"] == (2, 1, 1.5)
    assert found["AgentConnected"] == (1, 2, 7.0)


def test_what_was_ready_and_came_to_no_milestone_is_missing_and_counted_apart() -> None:
    came = [record({"AgentConnected": 5.0}, ready_s=2.0, delete_requested_s=6.0)] * 98
    soon = record(ready_s=4.0, delete_requested_s=6.0)
    late = record(ready_s=2.0, delete_requested_s=5.5)
    agent = measured([*came, soon]).phases["AgentConnected"]
    assert (agent.count, agent.missing, agent.not_waited_for) == (98, 1, NotWaitedFor(1, 2.0, 2.0))
    assert agent.p95 == 4.0
    assert agent.max is None  # the last to be ready had the least time, and is the slowest
    agent = measured([*came, soon, late]).phases["AgentConnected"]
    assert (agent.missing, agent.not_waited_for) == (2, NotWaitedFor(2, 2.0, 3.5))


def test_what_was_never_ready_had_no_time_after_it() -> None:
    came = record({"AgentConnected": 5.0}, ready_s=2.0)
    never = record({"Pending": 2.0}, outcome=Outcome.UNREADY)
    agent = measured([came, never]).phases["AgentConnected"]
    assert (agent.missing, agent.not_waited_for) == (1, None)


def test_what_outlives_a_run_had_the_time_until_the_last_event() -> None:
    came = record({"AgentConnected": 5.0}, ready_s=2.0)
    agent = measured([came, record(ready_s=4.0), record(ready_s=1.5)]).phases["AgentConnected"]
    assert agent.not_waited_for == NotWaitedFor(2, 1.0, 3.5)


def test_how_long_objects_were_there_is_said_in_a_sentence() -> None:
    assert "3 missing although ready, within 0.2 to 3.5 s" in str(NotWaitedFor(3, 0.2, 3.5))
    assert "within 2.0 s until" in str(NotWaitedFor(1, 2.0, 2.0))


def test_parts_that_add_up_tell_the_same_of_milestones_as_the_whole() -> None:
    slow = record(ready_s=2.0, delete_requested_s=9.5)
    soon = record(ready_s=2.0, delete_requested_s=5.0)
    quick = record({"AgentConnected": 3.0}, ready_s=2.0, delete_requested_s=5.0)
    first, second = KindTally(), KindTally()
    for tally, members in ((first, [quick, soon]), (second, [slow])):
        for each in members:
            tally.measure(each, each.sent_s)
    agent = first.result().phases["AgentConnected"]
    assert (agent.missing, agent.not_waited_for) == (1, NotWaitedFor(1, 3.0, 3.0))
    first.add(second)
    agent = first.result().phases["AgentConnected"]
    assert (agent.missing, agent.not_waited_for) == (2, NotWaitedFor(2, 3.0, 7.5))


def test_a_milestone_that_no_object_came_to_is_no_latency() -> None:
    result = measured([record({"Running": 2.0}, ready_s=2.0)])
    assert "AgentConnected" not in result.phases


def test_a_milestone_comes_between_no_two_phases() -> None:
    result = measured([record({"Scheduling": 2.0, "IP": 3.0, "Running": 5.0})])
    assert durations(result) == {("Scheduling", "Running"): (1, 0, 3.0)}
