"""The objects that took longest to be ready, of any number of them."""

from __future__ import annotations

import heapq
from itertools import count
from typing import TYPE_CHECKING, Final, Generic, Protocol, TypeVar

from perfscale.results.measure.latencies import ready_s

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_MOST: Final = 20


class _Life(Protocol):
    """An object, live or as a record."""

    @property
    def sent_s(self) -> float | None: ...
    @property
    def ready_s(self) -> float | None: ...
    @property
    def error(self) -> str | None: ...


LifeT = TypeVar("LifeT", bound=_Life)


class Slowest(Generic[LifeT]):
    """Keeps the slowest of all objects that became ready.

    Attributes:
        bound_s: Seconds until ready; what did not take longer is not among them.
    """

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, LifeT]] = []
        self._numbers = count(0, -1)  # of equally slow ones, the first stays
        self.bound_s = -1.0

    def add(self, life: LifeT) -> None:
        """Look at one object."""
        reached_s = ready_s(life)
        if reached_s is None or life.sent_s is None:
            return
        entry = (reached_s - life.sent_s, next(self._numbers), life)
        if len(self._heap) < _MOST:
            heapq.heappush(self._heap, entry)
        elif entry > self._heap[0]:
            heapq.heapreplace(self._heap, entry)
        if len(self._heap) == _MOST:
            self.bound_s = self._heap[0][0]

    def replace(self, old: Iterable[LifeT], new: Callable[[LifeT], LifeT]) -> None:
        """Keep something else in the place of some objects, of those that are among them."""
        known = {id(each) for each in old}
        self._heap = [
            (latency_s, number, new(life) if id(life) in known else life)
            for latency_s, number, life in self._heap
        ]

    def found(self) -> Iterator[LifeT]:
        """The slowest, the slowest first; what has failed since then is left out."""
        for _, _, life in sorted(self._heap, reverse=True):
            if ready_s(life) is not None:
                yield life
