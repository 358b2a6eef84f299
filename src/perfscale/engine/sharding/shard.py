"""Which part of a run is one generator's: pure arithmetic.

The shards of a run together are exactly the whole, whatever the numbers are: no object comes
twice, none is left out, and what is due when is what would be due with one generator.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import islice
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_T = TypeVar("_T")

COORDINATOR: Final = -1
"""The index that the coordinator of a run has in the place of a generator's."""


class Shard(msgspec.Struct, frozen=True):
    """One of several parts of a run.

    Attributes:
        index: Which one, counted from 0; the value of the label ``perfscale/shard``. The
            coordinator has `COORDINATOR`: nothing of the load is its.
        count: How many there are.
        is_whole: Whether it is all of the run, and there is no coordinator.
    """

    index: int = 0
    count: int = 1
    is_whole: bool = False

    @property
    def is_coordinator(self) -> bool:
        """Whether nothing of the load is its."""
        return self.index == COORDINATOR

    @property
    def label(self) -> int | None:
        """The value of the label ``perfscale/shard`` of what it makes; None: that has none."""
        return None if self.is_whole or self.is_coordinator else self.index

    @property
    def journaled(self) -> int | None:
        """As entries of the journal have it; None where there is one generator alone."""
        return None if self.is_whole else self.index

    def share(self, total: int, turn: int = 0) -> int:
        """How many of ``total`` are this shard's; the sum over all shards is ``total``.

        What cannot be divided goes to the shards from the one of ``turn`` on, so that of many
        things that cannot be divided each shard gets some.
        """
        if self.is_coordinator:
            return 0
        each, rest = divmod(total, self.count)
        return each + ((self.index - turn) % self.count < rest)

    def replicas(self, total: int, turn: int = 0) -> range:
        """Which of the replicas 1 to ``total`` are this shard's: contiguous numbers.

        Each is exactly one shard's. ``turn`` is as in `share`.
        """
        before = sum(Shard(each, self.count).share(total, turn) for each in range(self.index))
        return range(before + 1, before + 1 + self.share(total, turn))

    def draw(self, wanted: int, present: tuple[int, ...]) -> int:
        """How many this shard draws of ``wanted``, where each shard has so many ``present``.

        Each draws no more than it has, in proportion; the sum over all shards is ``wanted``, or
        all that are present.
        """
        total = sum(present)
        if not total or self.is_coordinator:
            return 0
        wanted, before = min(wanted, total), sum(present[: self.index])
        return wanted * (before + present[self.index]) // total - wanted * before // total

    def rate(self, qps: float) -> float:
        """Its share of a rate; the exact sum over all generators is ``qps``. 0 stays 0: no limit.

        What the coordinator itself sends, before and after the load, has the whole rate.
        """
        if self.is_coordinator:
            return qps
        each = qps / self.count
        if self.index < self.count - 1:
            return each
        return float(Fraction(qps) - (self.count - 1) * Fraction(each))

    def limit(self, total: int) -> int:
        """Its share of a bound, and at least 1.

        The sum over all shards is ``total``, or their number if that is more. 0 stays 0: no
        bound. The coordinator, which is alone before and after the load, has the whole.
        """
        if self.is_coordinator:
            return total
        return max(1, self.share(total)) if total else 0

    def number(self, count: int) -> int:
        """The number of its ``count``th thing, from 1, that no other shard's has."""
        if self.is_whole:
            return count
        return (count - 1) * (self.count + 1) + self.index + 2  # the coordinator's first is 1

    def every_nth(self, whole: Iterable[_T]) -> Iterator[_T]:
        """Its part of what is in an order: shard k of n has the places k, k + n, k + 2n ..."""
        return islice(whole, max(0, self.index), None, self.count)


WHOLE: Final = Shard(is_whole=True)
"""All of a run: there is one generator."""
