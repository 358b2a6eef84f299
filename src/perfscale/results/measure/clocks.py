"""How far clocks are from each other: the server's from ours, and those that stamp objects.

A server dates an answer between the moment at which the request was sent (at
``s`` on our clock) and the one at which the answer had come (at ``a``), and cuts
its own time down to the second: it was in ``[D, D + 1)``. So the offset, its time
less ours, lies between ``D - a`` and ``D + 1 - s``. Each answer gives such an
interval, and the offset lies in all of them: with many answers, what they have in
common is about as long as a request takes. The idea is Marzullo's, of intersecting
the intervals of what different sources say (K. Marzullo, *Maintaining the Time in
a Distributed System*, Stanford, 1984). Clocks drift apart, so an interval is worth
less the older it is: it grows by 15 millionths of its age at either end, which is
what NTP allows a clock.

The API server stamps an object's creation, controllers on other machines stamp
its phases. A latency between the two stamps is wrong by the difference of their
clocks, which is not reported; but it can be bounded, without a clock of our own
that is right. A stamp *S* in whole seconds was read off its clock, between *S*
and *S* + 1, at a moment that lies between two of ours: the request to create the
object and the event that had the stamp. So that clock is ahead of ours by at least
``S - latest`` and at most ``S + 1 - earliest``. Each stamp gives such an
interval too, and what all have in common is often hardly longer than the quickest
requests; the difference of two such bounds does not depend on our clock.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

from perfscale.results.model.client.clocks import STAMP_RESOLUTION_S, ClockOffset, PhaseClock

if TYPE_CHECKING:
    from collections.abc import Sequence

_RESOLUTION_S: Final = 1.0
"""Of a ``Date`` header: https://www.rfc-editor.org/rfc/rfc9110#field.date"""
_DRIFT: Final = 15e-6
"""PHI, the tolerance of frequency: https://www.rfc-editor.org/rfc/rfc5905#section-7.2"""
_MOST_DRIFT_S: Final = 0.1
"""What clocks may drift apart in two hours, by 15 millionths:
https://www.rfc-editor.org/rfc/rfc5905#section-7.2"""


class ClockBounds:
    """Narrows the offset down, second by second of the server's.

    Of the answers with one date, the first to come says the most of the lower
    bound, and the last to be sent of the upper one; so the bounds are only looked
    at when the date changes.

    Args:
        epoch_s: Our wall clock, in seconds since 1970, when the clock that the
            answers are timed by read 0.
    """

    def __init__(self, epoch_s: float) -> None:
        self._epoch_s = epoch_s
        self._low_s, self._high_s = -math.inf, math.inf
        self._lowest_s, self._highest_s = math.inf, -math.inf
        self._at_s = 0.0
        self._date = ""
        self._second_s: float | None = None
        self._begin(0.0, 0.0)

    def _begin(self, sent_s: float, answered_s: float) -> None:
        """The first answer with another date."""
        self._first_sent_s = self._last_sent_s = sent_s
        self._first_answered_s = self._last_answered_s = answered_s

    def observe(self, date: str, sent_s: float, answered_s: float) -> None:
        """Take one answer. Called for every request; a date that is none says nothing."""
        if date == self._date:
            if sent_s < self._first_sent_s:
                self._first_sent_s = sent_s
            if sent_s > self._last_sent_s:
                self._last_sent_s = sent_s
            self._last_answered_s = answered_s
            return
        self._conclude()
        self._date = date
        self._second_s = _second(date)
        self._begin(sent_s, answered_s)

    def offset(self) -> ClockOffset | None:
        """What is known; None without an answer that had a date."""
        self._conclude()
        if math.isinf(self._low_s):
            return None
        if self._low_s <= self._high_s:
            return ClockOffset(round(self._low_s, 6), round(self._high_s, 6))
        return ClockOffset(round(self._lowest_s, 6), round(self._highest_s, 6), consistent=False)

    def _conclude(self) -> None:
        """Take what the answers with the last date say, as far as they have come."""
        if self._second_s is None:
            return
        begin_s = self._second_s - self._epoch_s
        end_s = begin_s + _RESOLUTION_S
        drift_s = _DRIFT * abs(self._last_answered_s - self._at_s)
        self._at_s = self._last_answered_s
        self._low_s = max(self._low_s - drift_s, begin_s - self._first_answered_s)
        self._high_s = min(self._high_s + drift_s, end_s - self._last_sent_s)
        self._lowest_s = min(self._lowest_s, begin_s - self._last_answered_s)
        self._highest_s = max(self._highest_s, end_s - self._first_sent_s)


def _second(date: str) -> float | None:
    try:
        return parsedate_to_datetime(date).timestamp()
    except (ValueError, OverflowError):
        return None


def common_offset(found: Sequence[ClockOffset]) -> ClockOffset | None:
    """What several have found out of one offset; None if nobody has.

    Where that cannot be one, the bounds are those of any of them.
    """
    if not found:
        return None
    low_s, high_s = max(each.low_s for each in found), min(each.high_s for each in found)
    if all(each.consistent for each in found) and low_s <= high_s + _MOST_DRIFT_S:
        return ClockOffset(min(low_s, high_s), max(low_s, high_s))
    least_s, most_s = min(each.low_s for each in found), max(each.high_s for each in found)
    return ClockOffset(least_s, most_s, consistent=False)


@dataclass(slots=True)
class StampBounds:
    """Between which bounds a clock is ahead of ours, by its stamps; bounds of many add up."""

    low_s: float = -math.inf
    high_s: float = math.inf

    def narrow(self, least_s: float, most_s: float) -> None:
        """Take a stamp: less the latest moment at which it can have been made, and the earliest."""
        most_s += STAMP_RESOLUTION_S
        if least_s > self.low_s:
            self.low_s = least_s
        if most_s < self.high_s:
            self.high_s = most_s

    def add(self, other: StampBounds) -> None:
        """Take everything that ``other`` took."""
        self.low_s = max(self.low_s, other.low_s)
        self.high_s = min(self.high_s, other.high_s)

    @property
    def is_known(self) -> bool:
        """Whether it took any."""
        return math.isfinite(self.low_s)


def phase_clock(
    phases: StampBounds, creations: StampBounds, *, negative: int, count: int
) -> PhaseClock | None:
    """What the stamps of phases and of creations say of the clocks; None without any."""
    if not phases.is_known or not creations.is_known:
        return None
    low_s = round(phases.low_s - creations.high_s, 6)
    high_s = round(phases.high_s - creations.low_s, 6)
    agree = all(each.low_s <= each.high_s + _MOST_DRIFT_S for each in (phases, creations))
    return PhaseClock(min(low_s, high_s), max(low_s, high_s), agree, negative, count)
