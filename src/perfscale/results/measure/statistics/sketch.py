"""Percentiles of any number of latencies in bounded memory, each within one per cent.

This is the sketch of Masson, Rim and Lee, "DDSketch: A Fast and Fully-Mergeable
Quantile Sketch with Relative-Error Guarantees", PVLDB 12 (2019), 2195-2205:
latencies are counted in buckets whose borders are the powers of
``gamma = (1 + a) / (1 - a)``; what stands for a bucket is ``2 gamma^i / (gamma + 1)``,
from which no latency in it is further than ``a`` of itself. Sketches add up.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from dataclasses import replace
from itertools import accumulate
from math import ceil, log
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

import msgspec

from perfscale.results.model.latency import QUANTILES, LatencySummary

if TYPE_CHECKING:
    from collections.abc import Sequence

RELATIVE_ERROR: Final = 0.01
_GAMMA: Final = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR)
_PER_LOG: Final = 1 / math.log(_GAMMA)
_SHORTEST_S: Final = 1e-6
"""What is shorter counts as this: there are some 900 buckets from here to a minute."""


class Sketch(msgspec.Struct):
    """Latencies, counted.

    Attributes:
        buckets: How many are in each.
        shortest_s: The shortest of all, and likewise the longest, as they were.
        total_s: Their sum.
    """

    buckets: dict[int, int] = msgspec.field(default_factory=dict)
    shortest_s: float = math.inf
    longest_s: float = 0.0
    total_s: float = 0.0

    def count(self, seconds: float) -> None:
        """Count one more. Called for every request."""
        counted_s = seconds if seconds > _SHORTEST_S else _SHORTEST_S
        bucket = ceil(log(counted_s) * _PER_LOG)
        self.buckets[bucket] = self.buckets.get(bucket, 0) + 1
        self.total_s += seconds
        if seconds < self.shortest_s:
            self.shortest_s = seconds
        if seconds > self.longest_s:
            self.longest_s = seconds

    def add(self, other: Sketch) -> None:
        """Count everything that ``other`` counted."""
        for bucket, count in other.buckets.items():
            self.buckets[bucket] = self.buckets.get(bucket, 0) + count
        self.total_s += other.total_s
        self.shortest_s = min(self.shortest_s, other.shortest_s)
        self.longest_s = max(self.longest_s, other.longest_s)

    def since(self, earlier: Sketch) -> Sketch:
        """What was counted after this sketch was as ``earlier``.

        The shortest and the longest are bounds: those of all.
        """
        before = earlier.buckets
        changes = ((each, count - before.get(each, 0)) for each, count in self.buckets.items())
        return msgspec.structs.replace(
            self,
            buckets={bucket: count for bucket, count in changes if count > 0},
            total_s=self.total_s - earlier.total_s,
        )

    def ends(self) -> tuple[float, ...]:
        """The shortest and the longest of all, as they were; nothing where there is none."""
        return (self.shortest_s, self.longest_s) if self.buckets else ()

    def copy(self) -> Sketch:
        """One that does not change when this one counts on."""
        return msgspec.structs.replace(self, buckets=dict(self.buckets))

    def cumulate(self, bounds_s: Sequence[float]) -> list[int]:
        """How many are not longer than each bound, in ascending order; and at the end, all.

        A latency that is within one per cent of a bound may count on either side of it, but for
        the longest.
        """
        # Up to which bucket what stands for it is not longer than the bound.
        last = [
            math.inf
            if bound_s >= self.longest_s
            else math.floor(math.log(max(bound_s, _SHORTEST_S) * (_GAMMA + 1) / 2) * _PER_LOG)
            for bound_s in bounds_s
        ]
        counts = [0] * (len(bounds_s) + 1)
        for bucket, count in self.buckets.items():
            counts[bisect_left(last, bucket)] += count
        return list(accumulate(counts))

    def summarize(self) -> LatencySummary:
        """Every statistic; ``min``, ``max`` and ``mean`` are exact."""
        count = sum(self.buckets.values())
        return LatencySummary(
            count=count,
            missing=0,
            min=self.shortest_s if count else None,
            max=self.longest_s if count else None,
            mean=self.total_s / count if count else None,
            earliest=None,
            not_waited_for=None,
            **dict(zip(QUANTILES, self.percentiles(*QUANTILES.values()), strict=True)),
        )

    def estimate(self, missing: int) -> LatencySummary:
        """Every statistic, within one per cent of that of the samples themselves.

        Args:
            missing: How many took longer than all that were counted.
        """
        summary = self.summarize()
        found: dict[str, Any] = {
            name: self._between_ranks(quantile, summary.count, missing)
            for name, quantile in QUANTILES.items()
        }
        if missing:
            found |= {"missing": missing, "max": None, "mean": None}
        return replace(summary, **found)

    def _between_ranks(self, quantile: float, count: int, missing: int) -> float | None:
        """As `statistics.percentiles.percentile`: between the closest ranks."""
        rank = (count + missing - 1) * quantile
        lower = math.floor(rank)
        fraction = rank - lower
        upper = lower + 1 if fraction else lower
        if lower < 0 or upper >= count:
            return None
        # From the middle of their steps, so that no rounding leads to the sample before.
        steps = max(1, count - 1)
        first, second = self.percentiles((lower + 0.5) / steps, (upper + 0.5) / steps)
        if first is None or second is None:
            return None
        return first + (second - first) * fraction

    def percentiles(self, *quantiles: float) -> list[float | None]:
        """What stands for the sample of rank ``quantile * (count - 1)``, counted from 0.

        Args:
            quantiles: From 0 to 1.

        Returns:
            Seconds, one for each; None where nothing was counted.
        """
        found: list[float | None] = []
        members = sorted(self.buckets.items())
        ranks = [*accumulate(map(itemgetter(1), members))]
        for quantile in quantiles:
            if not ranks:
                found.append(None)
                continue
            bucket, _ = members[bisect_right(ranks, math.floor(quantile * (ranks[-1] - 1)))]
            middle_s = 2 * _GAMMA**bucket / (_GAMMA + 1)
            found.append(min(max(middle_s, self.shortest_s), self.longest_s))
        return found
