"""Somebody sets the wall clock while a run goes on."""

from collections.abc import Iterator

import pytest

from perfscale.engine.accounting.wallclock import WallClock
from perfscale.results import ClockStep


class Clocks:
    """A monotonic clock and a wall clock, which somebody may set."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.ahead_s = 1_000_000.0
        self.pauses: Iterator[float] = iter(())

    def monotonic(self) -> float:
        return self.now_s

    def wall(self) -> float:
        self.now_s += next(self.pauses, 0.0)
        return self.now_s + self.ahead_s


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


def test_a_clock_that_goes_on_has_no_step(clocks: Clocks) -> None:
    wall_clock = WallClock(clocks.monotonic, clocks.wall)
    for second in range(100):
        clocks.now_s += 1.0
        clocks.ahead_s += 0.0005  # NTP slews it
        assert wall_clock.find_step(float(second)) is None


@pytest.mark.parametrize(
    ("by_s", "said"),
    [(-3600.0, "set back by 1h"), (5.0, "set ahead by 5s (or this machine slept)")],
)
def test_a_step_is_found_once_and_told(by_s: float, said: str, clocks: Clocks) -> None:
    wall_clock = WallClock(clocks.monotonic, clocks.wall)
    clocks.ahead_s += by_s
    step = wall_clock.find_step(12.0)
    assert step == ClockStep(12.0, by_s)
    assert str(step).startswith(f"the wall clock was {said}, within 12s from the start")
    assert wall_clock.find_step(13.0) is None


def test_a_pause_between_two_readings_is_no_step(clocks: Clocks) -> None:
    wall_clock = WallClock(clocks.monotonic, clocks.wall)
    clocks.pauses = iter([5.0])
    assert wall_clock.find_step(1.0) is None
    assert wall_clock.find_step(2.0) is None
