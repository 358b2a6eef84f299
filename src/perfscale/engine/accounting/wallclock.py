"""Notices that somebody set the wall clock while a run went on.

All times of a run are made from its start and the monotonic clock, which nobody
sets. But logs and metrics of other programs on this machine go by the wall clock,
and so does whoever looks up in them what happened in a run.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from perfscale.results import ClockStep

if TYPE_CHECKING:
    from collections.abc import Callable

_LEAST_S: Final = 0.5
"""A smaller difference is no step: NTP slews a clock by half a millisecond a second."""
_SAME_MOMENT_S: Final = 0.05
"""If reading both clocks takes longer, they were not read at the same moment."""


class WallClock:
    """Compares the wall clock with the monotonic one.

    Args:
        clock: Monotonic, in seconds.
        wall: Seconds since 1970.
    """

    def __init__(self, clock: Callable[[], float], wall: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._wall = wall
        self._offset_s: float | None = None
        self.find_step(0.0)

    def find_step(self, now: float) -> ClockStep | None:
        """How far the wall clock was set since the last time, if it was.

        Args:
            now: Seconds since the run's start.
        """
        before_s = self._clock()
        offset_s = self._wall() - before_s
        if self._clock() - before_s > _SAME_MOMENT_S:
            return None
        last_s, self._offset_s = self._offset_s, offset_s
        if last_s is None or abs(offset_s - last_s) < _LEAST_S:
            return None
        return ClockStep(round(now, 6), round(offset_s - last_s, 3))
