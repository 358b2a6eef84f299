"""Which objects are slow: a decision by times alone. Pure.

While a run goes on, an object is slow when it is not ready though it should be, judging by those
like it: after ``factor`` times the median of those that are, and ``after_s`` at least. As long as
few are ready there is no median to go by, and it is slow after `UNKNOWN_MEDIAN_S`. When the wait
of its iteration is over nothing is lost by looking closer: then the slowest of all that took
``after_s`` at least are, and those that are not ready.

Of all of them only so many are kept as the user allows, the slowest: each is compared with the
others by how long it has taken until now.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left
from typing import TYPE_CHECKING, Final, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

UNKNOWN_MEDIAN_S: Final = 30.0
"""After what time an object is slow while nobody can tell what is usual."""
ENOUGH_READY: Final = 5
"""So many make a median."""
_DISORDER_S: Final = 1.0
"""By how much later an object may have been sent than one that stands after it."""


class Waiting(Protocol):
    """An object whose readiness may be waited for."""

    @property
    def sent_s(self) -> float | None:
        """When its create request was sent; None before."""

    @property
    def decided(self) -> bool:
        """Whether it is ready, or has failed."""


RowT = TypeVar("RowT", bound=Waiting)


def slow_after_s(after_s: float, factor: float, median_s: float | None, ready: int) -> float:
    """How long an object may take before it is slow, in seconds.

    Args:
        after_s: What it may take in any case.
        factor: How many times the median.
        median_s: Of those like it that are ready.
        ready: How many that are.
    """
    if median_s is None or ready < ENOUGH_READY:
        return max(after_s, UNKNOWN_MEDIAN_S)
    return max(after_s, factor * median_s)


class LateObjects(Generic[RowT]):
    """Finds the objects of an iteration that take long, each looked at once while it does not.

    Args:
        after_s: Nobody is interested in an object before it has taken so long.
    """

    def __init__(self, after_s: float) -> None:
        self._after_s = after_s
        self._seen_s = 0.0
        self._late: dict[RowT, None] = {}

    def find(self, rows: Sequence[RowT], now_s: float) -> Iterator[RowT]:
        """Those that are not decided and have taken long, the longest first.

        What is not taken from the iterator costs nothing.

        Args:
            rows: All of the iteration, in the order in which they are sent, but for a little.
            now_s: The time now, in seconds since the run's start.
        """
        self._take(rows, now_s - self._after_s)
        for row in list(self._late):
            if row.decided:
                del self._late[row]
            else:
                yield row

    def _take(self, rows: Sequence[RowT], until_s: float) -> None:
        """Take those that were sent until then, and were not looked at before."""
        first = bisect_left(rows, self._seen_s - _DISORDER_S, key=_sent_s)
        for index in range(first, len(rows)):
            row = rows[index]
            if row.sent_s is None and row.decided:
                continue  # its request was never sent
            if row.sent_s is None or row.sent_s > until_s:
                break
            if not row.decided:
                self._late[row] = None
        self._seen_s = max(self._seen_s, until_s)


def _sent_s(row: Waiting) -> float:
    return float("inf") if row.sent_s is None else row.sent_s


class SlowestSoFar(Generic[RowT]):
    """A bounded number of objects, the slowest.

    Args:
        limit: How many.
        took_s: How long one has taken by a moment, in seconds.

    Attributes:
        passed_over: Objects that had to leave.
    """

    def __init__(self, limit: int, took_s: Callable[[RowT, float], float]) -> None:
        self._limit = limit
        self._took_s = took_s
        self._held: dict[RowT, None] = {}
        self.passed_over = 0

    def __contains__(self, row: RowT) -> bool:
        """Whether it is among them."""
        return row in self._held

    def __iter__(self) -> Iterator[RowT]:
        """All of them, in the order in which they came."""
        return iter(list(self._held))

    def offer(self, row: RowT, now_s: float) -> tuple[bool, RowT | None]:
        """Take an object if it is among the slowest.

        Returns:
            Whether it is new among them, and the one that had to leave for it.
        """
        if row in self._held:
            return False, None
        if len(self._held) < self._limit:
            self._held[row] = None
            return True, None
        quickest = min(self._held, key=lambda each: self._took_s(each, now_s))
        if self._took_s(row, now_s) <= self._took_s(quickest, now_s):
            return False, None
        self.passed_over += 1
        del self._held[quickest]
        self._held[row] = None
        return True, quickest


def slowest_of(
    rows: Iterable[RowT], limit: int, took_s: Callable[[RowT, float], float], now_s: float
) -> list[RowT]:
    """Of many objects the slowest by now, the slowest first; ``took_s`` as in `SlowestSoFar`."""
    return heapq.nlargest(limit, rows, key=lambda row: took_s(row, now_s))
