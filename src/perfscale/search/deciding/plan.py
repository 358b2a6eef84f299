"""What is searched, and how closely."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from perfscale.search.deciding.values import spread

_FILL: Final = 0.9
"""Halves are planned for a tolerance this much smaller, so that values may be round ones."""


class Strategy(StrEnum):
    """How the values are chosen."""

    BISECT = "bisect"
    STEPS = "steps"


@dataclass(frozen=True, slots=True)
class SearchPlan:
    """What is searched, and how closely.

    Attributes:
        start: The lowest value.
        end: The highest; None doubles the value until it is lost.
        tolerance: How far apart the two values of the answer may be, as a share of the lower.
        repeat: How many runs confirm each of them; with ``STEPS``, how many each value has.
        whole: Whether only whole numbers make sense.
        strategy: How the values are chosen.
        steps: With ``STEPS`` and an end, how many values there are.
    """

    start: float
    end: float | None = None
    tolerance: float = 0.05
    repeat: int = 3
    whole: bool = False
    strategy: Strategy = Strategy.BISECT
    steps: int = 8

    @property
    def halvings(self) -> int:
        """How often the range can be halved, by factors, until it is down to the tolerance."""
        if self.end is None:
            return 0
        width = math.log(self.end / self.start) / (_FILL * math.log1p(self.tolerance))
        return math.floor(math.log2(max(1.0, width)))

    @property
    def reach(self) -> float:
        """The factor from the first value to the end, which so many halvings bring down."""
        return math.exp(_FILL * 2**self.halvings * math.log1p(self.tolerance))

    @property
    def curve(self) -> list[float]:
        """The values of ``STEPS`` with an end."""
        end = self.start if self.end is None else self.end
        return spread(self.start, end, self.steps, whole=self.whole)

    @property
    def most_runs(self) -> int | None:
        """How many runs it takes unless runs of one value differ; None if nobody knows."""
        if self.end is None:
            return None
        if self.strategy is Strategy.STEPS:
            return self.repeat * len(self.curve)
        return 2 + self.halvings + 2 * (self.repeat - 1)

    def are_ends(self, low: float, high: float) -> bool:
        """Whether two values are near enough to each other to be the ends of the answer."""
        if self.whole and high - low <= 1:
            return True
        # A value of four digits is up to a thousandth off.
        return high <= low * (1 + self.tolerance) * 1.001
