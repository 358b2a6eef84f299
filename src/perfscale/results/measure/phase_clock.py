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

from perfscale.config import format_duration

_RESOLUTION_S: Final = 1.0
"""Of timestamps in Kubernetes (``metav1.Time``), which are cut down to the second:
https://pkg.go.dev/k8s.io/apimachinery/pkg/apis/meta/v1#Time"""
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
        self.low_s = max(self.low_s, stamp_s - latest_s)
        self.high_s = min(self.high_s, stamp_s + _RESOLUTION_S - earliest_s)

    def add(self, other: StampBounds) -> None:
        """Take everything that ``other`` took."""
        self.low_s = max(self.low_s, other.low_s)
        self.high_s = min(self.high_s, other.high_s)

    @property
    def is_known(self) -> bool:
        """Whether it took any."""
        return math.isfinite(self.low_s)


@dataclass(frozen=True, slots=True)
class PhaseClock:
    """How far the clocks of the controllers are ahead of the API server's.

    Attributes:
        low_s: The least, in seconds; less than 0 where they are behind.
        high_s: The most.
        consistent: Whether one difference agrees with every stamp. If not, the
            controllers, or several API servers, have different clocks.
        negative: Latencies that were less than 0, and are left out.
        count: All latencies between the stamps.
    """

    low_s: float
    high_s: float
    consistent: bool
    negative: int
    count: int

    @classmethod
    def between(
        cls, phases: StampBounds, creations: StampBounds, *, negative: int, count: int
    ) -> PhaseClock | None:
        """What the stamps of phases and of creations say; None without any."""
        if not phases.is_known or not creations.is_known:
            return None
        low_s = round(phases.low_s - creations.high_s, 6)
        high_s = round(phases.high_s - creations.low_s, 6)
        agree = all(each.low_s <= each.high_s + _DRIFT_S for each in (phases, creations))
        return cls(min(low_s, high_s), max(low_s, high_s), agree, negative, count)

    @property
    def reason(self) -> str | None:
        """Why latencies by these stamps are not what they seem; None where they are."""
        surely_off = self.low_s >= _RESOLUTION_S or self.high_s <= -_RESOLUTION_S
        if not self.negative and self.consistent and not surely_off:
            return None
        wrong = (
            "the API server stamps the creation and controllers stamp the phases: latencies by "
            "these stamps are wrong by the difference of their clocks"
        )
        if self.negative:
            wrong += f", and {self.negative} of {self.count} are negative and left out"
        return f"{wrong}; {self._difference}"

    @property
    def _difference(self) -> str:
        if not self.consistent:
            span = f"from {self.low_s:+.1f} s to {self.high_s:+.1f} s"
            return f"the controllers' clocks differ from each other, {span}"
        if self.low_s < 0 < self.high_s:
            bound_s = round(max(-self.low_s, self.high_s), 1)
            return f"the controllers' clock is off by at most {format_duration(bound_s)}"
        word = "ahead" if self.low_s >= 0 else "behind"
        least, most = sorted(abs(round(value, 1)) for value in (self.low_s, self.high_s))
        span = format_duration(least) + (f" to {format_duration(most)}" if most > least else "")
        return f"the controllers' clock is {word} by {span}"
