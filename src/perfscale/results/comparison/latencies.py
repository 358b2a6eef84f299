"""One latency of two runs side by side."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from perfscale.config.sections.metrics import PERCENTILES
from perfscale.results.comparison.rows import Limits, Row, Subject, Verdict
from perfscale.results.comparison.significance import quantile_test, rank_sum_test

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perfscale.results.measure.statistics.percentiles import LatencySamples
    from perfscale.results.model.document import Statistics

_SHOWN: Final = ("p50", "p90", "p95", "p99")
_ENOUGH: Final = 10
"""Samples of each run; with fewer, the test's approximation does not hold."""


@dataclass(frozen=True)
class LatencyPair:
    """One latency of two runs; without ``samples`` where one of them has no records."""

    name: str
    base: Statistics
    new: Statistics
    samples: tuple[LatencySamples, LatencySamples] | None

    def shown(self, subject: Subject) -> Iterator[Row]:
        """A row for each percentile, without a verdict."""
        for statistic in _SHOWN:
            yield Row(
                subject, self.name, statistic, self.base.get(statistic), self.new.get(statistic)
            )

    def judged(self, subject: Subject, limits: Limits) -> Iterator[Row]:
        """A row for each percentile, with what to think of it."""
        for statistic in _SHOWN:
            base, new = self.base.get(statistic), self.new.get(statistic)
            p_value = self._chance(PERCENTILES[statistic], longer=_seconds(new) > _seconds(base))
            verdict = Verdict.SAME
            likely = p_value is None or p_value < limits.significance
            if likely and _differ(_seconds(base), _seconds(new), limits):
                verdict = Verdict.WORSE if _seconds(new) > _seconds(base) else Verdict.BETTER
            yield Row(subject, self.name, statistic, base, new, p_value, verdict)

    def _chance(self, quantile: float, *, longer: bool) -> float | None:
        """Two tests are tried, so twice the smaller p-value is the one of both (Bonferroni)."""
        if self.samples is None or min(each.total for each in self.samples) < _ENOUGH:
            return None
        shorter, other = self.samples if longer else self.samples[::-1]
        whole = self._longer if longer else self._shorter
        return min(1.0, 2 * min(whole, quantile_test(shorter, other, quantile)))

    @cached_property
    def _longer(self) -> float:
        return 1.0 if self.samples is None else rank_sum_test(*self.samples)

    @cached_property
    def _shorter(self) -> float:
        return 1.0 if self.samples is None else rank_sum_test(*self.samples[::-1])


def _seconds(value: float | None) -> float:
    """What was not reached is longer than everything."""
    return math.inf if value is None else value


def _differ(base: float, new: float, limits: Limits) -> bool:
    if base == new:
        return False
    shorter, longer = min(base, new), max(base, new)
    if math.isinf(longer):
        return True
    return (
        longer - shorter >= limits.min_difference_s and abs(new - base) >= limits.threshold * base
    )
