import math
import random
from bisect import bisect_right
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfscale.config.sections.shape import Slope
from perfscale.engine.load.schedule import (
    Arrivals,
    Constant,
    Ending,
    RateLine,
    Schedule,
    at_once,
    evenly,
    poisson,
)

WINDOW_S = 5.0


def all_due(schedule: Schedule, *, begun_s: float = 0.0, most: int = 100_000) -> list[float]:
    """When each request of a load is due, until it is over."""
    schedule.begin(begun_s)
    due: list[float] = []
    while len(due) < most and (next_s := schedule.next_due(begun_s)) is not None:
        due.append(next_s)
    return due


def ramp(*slopes: Slope) -> Arrivals:
    return Arrivals(RateLine(slopes), evenly())


def test_the_first_burst_is_due_at_once_and_the_rest_at_the_rate() -> None:
    schedule = Constant(qps=10, burst=3)
    schedule.begin(100.0)
    due = [schedule.next_due(100.0) for _ in range(6)]
    assert due == pytest.approx([100.0, 100.0, 100.0, 100.1, 100.2, 100.3])


def test_the_schedule_does_not_slow_down_with_the_server() -> None:
    schedule = Constant(qps=10, burst=1)
    schedule.begin(0.0)
    due = [schedule.next_due(now) for now in (0.0, 5.0, 5.0)]
    assert due == pytest.approx([0.0, 0.1, 0.2])


def test_a_pause_fills_the_bucket_no_deeper_than_the_burst() -> None:
    schedule = Constant(qps=10, burst=2)
    schedule.begin(0.0)
    for _ in range(4):
        schedule.next_due(0.0)
    schedule.begin(60.0)
    assert [schedule.next_due(60.0) for _ in range(3)] == pytest.approx([60.0, 60.0, 60.1])


def test_the_next_iteration_finds_the_bucket_as_the_last_one_left_it() -> None:
    schedule = Constant(qps=10, burst=2)
    schedule.begin(0.0)
    for _ in range(4):
        schedule.next_due(0.0)
    schedule.begin(0.2)
    assert schedule.next_due(0.2) == pytest.approx(0.3)


def test_without_a_rate_everything_is_due_when_it_is_asked_for() -> None:
    schedule = Constant(qps=0, burst=1)
    schedule.begin(0.0)
    assert [schedule.next_due(now) for now in (1.0, 1.5)] == [1.0, 1.5]


def test_a_load_that_ends_has_what_is_due_before_its_end_and_nothing_after() -> None:
    due = all_due(Ending(Constant(qps=10, burst=1), 2.0), begun_s=50.0)
    assert due == pytest.approx([50 + n / 10 for n in range(20)])


def test_when_a_load_begins_does_not_change_how_many_requests_it_has() -> None:
    begins = [n / 7 for n in range(1, 200)]
    loads = [all_due(Ending(Constant(qps=20, burst=20), 5.0), begun_s=each) for each in begins]
    assert {len(due) for due in loads} == {20 + 99}


def test_a_load_ends_by_its_first_beginning_however_many_parts_it_has() -> None:
    schedule = Ending(Constant(qps=10, burst=1), 1.0)
    schedule.begin(0.0)
    schedule.next_due(0.0)
    schedule.begin(0.95)
    assert schedule.next_due(0.95) == pytest.approx(0.95)
    assert schedule.next_due(0.95) is None


def test_a_ramp_gives_as_many_as_its_rate_comes_to_and_none_after_its_last_stage() -> None:
    due = all_due(ramp(Slope(10, 0, 100), Slope(5, 100, 100), Slope(10, 100, 0)), begun_s=7.0)
    assert len(due) == 500 + 500 + 500
    assert due[499] == pytest.approx(17.0)
    assert due[999] == pytest.approx(22.0)
    assert due[-1] == pytest.approx(32.0)
    assert all(earlier < later for earlier, later in pairwise(due))


def test_a_step_jumps_and_a_stage_without_a_rate_is_a_pause() -> None:
    due = all_due(ramp(Slope(1, 10, 10), Slope(60, 0, 0), Slope(1, 5, 5)))
    assert due[:10] == pytest.approx([n / 10 for n in range(1, 11)])
    assert due[10:] == pytest.approx([61 + n / 5 for n in range(1, 6)])


def test_parts_of_an_iteration_go_on_along_its_ramp() -> None:
    schedule = ramp(Slope(2, 0, 10))
    schedule.begin(100.0)
    first = schedule.next_due(100.0)
    schedule.begin(100.9)
    assert first is not None
    assert first == pytest.approx(100 + math.sqrt(2 / 5))
    assert schedule.next_due(100.9) == pytest.approx(100 + math.sqrt(4 / 5))


