"""Exact latency statistics in which the objects that never got there count too.

An object that never became ready took longer than every one that did. Leaving
it out would make a run look better the worse it went, so each is counted as a
sample of infinite length: a percentile that falls among them was *not
reached*, which is None here and ``null`` in JSON, never some other number.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_right
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from perfscale.results.measure.statistics.sketch import Sketch
from perfscale.results.model.latency import QUANTILES, Earliest, LatencySummary, NotWaitedFor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

_HALF: Final = 0.5


class LatencySamples:
    """Samples of one latency; eight bytes each, so that all can be kept.

    Of what has no end, `fold` keeps a bounded number; the statistics are within one per cent then.

    Attributes:
        values: The samples, in no order.
        missing: Objects that never got there.
        not_waited_for: Who of the missing was ready, but came to no milestone.
        add: Count an object that got there after so many seconds. Called some
            twenty times for each object, so there is nothing in between.
    """

    __slots__ = (
        "_doubted",
        "_earliest",
        "_folded",
        "_summary",
        "add",
        "missing",
        "not_waited_for",
        "values",
    )

    def __init__(self) -> None:
        self.values = array("d")
        self._doubted: array[float] | None = None
        self._earliest: array[float] | None = None
        self._folded: _Folded | None = None
        self.missing = 0
        self.not_waited_for: NotWaitedFor | None = None
        self.add: Callable[[float], None] = self.values.append
        self._summary: LatencySummary | None = None

    def add_missing(self) -> None:
        """Count an object that never got there."""
        self.missing += 1

    def doubt(self, seconds: float, earliest_s: float) -> None:
        """A sample that was counted as ``seconds`` may be as short as ``earliest_s``."""
        if self._doubted is None or self._earliest is None:
            self._doubted, self._earliest = array("d"), array("d")
        self._doubted.append(seconds)
        self._earliest.append(earliest_s)
        self._summary = None

    def extend(self, other: LatencySamples) -> None:
        """Count everything that ``other`` counted."""
        self.values.extend(other.values)
        self.missing += other.missing
        if other._doubted is not None and other._earliest is not None:
            self._doubted = (self._doubted or array("d")) + other._doubted
            self._earliest = (self._earliest or array("d")) + other._earliest
            self._summary = None
        if other._folded is not None:
            self._folded = self._folded or _Folded()
            self._folded.add(other._folded)
            self._summary = None

    def fold(self, most: int) -> None:
        """If there are more than so many samples as they were, keep no more than their sketch."""
        if len(self.values) <= most:
            return
        self._folded = self._folded or _Folded()
        self._folded.count(self.values, self._doubted, self._earliest)
        del self.values[:]
        self._doubted = self._earliest = self._summary = None

    @property
    def total(self) -> int:
        """All objects that are counted, there or not."""
        return self._count + self.missing

    @property
    def _count(self) -> int:
        return len(self.values) + (0 if self._folded is None else self._folded.total)

    def ordered(self) -> Sequence[float]:
        """The samples in ascending order; they are put into it, to be sorted quickly again."""
        self.values[:] = array("d", sorted(self.values))
        return self.values

    def ends(self) -> tuple[float, ...]:
        """The shortest and the longest sample; nothing where there is none."""
        ordered = self.ordered()
        return (ordered[0], ordered[-1]) if ordered else ()

    def cumulate(self, bounds_s: Sequence[float]) -> list[int]:
        """How many are not longer than each bound, in ascending order; at the end, all objects."""
        ordered = self.ordered()
        # The last bound is the longest sample of all, but for what calculating with it has lost.
        counts = [bisect_right(ordered, bound_s * (1 + 1e-9)) for bound_s in bounds_s]
        return [*counts, len(ordered) + self.missing]

    def summarize(self) -> LatencySummary:
        """Sort, and read every statistic off; once, as long as nothing more is counted."""
        known = self._summary
        counts = self._count, self.missing, self.not_waited_for
        if known is None or (known.count, known.missing, known.not_waited_for) != counts:
            known = self._summary = self._summarize()
        return known

    def _summarize(self) -> LatencySummary:
        if self._folded is not None:
            everything = _Folded()
            everything.add(self._folded)
            everything.count(self.values, self._doubted, self._earliest)
            return everything.summarize(self.missing)
        ordered = self.ordered()
        complete = bool(ordered) and not self.missing
        return LatencySummary(
            count=len(ordered),
            missing=self.missing,
            min=ordered[0] if ordered else None,
            max=ordered[-1] if complete else None,
            mean=math.fsum(ordered) / len(ordered) if complete else None,
            earliest=self._summarize_earliest(ordered),
            not_waited_for=self.not_waited_for,
            **_percentiles(ordered, self.missing),
        )

    def _summarize_earliest(self, ordered: Sequence[float]) -> Earliest | None:
        if not self._doubted or not self._earliest:
            return None
        early = sorted(_early(ordered, self._doubted, self._earliest))
        return Earliest(
            uncertain=len(self._earliest),
            max=early[-1] if not self.missing else None,
            **_percentiles(early, self.missing),
        )


def _early(
    values: Iterable[float], doubted: Iterable[float], earliest: Iterable[float]
) -> Iterator[float]:
    """The samples, those that are doubted as short as they may be."""
    yield from earliest
    left = Counter(doubted)
    for value in values:
        if left[value]:
            left[value] -= 1
        else:
            yield value


class _Folded:
    """Samples in bounded memory, and the same as short as they may be.

    Attributes:
        total: How many.
    """

    __slots__ = ("_early", "_sketch", "_uncertain", "total")

    def __init__(self) -> None:
        self.total = 0
        self._sketch = Sketch()
        self._early: Sketch | None = None
        self._uncertain = 0

    def count(
        self,
        values: Sequence[float],
        doubted: Sequence[float] | None,
        earliest: Sequence[float] | None,
    ) -> None:
        """Count samples, of which some are ``doubted``."""
        if doubted and earliest and self._early is None:
            self._early = self._sketch.copy()
        if self._early is not None:
            for value in _early(values, doubted or (), earliest or ()):
                self._early.count(value)
        self._uncertain += len(doubted or ())
        self.total += len(values)
        for value in values:
            self._sketch.count(value)

    def add(self, other: _Folded) -> None:
        """Count everything that ``other`` counted."""
        if self._early is None and other._early is not None:
            self._early = self._sketch.copy()
        if self._early is not None:
            self._early.add(other._early or other._sketch)
        self._sketch.add(other._sketch)
        self._uncertain += other._uncertain
        self.total += other.total

    def summarize(self, missing: int) -> LatencySummary:
        """Every statistic, within one per cent."""
        summary = self._sketch.estimate(missing)
        if self._early is None:
            return summary
        early = self._early.estimate(missing)
        kept = {name: getattr(early, name) for name in (*QUANTILES, "max")}
        return replace(summary, earliest=Earliest(uncertain=self._uncertain, **kept))


def _percentiles(ordered: Sequence[float], missing: int) -> dict[str, float | None]:
    return {
        name: percentile(ordered, quantile, missing=missing) for name, quantile in QUANTILES.items()
    }


def percentile(ordered: Sequence[float], quantile: float, *, missing: int = 0) -> float | None:
    """Percentile by linear interpolation between the closest ranks.

    This is definition 7 of Hyndman and Fan, "Sample Quantiles in Statistical
    Packages" (1996), which NumPy and spreadsheets use by default. The way from
    one rank to the next is measured from the nearer one, so that the result is
    NumPy's to the last bit, and never outside the two.

    Args:
        ordered: Samples in ascending order.
        quantile: Between 0 and 1.
        missing: Number of samples that are longer than all of ``ordered``.

    Returns:
        The value; None if there is no sample, or if it depends on a missing one.
    """
    rank = (len(ordered) + missing - 1) * quantile
    lower = math.floor(rank)
    fraction = rank - lower
    upper = lower + 1 if fraction else lower
    if lower < 0 or upper >= len(ordered):
        return None
    step = ordered[upper] - ordered[lower]
    if fraction < _HALF:
        return ordered[lower] + step * fraction
    return ordered[upper] - step * (1 - fraction)
