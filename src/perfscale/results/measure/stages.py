"""Keeps what a run did when, in memory that does not grow with its iterations and rounds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Generic, TypeVar

import msgspec

from perfscale.results.model.course.stages import IterationStart, RoundStart, StageSpan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_MOST_SPANS: Final = 256
_MOST_STARTS: Final = 256
_SHORTEST_S: Final = 0.125
"""Where there are too many spans, those that are shorter are made one with their neighbours."""


_StartT = TypeVar("_StartT", IterationStart, RoundStart)


class StageLog:
    """The stages of a run, those of each workload apart.

    A stage of a workload lasts until the next one of that workload or of the whole run;
    one of the whole run, until any other.
    """

    def __init__(self) -> None:
        self._open: dict[str | None, tuple[str, float]] = {}
        self._spans: list[StageSpan] = []
        self._lanes: set[str | None] = set()
        self._shortest_s = _SHORTEST_S
        self._rounds = _Starts(RoundStart)
        self._iterations = _Starts(IterationStart)

    def enter(
        self, at_s: float, stage: str, workload: str | None = None, round_number: int | None = None
    ) -> None:
        """Something else is done from now on, for a workload or for the whole run."""
        for lane in list(self._open) if workload is None else (workload, None):
            if self._open.get(lane, ("", 0.0))[0] != stage or lane != workload:
                self._end(lane, at_s)
        self._open.setdefault(workload, (stage, at_s))
        if workload is not None:
            self._rounds.see(workload, round_number, at_s)

    def begin_iteration(self, at_s: float, workload: str, number: int) -> None:
        """An iteration of a workload begins."""
        self._iterations.see(workload, number, at_s)

    def leave(self, at_s: float, workload: str) -> None:
        """An iteration of a workload is over."""
        self._end(workload, at_s)

    def spans(self, now_s: float) -> tuple[StageSpan, ...]:
        """Every stage in the order in which they began; what still goes on ends now."""
        going_on = (
            StageSpan(stage, workload, began_s, max(began_s, now_s))
            for workload, (stage, began_s) in self._open.items()
        )
        return tuple(sorted((*self._spans, *going_on), key=lambda span: span.began_s))

    @property
    def rounds(self) -> tuple[RoundStart, ...]:
        """When rounds of churn began; of more than some hundred, every second, or fourth, ..."""
        return tuple(self._rounds.kept)

    @property
    def iterations(self) -> tuple[IterationStart, ...]:
        """When iterations began; likewise."""
        return tuple(self._iterations.kept)

    def _end(self, lane: str | None, at_s: float) -> None:
        stage, began_s = self._open.pop(lane, ("", at_s))
        if at_s <= began_s:
            return  # it was over as soon as it had begun
        self._spans.append(StageSpan(stage, lane, began_s, at_s))
        self._lanes.add(lane)
        while len(self._spans) > _MOST_SPANS + len(self._lanes):
            self._spans = list(_merged(self._spans, self._shortest_s))
            self._shortest_s *= 2


class _Starts(Generic[_StartT]):
    """When numbered things of workloads began; of too many, every second is kept, or fourth."""

    def __init__(self, kind: Callable[[str, int, float], _StartT]) -> None:
        self._kind: Callable[[str, int, float], _StartT] = kind
        self._last: dict[str, int] = {}
        self._every = 1
        self.kept: list[_StartT] = []

    def see(self, workload: str, number: int | None, at_s: float) -> None:
        """The one of this number goes on; it begins if it is a new one."""
        if number is None or number <= self._last.get(workload, 0):
            return
        self._last[workload] = number
        if (number - 1) % self._every:
            return
        self.kept.append(self._kind(workload, number, at_s))
        if len(self.kept) > _MOST_STARTS:
            self._every *= 2
            self.kept = [each for each in self.kept if not (each.number - 1) % self._every]


def _merged(spans: Iterable[StageSpan], shortest_s: float) -> Iterable[StageSpan]:
    """Make one of neighbours of a workload that are both short: what took the most of it."""
    last: dict[str | None, StageSpan] = {}
    for span in spans:
        before = last.get(span.workload)
        if before is None:
            last[span.workload] = span
        elif span.ended_s - before.began_s > shortest_s:
            yield before
            last[span.workload] = span
        else:
            longer = max(before, span, key=lambda each: each.ended_s - each.began_s)
            last[span.workload] = msgspec.structs.replace(
                longer, began_s=before.began_s, ended_s=span.ended_s
            )
    yield from last.values()