def test_what_is_spread_begins_at_once_and_ends_one_gap_before_the_time_is_over() -> None:
    schedule = Arrivals(RateLine([Slope(math.inf, 2.5, 2.5)]), at_once(evenly()))
    assert all_due(schedule, begun_s=3.0, most=50) == pytest.approx(
        [3 + n / 2.5 for n in range(50)]
    )


rates = st.one_of(st.just(0.0), st.floats(1, 2000))


@st.composite
def ramps(draw: st.DrawFn) -> list[Slope]:
    """Stages of which each goes on from the last one's rate, or jumps."""
    slopes: list[Slope] = []
    at = draw(rates)
    for _ in range(draw(st.integers(1, 5))):
        to = draw(rates)
        slopes.append(Slope(draw(st.floats(0.5, 20)), to if draw(st.booleans()) else at, to))
        at = to
    return slopes


def requests_until(slopes: list[Slope], at_s: float) -> float:
    """The integral of the rate, summed up with no regard to how schedules do it."""
    total, started_s = 0.0, 0.0
    for slope in slopes:
        spent_s = min(max(at_s - started_s, 0.0), slope.duration_s)
        share = spent_s / slope.duration_s
        total += spent_s * (slope.from_qps + share * (slope.to_qps - slope.from_qps) / 2)
        started_s += slope.duration_s
    return total


@given(slopes=ramps(), begun_s=st.floats(0, 1e5))
def test_any_five_seconds_of_stages_have_what_the_line_says(
    slopes: list[Slope], begun_s: float
) -> None:
    """Within one per cent, or one: requests are whole."""
    due = [at_s - begun_s for at_s in all_due(ramp(*slopes), begun_s=begun_s)]
    end_s = sum(slope.duration_s for slope in slopes)
    assert len(due) == math.floor(requests_until(slopes, end_s) + 1e-6)
    for start_s in (*(end_s * n / 97 for n in range(97)), *due[:: max(1, len(due) // 97)]):
        wanted = requests_until(slopes, start_s + WINDOW_S) - requests_until(slopes, start_s)
        found = bisect_right(due, start_s + WINDOW_S) - bisect_right(due, start_s)
        assert abs(found - wanted) <= max(1.001, 0.01 * wanted)


def ks_statistic(samples: list[float], distribution: Callable[[float], float]) -> float:
    """The largest distance between the samples' distribution and another (Kolmogorov-Smirnov)."""
    count = len(samples)
    return max(
        max((rank + 1) / count - distribution(sample), distribution(sample) - rank / count)
        for rank, sample in enumerate(sorted(samples))
    )


def ks_bound(count: int) -> float:
    """The statistic that one in a hundred sets of samples exceeds, of many of them."""
    return 1.628 / math.sqrt(count)


def exponential(qps: float) -> Callable[[float], float]:
    return lambda gap_s: 1 - math.exp(-qps * gap_s)


@pytest.mark.parametrize("qps", [0.5, 20, 1000])
def test_gaps_of_poisson_arrivals_are_exponential(qps: float) -> None:
    schedule = Arrivals(RateLine([Slope(math.inf, qps, qps)]), poisson(random.Random(11)))
    due = all_due(schedule, begun_s=30.0, most=5000)
    gaps = [later - earlier for earlier, later in pairwise([30.0, *due])]
    assert ks_statistic(gaps, exponential(qps)) < ks_bound(len(gaps))
    # Nor does a gap say anything of the next one.
    assert abs(correlation(gaps)) < 3 / math.sqrt(len(gaps))


def correlation(gaps: list[float]) -> float:
    mean = sum(gaps) / len(gaps)
    products = sum((one - mean) * (other - mean) for one, other in pairwise(gaps))
    return products / sum((gap - mean) ** 2 for gap in gaps)


def test_the_statistic_finds_gaps_that_are_even() -> None:
    gaps = [later - earlier for earlier, later in pairwise(all_due(ramp(Slope(50, 20, 20))))]
    assert ks_statistic(gaps, exponential(20)) > 10 * ks_bound(len(gaps))


def test_poisson_arrivals_along_a_ramp_come_as_the_ramp_says() -> None:
    slopes = [Slope(60, 0, 50), Slope(30, 50, 50)]
    due = all_due(Arrivals(RateLine(slopes), poisson(random.Random(4))))
    total = requests_until(slopes, 90)
    assert abs(len(due) - total) < 3 * math.sqrt(total)
    shares = [requests_until(slopes, at_s) / total for at_s in due]
    assert ks_statistic(shares, lambda share: share) < ks_bound(len(shares))


def test_the_seed_makes_poisson_arrivals_repeatable() -> None:
    def first(seed: int) -> list[float]:
        line = RateLine([Slope(math.inf, 20, 20)])
        return all_due(Arrivals(line, poisson(random.Random(seed))), most=100)

    assert first(1) == first(1) != first(2)
