"""The objects that took longest to be ready, and where their time went."""

from __future__ import annotations

import heapq
from itertools import count, pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from perfscale.config.sections.metrics import MILESTONES
from perfscale.results.measure.latencies import ready_s

if TYPE_CHECKING:
    from perfscale.results.model.records import ObjectRecord

_MOST: Final = 20
REQUEST: Final = "create request"
"""From when it was sent to its answer, or to the first phase if that was seen earlier."""
ANSWERED: Final = "created"


class Stay(NamedTuple):
    """Time in one phase, in seconds since the create request was sent."""

    phase: str
    since_s: float
    until_s: float


class Slow(NamedTuple):
    """One of the slowest objects: seconds from its create request until ready, and its way there.

    The stays follow each other without a gap.
    """

    record: ObjectRecord
    ready_after_s: float
    stays: tuple[Stay, ...]


class Slowest:
    """Keeps the slowest of all objects that became ready."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, ObjectRecord]] = []
        self._numbers = count(0, -1)  # of equally slow ones, the first stays

    def add(self, record: ObjectRecord) -> None:
        """Look at one object."""
        reached_s = ready_s(record)
        if reached_s is None or record.sent_s is None:
            return
        entry = (reached_s - record.sent_s, next(self._numbers), record)
        if len(self._heap) < _MOST:
            heapq.heappush(self._heap, entry)
        elif entry > self._heap[0]:
            heapq.heapreplace(self._heap, entry)

    def found(self) -> list[Slow]:
        """The slowest, the slowest first."""
        return [
            Slow(record, ready_after_s, _stays(record, ready_after_s))
            for ready_after_s, _, record in sorted(self._heap, reverse=True)
        ]


def _stays(record: ObjectRecord, ready_after_s: float) -> tuple[Stay, ...]:
    sent_s = record.sent_s or 0.0
    reached = sorted(
        (at_s - sent_s, phase) for phase, at_s in record.phases_s.items() if phase not in MILESTONES
    )
    if record.created_s is not None and (not reached or record.created_s - sent_s < reached[0][0]):
        reached.insert(0, (record.created_s - sent_s, ANSWERED))
    points = [(0.0, REQUEST), *((at_s, phase) for at_s, phase in reached if at_s < ready_after_s)]
    ends = [*points, (ready_after_s, "")]
    return tuple(
        Stay(phase, since_s, until_s)
        for (since_s, phase), (until_s, _) in pairwise(ends)
        if until_s > since_s
    )
