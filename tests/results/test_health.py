from dataclasses import replace
from typing import Any

import pytest

from perfscale.results import (
    Accounts,
    Creation,
    GeneratorRecord,
    InFlight,
    Lag,
    Rate,
    Validity,
    Vitals,
    WorkloadResult,
    assess,
)

CALM = Lag(count=1000, mean=0.001, p50=0.001, p99=0.002, max=0.01)
QUICK = Creation(seconds=10.0, cpu_s=2.0, answers=1000, answer_s=20.0)


def workload(**rate: Any) -> WorkloadResult:
    """What was accepted was sent, and in the same time, unless it is said otherwise."""
    settings = {"target": 100.0, "achieved": 100.0, "held_back_s": 0.0, "seconds": 10.0} | rate
    settings = {"sent": settings["achieved"], "sent_seconds": settings["seconds"]} | settings
    return WorkloadResult(
        name="density", iteration_count=1, iterations=(), accounts=Accounts(), children=Accounts(),
        rate=Rate(**settings), kinds={}, child_kinds={},
    )  # fmt: skip


def vitals(creation: Creation = QUICK, **seen: Any) -> Vitals:
    known = {"loop_lag": CALM, "in_flight": InFlight(64, 64, 40.0)} | seen
    return Vitals(creations={"density": creation}, **known)


def test_a_run_that_held_its_rate_is_valid() -> None:
    health = assess(vitals(), [workload(achieved=95.0)], {})
    assert (health.verdict, health.reasons) == (Validity.VALID, ())


def test_a_rate_lost_to_the_bound_in_flight_is_the_generators() -> None:
    health = assess(vitals(), [workload(achieved=60.0, held_back_s=300.0)], {})
    assert health.verdict is Validity.GENERATOR_LIMITED
    [reason] = health.reasons
    assert reason.startswith(
        "density: 60 creates a second sent, of 100 wanted: 64 creates were in flight"
    )
    assert reason.endswith("and took 20ms each; raise it (in-flight bound)")


def test_a_rate_that_the_server_did_not_allow_is_told_of_and_the_run_is_valid() -> None:
    slow = Creation(seconds=10.0, cpu_s=2.0, answers=1000, answer_s=2000.0)
    health = assess(vitals(slow), [workload(achieved=60.0, held_back_s=300.0)], {})
    assert health.verdict is Validity.VALID
    [reason] = health.reasons
    assert reason.endswith("and took 2s each (server latency)")


def test_a_server_that_became_slow_is_the_limit_however_many_answers_were_quick_before() -> None:
    slow = Creation(seconds=10.0, cpu_s=2.0, answers=3000, answer_s=2000.0, slow_s=1950.0)
    health = assess(vitals(slow), [workload(achieved=60.0, held_back_s=300.0)], {})
    assert health.verdict is Validity.VALID
    [reason] = health.reasons
    assert reason.endswith("those that took longer than 1s had 98% of the places (server latency)")


def test_a_server_that_takes_seconds_to_refuse_is_the_limit() -> None:
    refused = Creation(seconds=10.0, cpu_s=2.0, refusals=100, refusal_s=800.0, slow_s=800.0)
    health = assess(vitals(refused), [workload(achieved=None, sent=7.0, held_back_s=300.0)], {})
    assert health.verdict is Validity.VALID
    [reason] = health.reasons
    assert reason.endswith("and took 8s each (server latency)")


def test_a_rate_lost_to_a_busy_event_loop_is_the_generators() -> None:
    busy = Creation(seconds=10.0, cpu_s=9.5, answers=1000, answer_s=2000.0)
    health = assess(vitals(busy), [workload(achieved=60.0, held_back_s=300.0)], {})
    assert health.verdict is Validity.GENERATOR_LIMITED
    assert health.reasons == (
        "density: 60 creates a second sent, of 100 wanted: the event loop took 95% of a core (CPU)",
    )


def test_a_rate_lost_to_nothing_that_was_measured_is_the_generators() -> None:
    health = assess(vitals(), [workload(achieved=60.0)], {})
    assert health.verdict is Validity.GENERATOR_LIMITED
    assert "no reason that was measured" in health.reasons[0]


def test_a_busy_event_loop_is_the_limit_of_a_run_without_a_rate() -> None:
    busy = Creation(seconds=10.0, cpu_s=9.5)
    health = assess(vitals(busy), [workload(target=None, achieved=3000.0)], {})
    assert health.verdict is Validity.GENERATOR_LIMITED
    assert "took all of a core" in health.reasons[0]


