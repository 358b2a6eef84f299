"""Judges when tokens were handed out, on any clock: the rate over sliding windows, the envelope."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

WINDOW_S = 5.0
"""A rate is promised over any so many seconds."""


def allowed_deviation(qps: float) -> float:
    """By how many tokens a window may be off: one percent, or one."""
    return max(1.0, 0.01 * qps * WINDOW_S)


def worst_deviation(times: Sequence[float], *, qps: float, burst: int) -> float:
    """By how many tokens the worst window after the burst is off; negative if they are too few.

    Of all windows, those that begin with a token, or right after one, are the extremes.
    """
    after = times[burst - 1 :]
    expected = qps * WINDOW_S
    starts = range(bisect_right(after, after[-1] - WINDOW_S))
    assert starts, "it did not take a window's time"
    most = max(bisect_right(after, after[start] + WINDOW_S) - start for start in starts)
    fewest = min(bisect_left(after, after[start] + WINDOW_S) - start - 1 for start in starts)
    return max(most - expected, fewest - expected, key=abs)


def most_ahead(times: Sequence[float], *, qps: float, burst: int) -> float:
    """By how many tokens it was ever ahead of burst + qps * t, counted from the first; or 0."""
    counted = enumerate(times, start=1)
    return max(0.0, *(number - burst - qps * (time - times[0]) for number, time in counted))
