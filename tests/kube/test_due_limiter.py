"""Requests whose schedule says when each is due: at a rate that moves, or at random."""

import asyncio
import itertools
import random
from bisect import bisect_right
from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from virtual_time import in_virtual_time, irregular

from perfscale.kube.ratelimit import SHORTEST_SLEEP_S, DueLimiter

MOST_LATE_S = DueLimiter.MOST_LATE_S


def admitted(
    due: Sequence[float],
    *,
    late_s: Iterable[float] = itertools.repeat(0.0),
    shortest_sleep_s: float = SHORTEST_SLEEP_S,
    held_up: dict[int, float] | None = None,
) -> list[float]:
    """When each of those that are due then was let go, one after the other.

    ``held_up`` says for how long the caller does something else before some of them.
    """
    times: list[float] = []

    async def main() -> None:
        clock = asyncio.get_running_loop().time
        begun_s = clock()
        limiter = DueLimiter(lambda: clock() - begun_s, shortest_sleep_s)
        for number, due_s in enumerate(due):
            await asyncio.sleep((held_up or {}).get(number, 0))
            await limiter.acquire(due_s)
            times.append(clock() - begun_s)

    in_virtual_time(main, late_s=late_s)
    return times


def ramp(seconds: float, qps: float) -> list[float]:
    """When requests are due whose rate goes from nothing to ``qps``, and from there to nothing."""
    total = int(qps * seconds / 2)
    up = [(2 * number * seconds / qps) ** 0.5 for number in range(1, total + 1)]
    return [*up, *(2 * seconds - at_s for at_s in reversed(up[:-1]))]


def most_ahead(times: Sequence[float], due: Sequence[float]) -> float:
    return max(due_s - time for time, due_s in zip(times, due, strict=True))


def test_each_goes_when_it_is_due() -> None:
    due = ramp(10, 20)
    assert admitted(due) == pytest.approx(due, abs=SHORTEST_SLEEP_S + 1e-4)


dues = st.lists(st.floats(0, 0.5), min_size=2, max_size=300).map(
    lambda gaps: list(itertools.accumulate(gaps))
)


@given(due=dues, most_late_s=st.floats(0, 0.04), seed=st.integers(0, 1000), data=st.data())
@settings(max_examples=60)
def test_whatever_the_schedule_and_the_timers_no_window_has_more_than_it_and_what_is_owed(
    due: list[float], most_late_s: float, seed: int, data: st.DataObject
) -> None:
    held_up = data.draw(
        st.dictionaries(st.integers(0, len(due) - 1), st.floats(0, 5), max_size=3), label="held up"
    )
    times = admitted(due, late_s=irregular(most_late_s, seed=seed), held_up=held_up)
    assert most_ahead(times, due) <= 1e-6
    for first in range(0, len(due), 7):
        window_s = data.draw(st.floats(0.001, 10))
        found = bisect_right(times, times[first] + window_s) - first
        # The window of the schedule begins with what is due as that one is, and is longer by what
        # may be late, and by the shortest sleep, in which several may come to be due.
        reach_s = window_s + MOST_LATE_S + SHORTEST_SLEEP_S + most_late_s + 1e-3
        assert found <= bisect_right(due, due[first] + reach_s) - first


@given(due=dues, most_late_s=st.floats(0, 0.04), seed=st.integers(0, 1000))
@settings(max_examples=30)
def test_none_is_later_than_the_shortest_sleep_and_its_timer(
    due: list[float], most_late_s: float, seed: int
) -> None:
    times = admitted(due, late_s=irregular(most_late_s, seed=seed))
    assert max(time - due_s for time, due_s in zip(times, due, strict=True)) <= (
        SHORTEST_SLEEP_S + most_late_s + 1e-3
    )


def test_arrivals_that_come_close_together_are_neither_smoothed_nor_doubled() -> None:
    chance = random.Random(5)
    due = list(itertools.accumulate(chance.expovariate(100) for _ in range(3000)))
    times = admitted(due, shortest_sleep_s=0.001)
    assert times == pytest.approx(due, abs=0.0015)


def test_what_a_short_stop_held_up_comes_at_once_and_then_the_schedule_goes_on() -> None:
    due = [number / 10 for number in range(100)]
    times = admitted(due, held_up={20: 0.55})
    assert times[20:25] == pytest.approx([2.45] * 5, abs=1e-3)
    assert times[26:] == pytest.approx(due[26:], abs=1e-3)


def test_what_a_long_stop_held_up_comes_later_and_not_at_once() -> None:
    due = [number / 10 for number in range(100)]
    times = admitted(due, held_up={20: 60.0})
    at_once = bisect_right(times, times[20] + 0.05) - 20
    assert at_once == pytest.approx(10 * MOST_LATE_S, abs=1)
    put_off_s = times[-1] - due[-1]
    assert put_off_s == pytest.approx(60 - 0.1 - MOST_LATE_S, abs=0.01)
    assert times[40:] == pytest.approx([due_s + put_off_s for due_s in due[40:]], abs=1e-3)


def test_one_that_is_cancelled_lets_the_next_go_at_its_time() -> None:
    async def main() -> None:
        clock = asyncio.get_running_loop().time
        begun_s = clock()
        limiter = DueLimiter(clock)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await limiter.acquire(begun_s + 30)
        await limiter.acquire(begun_s + 2)
        assert clock() - begun_s == pytest.approx(2, abs=0.02)

    in_virtual_time(main)
