from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfscale.config import format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("0s", 0),
        ("300ms", 0.3),
        ("30s", 30),
        ("1m30s", 90),
        ("1h2m3.5s", 3723.5),
        ("1.5h", 5400),
        ("1h15m30.918273645s", 4530.918273645),
        ("5us", 5e-6),
        ("5\u00b5s", 5e-6),
        ("5\u03bcs", 5e-6),
        ("7ns", 7e-9),
        (".5s", 0.5),
        ("5.s", 5),
        ("+5s", 5),
        ("-5s", -5),
        ("10s1h", 3610),
        ("2562047h47m16.854775807s", 9223372036.854775807),
    ],
)
def test_every_duration_that_go_takes_is_taken(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


def test_a_bare_zero_is_a_duration() -> None:
    assert parse_duration(0) == 0


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (30, "30 has no unit: write 30s"),
        (300_000_000_000, "took it for nanoseconds, which is 5m; write 5m"),
        ("300000000000", "300000000000 has no unit: the old tool took it for nanoseconds"),
        (1_500_000_000, "write 1.5s"),
        (-60_000_000_000, "-60000000000 has no unit: write -60000000000s"),
        ("30", "30 has no unit: write 30s"),
        ("1.5", "1.5 has no unit"),
        ("1h30", "30 has no unit"),
        (True, "no unit"),
        ("", "not a duration"),
        ("s", "not a duration"),
        (".s", "not a duration"),
        ("abc", "not a duration"),
        ("1 m", 'write "1m"'),
        ("2d", "write 48h"),
        ("5min", "the unit is written m, as in 5m"),
        ("5sec", "the unit is written s"),
        ("5S", "the unit is written s"),
        ("5M", "the unit is written m"),
        ("5w", '"w" is not a unit'),
        ("٣s", "not a duration"),
        ("9999999h", "292 years"),
        ("9" * 4999 + "s", "5000 characters"),
    ],
)
def test_what_is_no_duration_is_refused_with_the_way_to_write_it(
    value: str | int, words: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        parse_duration(value)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (1800, "30m"),
        (3600, "1h"),
        (5405, "1h30m5s"),
        (3723.5, "1h2m3.5s"),
        (0.3, "300ms"),
        (0.0015, "1.5ms"),
        (2e-6, "2us"),
        (3e-9, "3ns"),
        (-90, "-1m30s"),
    ],
)
def test_a_duration_is_written_as_short_as_go_reads_it(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@given(st.integers(-(2**63) + 1, 2**63 - 1))
def test_a_duration_written_and_read_is_the_same(nanoseconds: int) -> None:
    seconds = nanoseconds / 10**9
    if abs(seconds) * 10**9 < 2**63 - 1:  # the very largest round up, past what Go can hold
        assert parse_duration(format_duration(seconds)) == seconds


@given(st.text() | st.from_regex(r"[-+]?([0-9.]{0,5}[a-z ]{0,3}){1,4}", fullmatch=True))
def test_any_text_is_a_duration_or_a_value_error(text: str) -> None:
    try:
        seconds = parse_duration(text)
    except ValueError:
        return
    assert parse_duration(format_duration(seconds)) == seconds
