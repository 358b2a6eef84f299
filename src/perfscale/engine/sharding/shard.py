"""Which part of a run is one generator's: pure arithmetic.

The shards of a run together are exactly the whole, whatever the numbers are: no object comes
twice, none is left out, and what is due when is what would be due with one generator.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_T = TypeVar("_T")


class Shard(msgspec.Struct, frozen=True):
    """One of several parts of a run.

    Attributes:
        index: Which one, counted from 0; the value of the label ``perfscale/shard``.
        count: How many there are.
    """

    index: int = 0
    count: int = 1

    def __post_init__(self) -> None:
        """Raise ValueError for a shard that there cannot be."""
        if not 0 <= self.index < self.count:
            raise ValueError(f"there is no shard {self.index} of {self.count}")

    @property
    def is_whole(self) -> bool:
        """Whether it is all of the run: there is one generator."""
        return self.count == 1

    def share(self, total: int, turn: int = 0) -> int:
        """How many of ``total`` are this shard's; the sum over all shards is ``total``.

        What cannot be divided goes to the shards from the one of ``turn`` on, so that of many
        things that cannot be divided each shard gets some.
        """
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
        if not total:
            return 0
        wanted, before = min(wanted, total), sum(present[: self.index])
        return wanted * (before + present[self.index]) // total - wanted * before // total

    def rate(self, qps: float) -> float:
        """Its share of a rate; the exact sum over all shards is ``qps``. 0 stays 0: no limit."""
        each = qps / self.count
        if self.index < self.count - 1:
            return each
        return float(Fraction(qps) - (self.count - 1) * Fraction(each))

    def limit(self, total: int) -> int:
        """Its share of a bound, and at least 1.

        The sum over all shards is ``total``, or their number if that is more. 0 stays 0: no
        bound.
        """
        return max(1, self.share(total)) if total else 0

    def every_nth(self, whole: Iterable[_T]) -> Iterator[_T]:
        """Its part of what is in an order: shard k of n has the places k, k + n, k + 2n ..."""
        return islice(whole, self.index, None, self.count)


WHOLE = Shard()
"""All of a run: there is one generator."""
