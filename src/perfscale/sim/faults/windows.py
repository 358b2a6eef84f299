"""The time since a simulated server's start, in which faults begin and end."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Uptime:
    """How long the server has been there.

    Args:
        clock: Monotonic, in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began_s: float | None = None

    def begin(self) -> None:
        """The server has started."""
        self._began_s = self._clock()

    def is_within(self, after_s: float, lasts_s: float | None) -> bool:
        """Whether it is so long since the start, and not longer than it lasts."""
        if not after_s and lasts_s is None:
            return True
        if self._began_s is None:
            return False
        since_s = self._clock() - self._began_s - after_s
        return since_s >= 0 and (lasts_s is None or since_s < lasts_s)
