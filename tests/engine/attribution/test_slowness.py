from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from perfscale.engine.attribution.slowness import (
    LateObjects,
    SlowestSoFar,
    slow_after_s,
    slowest_of,
)


@dataclass(eq=False)
class Row:
    sent_s: float | None
    decided: bool = False
    ready_s: float | None = None


def took_s(row: Row, now_s: float) -> float:
    assert row.sent_s is not None
    return (now_s if row.ready_s is None else row.ready_s) - row.sent_s


def test_an_object_is_slow_after_some_times_the_median_and_never_before_the_least() -> None:
    assert slow_after_s(5, 2, 10, ready=5) == 20
    assert slow_after_s(5, 2, 1, ready=5) == 5


def test_without_a_median_an_object_is_slow_late() -> None:
    assert slow_after_s(5, 2, None, ready=0) == 30
    assert slow_after_s(5, 2, 1, ready=4) == 30
    assert slow_after_s(60, 2, None, ready=0) == 60


def test_late_objects_are_found_the_longest_first_and_only_while_they_are_not_ready() -> None:
    rows = [Row(float(number)) for number in range(10)]
    late = LateObjects[Row](5.0)
    assert list(late.find(rows, 4.0)) == []
    assert list(late.find(rows, 7.0)) == rows[:3]
    rows[1].decided = True
    assert list(late.find(rows, 7.5)) == [rows[0], rows[2]]


def test_an_object_that_was_not_sent_yet_is_found_when_it_was() -> None:
    rows = [Row(0.0), Row(None, decided=True), Row(None), Row(None)]
    late = LateObjects[Row](5.0)
    assert list(late.find(rows, 10.0)) == [rows[0]]
    rows[2].sent_s = 10.0
    assert list(late.find(rows, 16.0)) == [rows[0], rows[2]]


def test_rows_that_are_dropped_meanwhile_hide_none_that_follow() -> None:
    rows = [Row(float(number), decided=True) for number in range(10)]
    late = LateObjects[Row](5.0)
    assert list(late.find(rows, 20.0)) == []
    del rows[:9]
    rows.append(Row(16.0))
    assert list(late.find(rows, 30.0)) == [rows[-1]]


def test_the_slowest_take_the_place_of_quicker_ones() -> None:
    slowest = SlowestSoFar[Row](2, took_s)
    quick, slow, slower = Row(0.0, ready_s=5.0), Row(0.0, ready_s=9.0), Row(0.0)
    assert slowest.offer(quick, 20) == (True, None)
    assert slowest.offer(slow, 20) == (True, None)
    assert slowest.offer(quick, 20) == (False, None)
    assert slowest.offer(slower, 20) == (True, quick)
    assert slowest.offer(quick, 20) == (False, None)
    assert slowest.passed_over == 1
    assert list(slowest) == [slow, slower]


@given(st.lists(st.floats(0, 100), max_size=40), st.integers(1, 8))
def test_of_any_objects_the_slowest_are_kept(latencies: list[float], limit: int) -> None:
    rows = [Row(0.0, ready_s=each) for each in latencies]
    slowest = SlowestSoFar[Row](limit, took_s)
    for row in rows:
        slowest.offer(row, 100)
    kept = sorted((took_s(row, 100) for row in slowest), reverse=True)
    expected = slowest_of(rows, limit, took_s, 100)
    assert kept == [took_s(row, 100) for row in expected]
