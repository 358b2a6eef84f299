"""The server's clock against ours: what answers say of it, and what they cannot."""

import math
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfscale.results.measure.clocks import ClockBounds, common_offset
from perfscale.results.model.client.clocks import ClockOffset

EPOCH_S = datetime(2026, 1, 2, 3, 4, 5, 250000, tzinfo=UTC).timestamp()
"""Our wall clock, when the monotonic one read 0."""


def dated(server_s: float) -> str:
    return format_datetime(datetime.fromtimestamp(math.floor(server_s), UTC), usegmt=True)


def bounds(*answers: tuple[float, float], ahead_s: float) -> ClockOffset:
    """What is known after answers that were sent, and dated half way to their arrival."""
    clock = ClockBounds(EPOCH_S)
    for sent_s, answered_s in answers:
        clock.observe(dated(EPOCH_S + (sent_s + answered_s) / 2 + ahead_s), sent_s, answered_s)
    offset = clock.offset()
    assert offset is not None
    return offset


def test_one_answer_tells_it_to_a_second_and_the_time_of_a_request() -> None:
    offset = bounds((10.0, 10.5), ahead_s=3.0)
    assert offset.low_s <= 3.0 <= offset.high_s
    assert offset.high_s - offset.low_s == pytest.approx(1.5)


@given(
    st.floats(-1000, 1000),
    st.lists(st.tuples(st.floats(0, 100), st.floats(0, 2)), min_size=1, max_size=30),
)
def test_the_offset_lies_within_its_bounds_whatever_the_answers(
    ahead_s: float, requests: list[tuple[float, float]]
) -> None:
    offset = bounds(*((sent_s, sent_s + took_s) for sent_s, took_s in requests), ahead_s=ahead_s)
    assert offset.consistent
    assert abs(ahead_s - offset.offset_s) <= offset.uncertainty_s + 1e-5


def test_many_answers_tell_it_to_the_time_of_a_request() -> None:
    offset = bounds(*((n * 0.033, n * 0.033 + 0.01) for n in range(100)), ahead_s=-7.4)
    assert offset.uncertainty_s < 0.04
    assert offset.offset_s == pytest.approx(-7.4, abs=0.04)


def test_clocks_that_drift_apart_for_hours_are_told_as_they_are_at_the_end() -> None:
    clock = ClockBounds(EPOCH_S)
    for minute in range(0, 601, 10):
        for number in range(40):
            sent_s = 60.0 * minute + 0.037 * number
            clock.observe(
                dated(EPOCH_S + 2.0 + (sent_s + 0.001) * (1 + 10e-6)), sent_s, sent_s + 0.002
            )
    offset = clock.offset()
    assert offset is not None
    assert offset.consistent
    assert offset.low_s <= 2.0 + 36000 * 10e-6 <= offset.high_s
    assert offset.uncertainty_s < 0.03


def test_a_clock_that_is_set_meanwhile_is_noticed() -> None:
    clock = ClockBounds(EPOCH_S)
    clock.observe(dated(EPOCH_S), 0.0, 0.01)
    clock.observe(dated(EPOCH_S + 61), 1.0, 1.01)
    offset = clock.offset()
    assert offset is not None
    assert not offset.consistent
    assert offset.low_s <= 0
    assert offset.high_s >= 60


@pytest.mark.parametrize("date", ["", "soon", "Fri, 99 Jan 2026 03:04:05 GMT"])
def test_a_date_that_is_none_says_nothing(date: str) -> None:
    clock = ClockBounds(EPOCH_S)
    clock.observe(date, 0.0, 1.0)
    assert clock.offset() is None


def test_what_generators_with_other_clocks_found_is_put_on_the_clock_of_the_run() -> None:
    own = ClockOffset(-0.4, 0.6)
    ahead = ClockOffset(-3.1, -2.9).seen_from(2.95, 3.05)
    assert common_offset([own, ahead]) == ClockOffset(-0.15, 0.15)


def test_bounds_of_clocks_that_have_drifted_apart_a_little_agree() -> None:
    assert common_offset([ClockOffset(0.0, 0.01), ClockOffset(0.05, 0.06)]) == ClockOffset(
        0.01, 0.05
    )


def test_bounds_that_cannot_be_of_one_offset_are_those_of_any() -> None:
    found = common_offset([ClockOffset(0.0, 0.1), ClockOffset(3.0, 3.1)])
    assert found == ClockOffset(0.0, 3.1, consistent=False)
    assert common_offset([]) is None
