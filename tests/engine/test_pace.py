import pytest

from perfscale.engine.load.pace import Pace


def test_the_first_burst_is_due_at_once_and_the_rest_at_the_rate() -> None:
    pace = Pace(qps=10, burst=3)
    pace.begin(100.0)
    due = [pace.next_due(100.0) for _ in range(6)]
    assert due == pytest.approx([100.0, 100.0, 100.0, 100.1, 100.2, 100.3])


def test_the_schedule_does_not_slow_down_with_the_server() -> None:
    pace = Pace(qps=10, burst=1)
    pace.begin(0.0)
    due = [pace.next_due(now) for now in (0.0, 5.0, 5.0)]
    assert due == pytest.approx([0.0, 0.1, 0.2])


def test_a_pause_fills_the_bucket_no_deeper_than_the_burst() -> None:
    pace = Pace(qps=10, burst=2)
    pace.begin(0.0)
    for _ in range(4):
        pace.next_due(0.0)
    pace.begin(60.0)
    assert [pace.next_due(60.0) for _ in range(3)] == pytest.approx([60.0, 60.0, 60.1])


def test_the_next_iteration_finds_the_bucket_as_the_last_one_left_it() -> None:
    pace = Pace(qps=10, burst=2)
    pace.begin(0.0)
    for _ in range(4):
        pace.next_due(0.0)
    pace.begin(0.2)
    assert pace.next_due(0.2) == pytest.approx(0.3)


def test_without_a_rate_everything_is_due_when_it_is_asked_for() -> None:
    pace = Pace(qps=0, burst=1)
    pace.begin(0.0)
    assert [pace.next_due(now) for now in (1.0, 1.5)] == [1.0, 1.5]
