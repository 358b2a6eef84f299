"""Who is at which barrier: pure, and told what arrives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from perfscale.config.sections.hooks import AFTER_WORKLOAD
from perfscale.engine.sharding.coordination import Arrival, Barrier, Moment, Release

if TYPE_CHECKING:
    from collections.abc import Iterator

_AFTER: Final = frozenset({AFTER_WORKLOAD, Moment.REMOVAL.value, Moment.WORKLOAD_OVER.value})


class Meeting:
    """The barriers of a run of several generators.

    Args:
        count: How many generators there are.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._arrivals: dict[Barrier, dict[int, Arrival]] = {}
        self._released: dict[Barrier, Release] = {}
        self._gone: set[int] = set()
        self._left: set[tuple[int, str]] = set()
        self._over: set[str] = set()

    def arrive(self, index: int, barrier: Barrier, arrival: Arrival) -> None:
        """A generator comes to a barrier, or comes there again after it had given up."""
        self._arrivals.setdefault(barrier, {})[index] = arrival
        if barrier.moment == AFTER_WORKLOAD and barrier.workload is not None:
            self._left.add((index, barrier.workload))

    def leave(self, index: int) -> None:
        """A generator is not waited for any more: it has ended, or is lost."""
        self._gone.add(index)

    def missing(self, barrier: Barrier) -> list[int]:
        """The generators that a barrier waits for."""
        there = self._arrivals.get(barrier, {})
        return [
            index
            for index in range(self._count)
            if index not in there and index not in self._gone and not self._has_left(index, barrier)
        ]

    def _has_left(self, index: int, barrier: Barrier) -> bool:
        return _ends_with_workload(barrier) and (index, barrier.workload or "") in self._left

    def known_release(self, barrier: Barrier) -> Release | None:
        """What everybody went on with who was there; None: nobody has yet."""
        return self._released.get(barrier)

    def has_passed(self, barrier: Barrier) -> bool:
        """Whether anybody may have gone on from a barrier within a workload."""
        return barrier in self._released or barrier.workload in self._over

    def release_of(self, barrier: Barrier, own: Arrival) -> Release:
        """What all have stated who are there; ``own`` is the coordinator's."""
        there = self._arrivals.get(barrier, {})
        arrivals = tuple(there.get(index, Arrival()) for index in range(self._count))
        return Release(arrivals, own.well and all(each.well for each in arrivals))

    def release(self, barrier: Barrier, release: Release) -> list[int]:
        """Everybody who is there goes on; returns who is. Who comes later goes on at once."""
        self._released[barrier] = release
        if barrier.moment == AFTER_WORKLOAD and barrier.workload is not None:
            self._over.add(barrier.workload)
            self._forget(barrier.workload)
        return list(self._arrivals.pop(barrier, {}))

    def _forget(self, workload: str) -> None:
        """Nobody comes to the barriers within a workload any more, but who is still there."""
        self._released = {
            barrier: release
            for barrier, release in self._released.items()
            if barrier.workload != workload or not _ends_with_workload(barrier)
        }

    def overdue(self) -> Iterator[tuple[Barrier, Release]]:
        """Barriers at which somebody waits and the coordinator will not come, or was before."""
        for barrier in list(self._arrivals):
            known = self._released.get(barrier)
            if known is not None:
                yield barrier, known
            elif (
                barrier.workload in self._over
                and _ends_with_workload(barrier)
                and not self.missing(barrier)
            ):
                yield barrier, self.release_of(barrier, Arrival())


def _ends_with_workload(barrier: Barrier) -> bool:
    """Whether a barrier is within a workload: who is at its end comes there no more."""
    if barrier.workload is None or barrier.moment in _AFTER:
        return False
    # Without an iteration, the deletion of all of a workload comes after its end.
    return barrier.iteration is not None or barrier.moment not in {Moment.DELETED, Moment.GONE}
