"""The clock of a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Stopwatch:
    """Seconds since the run's start, on a monotonic clock.

    They are in whole microseconds, as all times in results are, so that
    nobody need round them again.
    """

    clock: Callable[[], float]
    started: float

    def now(self) -> float:
        """Seconds since the start."""
        return self.since_start(self.clock())

    def since_start(self, instant: float) -> float:
        """An instant of the clock as seconds since the start."""
        return int((instant - self.started) * 1e6 + 0.5) / 1e6
