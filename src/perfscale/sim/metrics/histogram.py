"""A histogram that costs a request next to nothing."""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class Histogram:
    """Counts observations by the first bound that they do not exceed.

    Args:
        bounds: The upper bounds of the buckets, ascending; one without a bound is added.
    """

    __slots__ = ("_bounds", "_counts", "sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def observe(self, value: float) -> None:
        """Count one value."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self.sum += value

    def buckets(self) -> list[tuple[str, float]]:
        """The label ``le`` of each bucket, and how many values are in it or a lower one."""
        labels = [*(f"{bound:g}" for bound in self._bounds), "+Inf"]
        return list(zip(labels, map(float, accumulate(self._counts)), strict=True))
