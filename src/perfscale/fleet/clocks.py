"""How far a generator's clocks are from the coordinator's, from round trips: pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from perfscale.fleet.messages import Clocks


class RoundTrip(NamedTuple):
    """A probe and its answer; times are the coordinator's, in seconds.

    Attributes:
        sent_s: When the probe was sent, on the monotonic clock.
        wall_s: The same, since 1970.
        came_s: When the answer came, on the monotonic clock.
        answer: The generator's clocks, at some moment in between.
    """

    sent_s: float
    wall_s: float
    came_s: float
    answer: Clocks

    @property
    def took_s(self) -> float:
        """How long the round trip took."""
        return self.came_s - self.sent_s


class ClockBounds(NamedTuple):
    """How far a generator's clocks are ahead of the coordinator's, in seconds.

    Attributes:
        monotonic_s: Its monotonic clock, to `uncertainty_s` either way; 0 if that may be: on one
            machine all processes share that clock.
        low_s: Its wall clock, at least.
        high_s: Its wall clock, at most.
        uncertainty_s: Half of the round trip.
    """

    monotonic_s: float
    low_s: float
    high_s: float
    uncertainty_s: float


def bound_clocks(trips: Iterable[RoundTrip]) -> ClockBounds:
    """The bounds by the quickest of several round trips, of which there is one at least.

    They hold however long each took, and whatever else went on: nothing but the width suffers.
    """
    best = min(trips, key=lambda trip: trip.took_s)
    half_s = best.took_s / 2
    offset_s = best.answer.monotonic_s - best.sent_s - half_s
    ahead_s = best.answer.wall_s - best.wall_s - half_s
    if abs(offset_s) <= half_s:
        offset_s = 0.0
    return ClockBounds(offset_s, ahead_s - half_s, ahead_s + half_s, half_s)
