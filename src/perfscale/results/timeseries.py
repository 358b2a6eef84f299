"""``timeseries.ndjson``: how many objects were where, over the time of a run.

It is counted from the records alone, in intervals of which a run has a few
hundred at most, however long it takes: once there are too many, every two of
them become one. The intervals are powers of two, so that nothing is rounded
when that happens.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

import msgspec

from perfscale.results.files import AtomicFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from perfscale.results.records import ObjectRecord

TIMESERIES_FILE: Final = "timeseries.ndjson"

_FINEST_S: Final = 0.125
_MOST: Final = 512
"""Intervals of a run; a long one has between half as many and all of them."""
_NO_PHASE: Final = ""

_Place: TypeAlias = tuple[str, str]
"""Where an object is: its kind and its phase."""


@dataclass(frozen=True, slots=True)
class Population:
    """What an interval did to the objects, or to the children, and where they were at its end.

    Attributes:
        due: Creates whose turn came by the target rate; for children, none.
        sent: Create requests first sent in it.
        created: Answered, and accepted; for children, first seen.
        ready: First seen ready.
        delete_requested: Asked to go.
        deleted: Seen gone.
        created_per_s: ``created`` divided by the interval, and likewise below.
        deleted_per_s: Of those seen gone.
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
class TimePoint:
    """One interval: what happened in it, and how things stood at its end.

    Attributes:
        at_s: Its end, in seconds since the run's start.
        interval_s: Its length; the same for the whole run.
        objects: Of the objects that the run asked for.
        children: Of what controllers made for them.
    """

    at_s: float
    interval_s: float
    objects: Population
    children: Population


@dataclass
class _Interval:
    """What changed in it: what happened how often, and how many more are where."""

    happened: Counter[str] = field(default_factory=Counter)
    moved: Counter[_Place] = field(default_factory=Counter)

    def add(self, other: _Interval) -> None:
        self.happened.update(other.happened)
        self.moved.update(other.moved)

    def population(self, standing: Counter[_Place], interval_s: float) -> Population:
        happened = self.happened
        phases: dict[str, dict[str, int]] = {}
        for (kind, phase), count in standing.items():
            if count:
                phases.setdefault(kind, {})[phase] = count
        return Population(
            due=happened["due"],
            sent=happened["sent"],
            created=happened["created"],
            ready=happened["ready"],
            delete_requested=happened["delete_requested"],
            deleted=happened["deleted"],
            created_per_s=round(happened["created"] / interval_s, 3),
            deleted_per_s=round(happened["deleted"] / interval_s, 3),
            present=standing.total(),
            phases=phases,
        )


class TimeSeries:
    """Counts records, in whatever order they come."""

    def __init__(self) -> None:
        self._interval_s = _FINEST_S
        self._of: dict[bool, dict[int, _Interval]] = {False: {}, True: {}}

    def record(self, objects: Iterable[ObjectRecord], *, children: bool = False) -> None:
        """Count these."""
        for record in objects:
            for name, at_s in _events(record):
                self._at(at_s, children=children).happened[name] += 1
            left: _Place | None = None
            for at_s, place in _stations(record):
                moved = self._at(at_s, children=children).moved
                if left is not None:
                    moved[left] -= 1
                if place is not None:
                    moved[place] += 1
                left = place

    def points(self, until_s: float) -> Iterator[TimePoint]:
        """Every interval until ``until_s`` seconds after the run's start, in order."""
        index_of_end = self._index(until_s)
        objects, children = self._of[False], self._of[True]
        last = max((index_of_end, *objects, *children))
        standing: Counter[_Place] = Counter()
        standing_children: Counter[_Place] = Counter()
        for index in range(last + 1):
            own = objects.get(index, _Interval())
            theirs = children.get(index, _Interval())
            standing.update(own.moved)
            standing_children.update(theirs.moved)
            yield TimePoint(
                at_s=(index + 1) * self._interval_s,
                interval_s=self._interval_s,
                objects=own.population(standing, self._interval_s),
                children=theirs.population(standing_children, self._interval_s),
            )

    def _at(self, at_s: float, *, children: bool) -> _Interval:
        index = self._index(at_s)
        intervals = self._of[children]
        interval = intervals.get(index)
        if interval is None:
            interval = intervals[index] = _Interval()
        return interval

    def _index(self, at_s: float) -> int:
        """Which interval an instant is in; makes them longer until it is one of them."""
        while at_s >= _MOST * self._interval_s:
            self._interval_s *= 2
            self._of = {which: _in_pairs(each) for which, each in self._of.items()}
        return int(at_s / self._interval_s)


def _in_pairs(intervals: dict[int, _Interval]) -> dict[int, _Interval]:
    pairs: dict[int, _Interval] = {}
    for index, interval in intervals.items():
        pairs.setdefault(index // 2, _Interval()).add(interval)
    return pairs


def _events(record: ObjectRecord) -> Iterator[tuple[str, float]]:
    """What happened to an object, and when."""
    for name, at_s in (
        ("due", record.scheduled_s),
        ("sent", record.sent_s),
        ("ready", record.ready_s),
        ("delete_requested", record.delete_requested_s),
    ):
        if at_s is not None:
            yield name, at_s
    if record.uid is not None and record.created_s is not None:
        yield "created", record.created_s
        if record.deleted_s is not None:
            yield "deleted", max(record.deleted_s, record.created_s)


def _stations(record: ObjectRecord) -> Iterator[tuple[float, _Place | None]]:
    """When an object came where, in order; None is where it goes in the end.

    A watch may be quicker than the answer to the create, with which an object
    begins to count.
    """
    begin_s = record.created_s
    if record.uid is None or begin_s is None:
        return
    yield begin_s, (record.kind, _NO_PHASE)
    for phase, at_s in sorted(record.phases_s.items(), key=lambda station: station[1]):
        yield max(at_s, begin_s), (record.kind, phase)
    if record.deleted_s is not None:
        yield max(record.deleted_s, begin_s), None


def write_timeseries(folder: Path, series: TimeSeries, until_s: float) -> None:
    """Write the file: a line for each interval."""
    with AtomicFile(folder / TIMESERIES_FILE) as atomic:
        atomic.file.write(msgspec.json.Encoder().encode_lines(list(series.points(until_s))))
