"""How far the clocks that stamp phases are from the one that stamps creations.

The API server stamps an object's creation, controllers on other machines stamp
its phases. A latency between the two stamps is wrong by the difference of their
clocks, which nobody tells; but it can be bounded, without a clock of our own
that is right. A stamp *S* in whole seconds was read off its clock, between *S*
and *S* + 1, at a moment that lies between two of ours: the request to create the
object and what told us of the stamp. So that clock is ahead of ours by at least
``S - latest`` and at most ``S + 1 - earliest``. Each stamp gives such an
interval, as in `perfscale.results.measure.clock`, and what all have in common is often
hardly longer than the quickest requests; the difference of two such bounds does
not depend on our clock.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from perfscale.results.model.clocks import STAMP_RESOLUTION_S, PhaseClock

_DRIFT_S: Final = 0.1
"""What clocks may drift apart in two hours, by 15 millionths:
https://www.rfc-editor.org/rfc/rfc5905#section-7.2"""


@dataclass(slots=True)
class StampBounds:
    """Between which bounds a clock is ahead of ours, by its stamps; bounds of many add up."""

    low_s: float = -math.inf
    high_s: float = math.inf

    def take(self, stamp_s: float, earliest_s: float, latest_s: float) -> None:
        """Take a stamp that was made between two moments of ours."""
        low_s, high_s = stamp_s - latest_s, stamp_s + STAMP_RESOLUTION_S - earliest_s
        if low_s > self.low_s:  # noqa: PLR1730 -- several times an object; a call costs thrice that
            self.low_s = low_s
        if high_s < self.high_s:  # noqa: PLR1730 -- as above
            self.high_s = high_s

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
    agree = all(each.low_s <= each.high_s + _DRIFT_S for each in (phases, creations))
    return PhaseClock(min(low_s, high_s), max(low_s, high_s), agree, negative, count)
