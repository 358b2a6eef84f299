"""A change of a series' level, and from where on a difference is one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple


class Limits(NamedTuple):
    """From where on a difference of two levels is a change.

    Attributes:
        threshold: By which share of the level before it has to differ.
        significance: Which p-value it has to be below.
        least: By how much it has to differ at least, in the unit of the series.
    """

    threshold: float = 0.05
    significance: float = 0.001
    least: float = 0.0


@dataclass(frozen=True, slots=True)
class Change:
    """A change of level.

    Attributes:
        index: The first value of the other level; it may be any from ``first`` to ``last`` (95 %).
        before: The median of the level before, and of the one after.
    """

    index: int
    first: int
    last: int
    before: float
    after: float
    p_value: float

    def is_beyond(self, limits: Limits) -> bool:
        """Whether the levels differ by enough to matter."""
        return abs(self.share) >= limits.threshold and abs(self.after - self.before) >= limits.least

    @property
    def share(self) -> float:
        """The difference as a share of the level before; infinite where that is 0."""
        if self.before == self.after:
            return 0.0
        if not self.before:
            return math.copysign(math.inf, self.after)
        return (self.after - self.before) / abs(self.before)

    @property
    def difference(self) -> str:
        """The share, for a person."""
        return f"{self.share:+.1%}" if math.isfinite(self.share) else "from 0"
