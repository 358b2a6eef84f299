import pytest

from perfscale.config import GlobalConfig
from perfscale.engine.accounting.health import Health
from perfscale.kube.stats import RequestStats


async def test_the_loops_lag_is_how_much_later_it_is_than_it_should_be() -> None:
    readings = [20.36, 20.0, 10.01, 10.0]
    health = Health(GlobalConfig(), readings.pop)
    for _ in range(2):
        await health.sleep(0.01)
    lag = health.vitals().loop_lag
    assert lag.count == 2
    assert lag.max == pytest.approx(0.35)


def test_the_most_creates_in_flight_at_a_time_are_remembered() -> None:
    health = Health(GlobalConfig(max_in_flight=7), lambda: 0.0)
    for _ in range(3):
        health.admitted(0.0)
    for _ in range(2):
        health.finished()
    health.admitted(0.0)
    in_flight = health.vitals().in_flight
    assert (in_flight.limit, in_flight.max, health.in_flight) == (7, 3, 2)


def test_lags_are_counted_from_when_creates_were_due_and_admitted() -> None:
    health = Health(GlobalConfig(), lambda: 0.0)
    health.admitted(0.5)
    health.admitted(-0.001)  # a limiter may be early by its tick
    health.answered("density", 0.25, 2.0)
    vitals = health.vitals()
    assert (vitals.limiter_lag.count, vitals.limiter_lag.max) == (2, 0.5)
    assert vitals.send_lag.max == 0.25
    assert vitals.creations["density"].answer_mean_s == 2.0


def test_what_is_refused_was_in_flight_too() -> None:
    health = Health(GlobalConfig(), lambda: 0.0)
    health.answered("density", 0.0, 0.5)
    health.refused("density", 9.5)
    creation = health.vitals().creations["density"]
    assert (creation.answer_mean_s, creation.taken_mean_s) == (0.5, 5.0)
    assert creation.slow_share == 0.95


def test_what_creates_take_is_told_by_workload() -> None:
    readings = [11.0, 10.0, 4.0, 1.0]
    health = Health(GlobalConfig(), readings.pop)
    stats = RequestStats()
    with health.creating("first", stats):
        stats.outage_seconds += 2.0
    with health.creating("second", stats):
        pass
    creations = health.vitals().creations
    assert {name: each.seconds for name, each in creations.items()} == {"first": 3.0, "second": 1.0}
    assert {name: each.outage_s for name, each in creations.items()} == {"first": 2.0, "second": 0}


def test_what_creates_take_is_told_while_they_go_on() -> None:
    readings = [9.0, 4.0, 1.0]
    health = Health(GlobalConfig(), readings.pop)
    with health.creating("density", RequestStats()):
        assert health.vitals().creations["density"].seconds == 3.0
    assert health.vitals().creations["density"].seconds == 8.0


def test_a_hundred_thousand_lags_take_no_more_memory_than_a_few() -> None:
    health = Health(GlobalConfig(), lambda: 0.0)
    for number in range(100_000):
        health.admitted(number / 1000)
        health.finished()
    assert health.vitals().limiter_lag.count == 100_000
    assert health.vitals().limiter_lag.p99 == pytest.approx(99.0, rel=0.01)


async def test_an_event_loop_that_stood_still_is_told_with_the_time_it_last_went_on() -> None:
    readings = [25.51, 20.0, 10.36, 10.0]
    told: list[tuple[float, float]] = []
    health = Health(GlobalConfig(), readings.pop, lambda *stall: told.append(stall))
    await health.sleep(0.01)
    assert told == []
    await health.sleep(0.01)
    ((since_s, late_s),) = told
    assert since_s == 20.0
    assert late_s == pytest.approx(5.5)