def test_a_run_without_a_rate_is_valid_however_full_it_was_in_flight() -> None:
    health = assess(vitals(), [workload(target=None, achieved=3000.0, held_back_s=300.0)], {})
    assert (health.verdict, health.reasons) == (Validity.VALID, ())


def test_a_rate_is_judged_by_the_runs_own_limit_where_that_is_lower() -> None:
    health = assess(vitals(qps=50.0), [workload(achieved=50.0)], {})
    assert (health.verdict, health.reasons) == (Validity.VALID, ())


@pytest.mark.parametrize("seconds", [0.5, 0.1])
def test_a_moment_lost_in_a_short_run_is_no_lost_rate(seconds: float) -> None:
    health = assess(vitals(), [workload(achieved=60.0, seconds=seconds)], {})
    assert health.verdict is Validity.VALID


GONE = Creation(seconds=40.0, cpu_s=2.0, answers=1000, answer_s=20.0, outage_s=20.0)


def test_a_rate_that_was_sent_and_not_accepted_is_told_of_and_the_run_is_valid() -> None:
    health = assess(vitals(GONE), [workload(achieved=31.0, seconds=32.0, sent=100.0)], {})
    assert health.verdict is Validity.VALID
    [reason] = health.reasons
    assert reason.startswith("density: 31 creates a second accepted, of 100 wanted and sent: ")
    assert reason.endswith(
        "the API server, or what it calls, was gone for 20s of that time (outage)"
    )


def test_a_rate_that_could_not_be_sent_while_the_server_was_gone_is_not_the_generators() -> None:
    health = assess(
        vitals(GONE), [workload(achieved=33.0, held_back_s=900.0, seconds=30.0, sent=34.0)], {}
    )
    assert health.verdict is Validity.VALID
    assert health.reasons[0].endswith(
        "the API server, or what it calls, was gone for 20s of that time (outage)"
    )


def test_an_outage_excuses_no_more_than_its_own_time() -> None:
    health = assess(vitals(GONE), [workload(achieved=33.0, seconds=60.0, held_back_s=900.0)], {})
    assert health.verdict is Validity.GENERATOR_LIMITED


def test_a_late_event_loop_makes_what_was_measured_doubtful() -> None:
    late = Lag(count=1000, mean=0.05, p50=0.05, p99=0.25, max=0.3)
    health = assess(vitals(loop_lag=late), [workload()], {})
    assert health.verdict is Validity.GENERATOR_LIMITED
    assert health.reasons[0].startswith("the event loop was late, 250 ms at the 99th percentile")


def test_a_single_late_moment_of_a_short_run_says_nothing() -> None:
    late = Lag(count=30, mean=0.01, p50=0.001, p99=0.25, max=0.25)
    assert assess(vitals(loop_lag=late), [workload()], {}).verdict is Validity.VALID


def test_every_workload_is_judged_by_itself() -> None:
    slow = replace(workload(achieved=60.0), name="other")
    health = assess(vitals(), [workload(), slow], {})
    assert [reason.partition(":")[0] for reason in health.reasons] == ["other"]


def test_connections_that_this_machine_could_not_open_are_the_generators_limit() -> None:
    health = assess(vitals(), [workload()], {"localFailures": 50})
    assert health.verdict is Validity.GENERATOR_LIMITED
    [reason] = health.reasons
    assert reason.startswith("50 connections could not be opened, for want of open files")


def test_a_rate_lost_to_the_bound_of_the_workload_itself_names_that() -> None:
    bounded = replace(workload(achieved=60.0, held_back_s=300.0), max_in_flight=5)
    [reason] = assess(vitals(), [bounded], {}).reasons
    assert "5 creates were in flight, as many as maxInFlight of the workload allows" in reason


def test_what_a_lost_generator_has_not_sent_is_its_loss_and_no_other_reason() -> None:
    generators = [
        GeneratorRecord(shard=0, name="worker a", vitals=vitals()),
        GeneratorRecord(shard=1, name="worker b", vitals=vitals(), lost="it was silent"),
    ]
    health = assess(vitals(), [workload(achieved=60.0)], {}, generators)
    assert health.verdict is Validity.GENERATOR_LOST
    assert health.reasons == ("generator 1 (worker b) was lost: it was silent",)
