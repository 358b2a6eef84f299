"""What was there at each of some instants, counted exactly from the records."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter, defaultdict
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perfscale.results.records import ObjectRecord

INSTANTS: Final = 300
"""More than a screen can tell apart along a plot."""
NO_PHASE: Final = "created"
"""Accepted by the server, and not seen in any phase yet."""
BEING_DELETED: Final = "being deleted"


class Instants:
    """Evenly spaced instants from the run's start to its end.

    Attributes:
        at_s: The instants, in seconds since the run's start.
    """

    def __init__(self, duration_s: float) -> None:
        self.at_s = [duration_s * index / INSTANTS for index in range(INSTANTS + 1)]

    def first_from(self, at_s: float) -> int:
        """Index of the first instant that is not before ``at_s``; one too many if none is."""
        return bisect_left(self.at_s, at_s)


class Presence:
    """How many objects of a kind are in which phase.

    An object is in the cluster from when the server accepted it (or it was seen,
    if that was earlier) until it was seen gone. It is in the phase in which it
    was last newly seen, until its deletion is asked for. So the counts add up,
    at every instant, to the number of objects in the cluster.
    """

    def __init__(self, instants: Instants) -> None:
        self._instants = instants
        self._changes: defaultdict[str, Counter[int]] = defaultdict(Counter)

    def add(self, record: ObjectRecord) -> None:
        """Count one object."""
        if record.uid is None:
            return
        for (since_s, phase), (until_s, _) in pairwise(_stays(record)):
            first = self._instants.first_from(since_s)
            last = self._instants.first_from(until_s)
            if first < last:
                self._changes[phase][first] += 1
                self._changes[phase][last] -= 1

    def counts(self) -> dict[str, list[int]]:
        """The number of objects in each phase at each instant."""
        return {phase: _counts(changes) for phase, changes in self._changes.items()}


def _stays(record: ObjectRecord) -> Iterator[tuple[float, str]]:
    """When an object turned to each phase, in order; the last is when it was gone."""
    known = [*record.phases_s.values()]
    if record.created_s is not None:
        known.append(record.created_s)
    if not known:
        return
    since_s = min(known)
    gone_s = math.inf if record.deleted_s is None else record.deleted_s
    asked_s = gone_s
    if record.delete_requested_s is not None:
        asked_s = max(record.delete_requested_s, since_s)
    yield since_s, NO_PHASE
    yield from sorted((at_s, phase) for phase, at_s in record.phases_s.items() if at_s < asked_s)
    if asked_s < gone_s:
        yield asked_s, BEING_DELETED
    yield gone_s, ""


class Progress:
    """How many objects had been sent, created, ready and gone by when."""

    def __init__(self, instants: Instants) -> None:
        self._instants = instants
        self._reached: dict[str, Counter[int]] = {
            name: Counter() for name in ("sent", "created", "ready", "gone")
        }

    def add(self, record: ObjectRecord) -> None:
        """Count one object."""
        created_s = None if record.uid is None else record.created_s
        times = (record.sent_s, created_s, record.ready_s, record.deleted_s)
        for reached, at_s in zip(self._reached.values(), times, strict=True):
            if at_s is not None:
                reached[self._instants.first_from(at_s)] += 1

    def counts(self) -> dict[str, list[int]]:
        """The number of objects that had got so far by each instant."""
        return {name: _counts(reached) for name, reached in self._reached.items()}


def _counts(changes: Counter[int]) -> list[int]:
    return list(accumulate(changes[index] for index in range(INSTANTS + 1)))
