"""The objects of a run over time, as its time series has them."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping, Sequence

    from perfscale.results.measure.timeseries import LoadPoint, Population, TimePoint

NO_PHASE: Final = "created"
"""Accepted by the server, and not seen in any phase yet."""
_SHORTEST_S: Final = 1.0
"""Over shorter intervals, a rate of a few a second is nothing but noise."""

ASKED: Final = "asked to go"
_PROGRESS: Final[dict[str, Callable[[Population], int]]] = {
    "sent": lambda population: population.sent,
    "created": lambda population: population.created,
    "ready": lambda population: population.ready,
    ASKED: lambda population: population.delete_requested,
    "gone": lambda population: population.deleted,
}
DUE: Final = "due by the target rate"
_CREATES: Final[dict[str, Callable[[Population], int]]] = {
    DUE: lambda population: population.due,
    "creates sent": lambda population: population.sent,
    "creates accepted": lambda population: population.created,
}
SENT: Final = "sent"
_REQUESTS: Final[dict[str, Callable[[LoadPoint], int]]] = {
    DUE: lambda load: load.due,
    SENT: lambda load: load.sent,
    "accepted": lambda load: load.accepted,
}
_DELETIONS: Final[dict[str, Callable[[Population], int]]] = {
    ASKED: lambda population: population.delete_requested,
    "seen gone": lambda population: population.deleted,
}


class KindKey(NamedTuple):
    """A kind among the objects, or among their children."""

    kind: str
    children: bool


class Timeline:
    """What the plots over time show.

    Args:
        points: The time series, at least one interval.
        unknown: What nobody counted, as lines are called; it has none.

    Attributes:
        at_s: The run's start, and the end of each interval, in seconds since
            the start.
    """

    def __init__(self, points: Sequence[TimePoint], unknown: Container[str] = ()) -> None:
        self._points = points
        self._unknown = unknown
        self.at_s = [0.0, *(point.at_s for point in points)]

    def progress(self) -> dict[str, list[int]]:
        """How many objects had got so far by each of ``at_s``."""
        return {
            name: list(accumulate((count(point.objects) for point in self._points), initial=0))
            for name, count in _PROGRESS.items()
            if name not in self._unknown
        }

    def phases(self) -> dict[KindKey, dict[str, list[int]]]:
        """How many objects of each kind were in which phase at each of ``at_s``."""
        found: dict[KindKey, dict[str, list[int]]] = {}
        for index, point in enumerate(self._points, start=1):
            for children, population in ((False, point.objects), (True, point.children)):
                for kind, phases in population.phases.items():
                    counts = found.setdefault(KindKey(kind, children), {})
                    for phase, count in phases.items():
                        over_time = counts.setdefault(phase or NO_PHASE, [0] * len(self.at_s))
                        over_time[index] = count
        return found

    @property
    def rates_s(self) -> list[float]:
        """When each interval of ``create_rates`` begins, in seconds since the run's start."""
        return self.at_s[: -1 : self._together]

    @property
    def width_s(self) -> float:
        """Length of an interval of ``rates``."""
        return self._points[0].interval_s * self._together

    def create_rates(self) -> dict[str, list[float]]:
        """What became of creates in each interval, a second."""
        return self._rates(_CREATES)

    @property
    def loads(self) -> list[str]:
        """The workloads that are counted apart; none where there is a single one that creates."""
        return list(self._points[0].loads)

    def rates_of(self, workload: str) -> dict[str, list[float]]:
        """What became of the requests of a workload in each interval, a second."""
        points = [point.loads[workload] for point in self._points]
        return {
            name: self._per_second([count(point) for point in points])
            for name, count in _REQUESTS.items()
            if name not in self._unknown
        }

    def done_of(self, workload: str) -> list[int]:
        """How many objects of a workload were ready, or operations done, by each of ``at_s``."""
        done = (point.loads[workload].done for point in self._points)
        return list(accumulate(done, initial=0))

    def deletion_rates(self) -> dict[str, list[float]]:
        """The same of deletions."""
        return self._rates(_DELETIONS)

    def _rates(self, counted: Mapping[str, Callable[[Population], int]]) -> dict[str, list[float]]:
        return {
            name: self._per_second([count(point.objects) for point in self._points])
            for name, count in counted.items()
            if name not in self._unknown
        }

    def _per_second(self, counts: Sequence[int]) -> list[float]:
        together = self._together
        return [
            sum(counts[first : first + together]) / self.width_s
            for first in range(0, len(counts), together)
        ]

    @property
    def _together(self) -> int:
        """So many intervals of the time series are one of ``rates``."""
        return max(1, round(_SHORTEST_S / self._points[0].interval_s))
