"""How far clocks were from each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from perfscale.config import format_duration

STAMP_RESOLUTION_S: Final = 1.0
"""Of timestamps in Kubernetes (``metav1.Time``), which are cut down to the second:
https://pkg.go.dev/k8s.io/apimachinery/pkg/apis/meta/v1#Time"""


@dataclass(frozen=True, slots=True)
class ClockOffset:
    """Between which bounds the server's clock is ahead of ours, in seconds.

    Attributes:
        low_s: The least that it may be ahead, when the last answer came.
        high_s: The most.
        consistent: Whether one offset agrees with every answer. If not, a clock
            was set while the run went on, or servers behind one address have
            different clocks: the bounds are then those of any of them.
    """

    low_s: float
    high_s: float
    consistent: bool = True

    @property
    def offset_s(self) -> float:
        """The middle: the server's time less ours."""
        return (self.low_s + self.high_s) / 2

    @property
    def uncertainty_s(self) -> float:
        """How far the offset may be from the middle, either way."""
        return (self.high_s - self.low_s) / 2

    def seen_from(self, least_s: float, most_s: float) -> ClockOffset:
        """The same from another clock, which ours is ahead of by ``least_s`` to ``most_s``."""
        low_s, high_s = round(self.low_s + least_s, 6), round(self.high_s + most_s, 6)
        return ClockOffset(low_s, high_s, consistent=self.consistent)


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

    @property
    def reason(self) -> str | None:
        """Why latencies by these stamps are not what they seem; None where they are."""
        surely_off = self.low_s >= STAMP_RESOLUTION_S or self.high_s <= -STAMP_RESOLUTION_S
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
