"""Ranges have the whole test in them, with a scrape before it and one after."""

from datetime import UTC, datetime

import pytest

from perfscale.audit.window import VARIABLES, Window

END = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("duration_s", "interval_s", "range_s"),
    [
        (600.0, 30.0, 660),  # the test, and an interval on both sides
        (60.0, 1.0, 62),
        (60.2, 1.0, 63),
        (60.0, 30.0, 300),  # ten scrapes at least
        (240.0, 30.0, 300),
        (240.1, 30.0, 301),
    ],
)
def test_a_range_spans_the_test_and_ten_scrapes_at_least(
    duration_s: float, interval_s: float, range_s: int
) -> None:
    window = Window.ending(END, duration_s, interval_s)
    assert window.range_s == range_s
    assert window.variables()["range"] == f"{range_s}s"


def test_a_range_ends_one_scrape_after_the_test() -> None:
    window = Window.ending(END, 600.0, 30.0)
    assert window.variables()["offset"] == "-30s"
    reaches_back_to = END.timestamp() - window.offset_s - window.range_s
    assert reaches_back_to == window.start.timestamp() - 30


def test_how_much_of_the_time_before_a_short_test_is_in_its_range() -> None:
    assert Window.ending(END, 600.0, 30.0).before_s == 0
    assert Window.ending(END, 60.0, 30.0).before_s == 180


def test_a_long_test_has_no_more_points_than_prometheus_gives() -> None:
    assert Window.ending(END, 60.0, 1.0).step_s == 1
    assert Window.ending(END, 24 * 3600.0, 1.0).step_s == 87


def test_every_variable_has_a_value() -> None:
    assert Window.ending(END, 60.0, 1.0).variables().keys() == VARIABLES
