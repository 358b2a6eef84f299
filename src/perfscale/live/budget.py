"""How often the page is drawn: seldom enough that the run does not notice."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_SHARE: Final = 0.01
"""Of the processor time of the process, for the page.

Readers may cost a run a tenth. What the server is made of takes up to half of that in a run of
a minute, whoever reads; what is sent, and what is counted once a second, is not in this share.
"""
_SHORTEST_S: Final = 1.0
_LONGEST_S: Final = 5.0
"""Readers do not wait longer, although the page may then take a larger share of little."""
_EARLY_S: Final = 0.1
"""It may be drawn so much too early, or who looks once a second would be a second late."""


class Budget:
    """Decides when the page may be drawn again.

    Args:
        clock: Seconds, monotonic.
        used_s: Processor time that the process has used until now, in seconds.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        used_s: Callable[[], float] = time.process_time,
    ) -> None:
        self._clock = clock
        self._used_s = used_s
        self._spent_s = 0.0
        self._last_cost_s = 0.0
        self._last_s: float | None = None
        self._hurries = False

    def allows(self) -> bool:
        """Whether the page may be drawn now."""
        if self._last_s is None:
            return True
        since_s = self._clock() - self._last_s + _EARLY_S
        if since_s < _SHORTEST_S:
            return False
        return (
            self._hurries
            or self._spent_s + self._last_cost_s <= _SHARE * self._used_s()
            or since_s >= _LONGEST_S
        )

    def hurry(self) -> None:
        """Allow the next drawing a second after the last one, whatever it costs."""
        self._hurries = True

    def spend(self, cost_s: float) -> None:
        """It was drawn, which took so much processor time."""
        self._hurries = False
        self._last_s = self._clock()
        self._last_cost_s = cost_s
        self._spent_s += cost_s
