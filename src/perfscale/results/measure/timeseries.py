"""``timeseries.ndjson``: how many objects were where, over the time of a run.

It is counted from the records alone, in intervals of which a run has a few
hundred at most, however long it takes: once there are too many, every two of
them become one. The intervals are powers of two, so that nothing is rounded
when that happens.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import chain, count, groupby, islice, pairwise, repeat
from operator import attrgetter
from typing import TYPE_CHECKING, Final, TypeAlias

import msgspec

from perfscale.config.sections.metrics import MILESTONES
from perfscale.results.files import TIMESERIES_FILE, AtomicFile
from perfscale.results.measure.operations.latencies import done_s

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from perfscale.results.model.operations import OperationRecord
    from perfscale.results.model.records import ObjectRecord


_FINEST_S: Final = 0.125
_MOST: Final = 512
"""Intervals of a run; a long one has between half as many and all of them."""
_NO_PHASE: Final = ""

_Place: TypeAlias = tuple[str, str]
"""Where an object is: its kind and its phase."""
_Move: TypeAlias = tuple[_Place | None, _Place | None]
"""From where to where; None is where objects come from, and go in the end."""

_MOMENTS: Final[dict[str, Callable[[ObjectRecord], float | None]]] = {
    "due": attrgetter("scheduled_s"),
    "sent": attrgetter("sent_s"),
    "ready": attrgetter("ready_s"),
    "delete_requested": attrgetter("delete_requested_s"),
}
_OPERATION_MOMENTS: Final[dict[str, Callable[[OperationRecord], float | None]]] = {
    "due": attrgetter("scheduled_s"),
    "sent": attrgetter("sent_s"),
    "created": attrgetter("answered_s"),
    "ready": done_s,
}


@dataclass(frozen=True, slots=True)
class Population:
    """What an interval did to the objects, or to the children, and where they were at its end.

    Attributes:
        due: Creates whose turn came by the target rate; for children, none.
        created: Answered, and accepted; for children, first seen.
        created_per_s: ``created`` divided by the interval; ``deleted_per_s`` likewise.
        present: In the cluster at the end of the interval: all that were
            created until then, without all that were deleted.
        phases: Those that are present, by kind and by the phase that they were
            last seen to come to; empty where they had none yet, or never have.
            They add up to ``present``.
    """

    due: int
    sent: int
    created: int
    ready: int
    delete_requested: int
    deleted: int
    created_per_s: float
    deleted_per_s: float
    present: int
    phases: dict[str, dict[str, int]]


@dataclass(frozen=True, slots=True)
class LoadPoint:
    """What an interval did of one workload: to its objects, as in `Population`, or operations.

    Attributes:
        due: Requests whose turn came by the target rate.
        accepted: Those that the server accepted.
        done: Objects that became ready, or operations that were seen done.
    """

    due: int
    sent: int
    accepted: int
    done: int


@dataclass(frozen=True, slots=True)
class TimePoint:
    """One interval: what happened in it, and how things stood at its end.

    Attributes:
        at_s: Its end, in seconds since the run's start.
        interval_s: Its length; the same for the whole run.
        children: Of what controllers made for the objects.
        loads: What each workload did; empty where a run has a single one, which only creates.
    """

    at_s: float
    interval_s: float
    objects: Population
    children: Population
    loads: dict[str, LoadPoint] = field(default_factory=dict)


class _Counts:
    """How often something happened, and objects went from one place to another.

    Each is counted by interval, of which the first has the number 0.
    """

    def __init__(self) -> None:
        self.happened: defaultdict[str, Counter[int]] = defaultdict(Counter)
        self.moved: defaultdict[_Move, Counter[int]] = defaultdict(Counter)
        self._ways: dict[tuple[str, ...], list[Counter[int]]] = {}

    @property
    def last(self) -> int:
        """The last interval in which there was anything."""
        every = (*self.happened.values(), *self.moved.values())
        return max((max(each) for each in every if each), default=0)

    def take(self, records: Sequence[ObjectRecord], per_s: float) -> None:
        """Count records. Each has a dozen moments, so it counts cycles."""
        happened = self.happened
        for name, moment in _MOMENTS.items():
            happened[name].update(
                int(at_s * per_s) for at_s in map(moment, records) if at_s is not None
            )
        created, deleted = happened["created"], happened["deleted"]
        for record in records:
            begin_s, end_s = record.created_s, record.deleted_s
            if record.uid is None or begin_s is None:
                continue
            later_s = record.later_phases_s
            comes, *moves, goes = self._moves_of((record.kind, *record.phases_s, *later_s))
            first = int(begin_s * per_s)
            created[first] += 1
            comes[first] += 1
            times_s = chain(record.phases_s.values(), later_s.values())
            for at_s, move in zip(times_s, moves, strict=True):
                # A watch may be quicker than the answer, with which an object begins to count.
                at = int(at_s * per_s)
                move[at if at > first else first] += 1
            if end_s is not None:
                last = max(int(end_s * per_s), first)
                deleted[last] += 1
                goes[last] += 1

    def take_operations(self, records: Sequence[OperationRecord], per_s: float) -> None:
        """Count operations, which move nothing from one place to another."""
        for name, moment in _OPERATION_MOMENTS.items():
            self.happened[name].update(
                int(at_s * per_s) for at_s in map(moment, records) if at_s is not None
            )

    def _moves_of(self, way: tuple[str, ...]) -> list[Counter[int]]:
        """The moves of all objects that go one way: a kind, and phases in their order."""
        moves = self._ways.get(way)
        if moves is None:
            kind, *phases = way
            places: list[_Place | None] = [None, (kind, _NO_PHASE)]
            for phase in phases:  # who comes to a milestone stays where they are
                places.append(places[-1] if phase in MILESTONES else (kind, phase))
            places.append(None)
            moves = self._ways[way] = [self.moved[move] for move in pairwise(places)]
        return moves

    def add(self, other: _Counts) -> None:
        """Count everything that ``other`` counted."""
        for name, intervals in other.happened.items():
            self.happened[name].update(intervals)
        for move, intervals in other.moved.items():
            self.moved[move].update(intervals)

    def in_pairs(self) -> _Counts:
        """The same in intervals of twice the length."""
        pairs = _Counts()
        for name, intervals in self.happened.items():
            _add_in_pairs(pairs.happened[name], intervals)
        for move, intervals in self.moved.items():
            _add_in_pairs(pairs.moved[move], intervals)
        return pairs

    def loads(self) -> Iterator[LoadPoint]:
        """What was done in each interval; there is no end to these."""
        counted = [self.happened[name] for name in ("due", "sent", "created", "ready")]
        for index in count():
            yield LoadPoint(*(intervals[index] for intervals in counted))

    def populations(self, interval_s: float) -> Iterator[Population]:
        """What became of them in each interval; there is no end to these."""
        standing: Counter[_Place] = Counter()
        for index in count():
            for (left, place), intervals in self.moved.items():
                if moved := intervals[index]:
                    if left is not None:
                        standing[left] -= moved
                    if place is not None:
                        standing[place] += moved
            happened = {name: intervals[index] for name, intervals in self.happened.items()}
            yield _population(happened, standing, interval_s)


def _add_in_pairs(pairs: Counter[int], intervals: Counter[int]) -> None:
    for index, number in intervals.items():
        pairs[index // 2] += number


def _population(
    happened: Mapping[str, int], standing: Counter[_Place], interval_s: float
) -> Population:
    phases: dict[str, dict[str, int]] = {}
    for (kind, phase), number in standing.items():
        if number:
            phases.setdefault(kind, {})[phase] = number
    created, deleted = happened.get("created", 0), happened.get("deleted", 0)
    return Population(
        due=happened.get("due", 0),
        sent=happened.get("sent", 0),
        created=created,
        ready=happened.get("ready", 0),
        delete_requested=happened.get("delete_requested", 0),
        deleted=deleted,
        created_per_s=round(created / interval_s, 3),
        deleted_per_s=round(deleted / interval_s, 3),
        present=standing.total(),
        phases=phases,
    )


class TimeSeries:
    """Counts records, in whatever order they come."""

    def __init__(self) -> None:
        self._interval_s = _FINEST_S
        self._objects: defaultdict[str, _Counts] = defaultdict(_Counts)
        self._operations: defaultdict[str, _Counts] = defaultdict(_Counts)
        self._children = _Counts()

    def record(self, objects: Iterable[ObjectRecord], *, children: bool = False) -> None:
        """Count these."""
        for workload, records in groupby(objects, attrgetter("workload")):
            counts = self._children if children else self._objects[workload]
            counts.take(list(records), 1 / self._interval_s)
            self._fit(counts.last)

    def record_operations(self, operations: Iterable[OperationRecord]) -> None:
        """Count these."""
        for workload, records in groupby(operations, attrgetter("workload")):
            counts = self._operations[workload]
            counts.take_operations(list(records), 1 / self._interval_s)
            self._fit(counts.last)

    def points(self, until_s: float) -> Iterator[TimePoint]:
        """Every interval until ``until_s`` seconds after the run's start, in order."""
        self._fit(int(until_s / self._interval_s))
        every = _Counts()
        for counts in self._objects.values():
            every.add(counts)
        counted = (every, self._children, *self._operations.values())
        last = max(int(until_s / self._interval_s), *(counts.last for counts in counted))
        interval_s = self._interval_s
        populations = zip(
            every.populations(interval_s),
            self._children.populations(interval_s),
            self._loads(),
            strict=True,
        )
        for index, (objects, children, loads) in enumerate(islice(populations, last + 1), start=1):
            yield TimePoint(index * interval_s, interval_s, objects, children, loads)

    def _loads(self) -> Iterator[dict[str, LoadPoint]]:
        """Each workload's part of each interval, if there are several; there is no end to these."""
        if len(self._objects) < 2 and not self._operations:
            return repeat({})
        names = (*self._objects, *self._operations)
        counts = (*self._objects.values(), *self._operations.values())
        points = zip(*(each.loads() for each in counts), strict=True)
        return (dict(zip(names, each, strict=True)) for each in points)

    def _fit(self, last: int) -> None:
        """Make intervals longer until ``last`` is one of those that a run may have."""
        while last >= _MOST:
            last //= 2
            self._interval_s *= 2
            for loads in (self._objects, self._operations):
                for workload, counts in loads.items():
                    loads[workload] = counts.in_pairs()
            self._children = self._children.in_pairs()


def write_timeseries(folder: Path, series: TimeSeries, until_s: float) -> None:
    """Write the file: a line for each interval."""
    with AtomicFile(folder / TIMESERIES_FILE) as atomic:
        atomic.file.write(msgspec.json.Encoder().encode_lines(list(series.points(until_s))))
