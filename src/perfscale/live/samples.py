"""How a run went until now, as the points of a time series, in bounded memory.

A run's own time series is made of its records at the end. This one is made of snapshots, which
are taken at equal intervals; once there are too many, every second one is kept.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from perfscale.results import Sketch
from perfscale.results.measure.timeseries import LoadPoint, Population, TimePoint
from perfscale.results.pages.loads import STATISTICS
from perfscale.results.pages.timeline import ASKED, DUE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perfscale.engine.snapshot import RunSnapshot

UNKNOWN: Final = frozenset({DUE, ASKED})
"""What snapshots do not count."""
QUANTILES: Final = tuple(STATISTICS.values())
INTERVAL_S: Final = 1.0
_MOST: Final = 120


@dataclass(frozen=True, slots=True)
class _Sample:
    """Counts until an instant: sent, accepted, done and gone of each workload, and latencies."""

    loads: Mapping[str, tuple[int, int, int, int]]
    latencies: Mapping[str, Sketch]
    phases: Mapping[str, Mapping[str, int]]
    child_phases: Mapping[str, Mapping[str, int]]
    operating: frozenset[str]


class Samples:
    """What was sampled of a run.

    Attributes:
        interval_s: From one sample to the next.
    """

    def __init__(self) -> None:
        self.interval_s = INTERVAL_S
        self._latencies: dict[str, list[list[float | None]]] = {}
        self._points: list[TimePoint] = []
        self._apart: list[str] = []
        self._samples = [_Sample({}, {}, {}, {}, frozenset())]

    @property
    def next_s(self) -> float:
        """When the next sample is due, in seconds since the run's start."""
        return len(self._samples) * self.interval_s

    def take(self, snapshot: RunSnapshot) -> None:
        """Take a sample, if it is time for it; what was missed counts as it is now."""
        if snapshot.elapsed_s < self.next_s:
            return
        sample = _sample(snapshot)
        while snapshot.elapsed_s >= self.next_s:
            self._samples.append(sample)
        while len(self._samples) > _MOST + 1:
            self._samples = self._samples[::2]
            self.interval_s *= 2
            self._latencies.clear()
            self._points.clear()

    def points(self) -> list[TimePoint]:
        """Every interval until now; empty before the first has ended."""
        last = self._samples[-1]
        names = list(last.loads)
        apart = names if len(names) > 1 or last.operating else []
        if apart != self._apart:
            self._apart = apart
            self._points.clear()
        # Intervals that are over do not change.
        known = len(self._points)
        self._points += [
            _point(number * self.interval_s, self.interval_s, before, after, apart)
            for number, (before, after) in enumerate(pairwise(self._samples[known:]), known + 1)
        ]
        return self._points

    def latencies(self) -> dict[str, list[list[float | None]]]:
        """Of what got there in each interval how long it took, by workload: `QUANTILES`."""
        for workload in self._samples[-1].latencies:
            known = self._latencies.setdefault(workload, [])
            sketches = [
                each.latencies.get(workload, Sketch()) for each in self._samples[len(known) :]
            ]
            known += [
                after.since(before).percentiles(*QUANTILES) for before, after in pairwise(sketches)
            ]
        return self._latencies


def _sample(snapshot: RunSnapshot) -> _Sample:
    loads: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    latencies: dict[str, Sketch] = {}
    for each in snapshot.objects:
        counts = (each.sent, each.created, each.ready, each.deleted)
        loads[each.workload] = [a + b for a, b in zip(loads[each.workload], counts, strict=True)]
        latencies.setdefault(each.workload, Sketch()).add(each.ready_latency)
    for operation in snapshot.operations:
        loads[operation.workload] = [operation.sent, operation.accepted, operation.done, 0]
        latencies[operation.workload] = operation.effect
    return _Sample(
        {name: (each[0], each[1], each[2], each[3]) for name, each in loads.items()},
        latencies,
        _by_kind(snapshot.phases),
        _by_kind(snapshot.child_phases),
        frozenset(operation.workload for operation in snapshot.operations),
    )


def _by_kind(phases: Mapping[tuple[str, str], int]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for (kind, phase), count in phases.items():
        if count:
            found.setdefault(kind, {})[phase] = count
    return found


def _point(
    at_s: float, interval_s: float, before: _Sample, after: _Sample, apart: list[str]
) -> TimePoint:
    nothing = (0, 0, 0, 0)
    changes = {
        name: [b - a for a, b in zip(before.loads.get(name, nothing), counts, strict=True)]
        for name, counts in after.loads.items()
    }
    created = [each for name, each in changes.items() if name not in after.operating]
    sent, accepted, ready, gone = (
        (sum(column) for column in zip(*created, strict=True)) if (created) else nothing
    )
    return TimePoint(
        at_s=at_s,
        interval_s=interval_s,
        objects=_population((sent, accepted, ready, gone), interval_s, after.phases),
        children=_population(nothing, interval_s, after.child_phases),
        loads={
            name: LoadPoint(0, *(changes[name][:3] if name in changes else nothing[:3]))
            for name in apart
        },
    )


def _population(
    counts: tuple[int, int, int, int], interval_s: float, phases: Mapping[str, Mapping[str, int]]
) -> Population:
    sent, created, ready, deleted = counts
    return Population(
        due=0,
        sent=sent,
        created=created,
        ready=ready,
        delete_requested=0,
        deleted=deleted,
        created_per_s=created / interval_s,
        deleted_per_s=deleted / interval_s,
        present=sum(count for kind in phases.values() for count in kind.values()),
        phases={kind: dict(each) for kind, each in phases.items()},
    )
