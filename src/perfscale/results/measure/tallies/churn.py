"""Counts what churn did to objects of one kind, in memory that does not grow with its rounds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from perfscale.results.measure.latencies import CREATION, DELETION, READY, missed_phases
from perfscale.results.measure.statistics.sketch import Sketch
from perfscale.results.model.churn import ChurnResult, ChurnRound

if TYPE_CHECKING:
    from perfscale.results.measure.latencies import LatencyRule
    from perfscale.results.model.latency import LatencySummary
    from perfscale.results.model.records import ObjectRecord

MOST_ROUNDS: Final = 200
"""Rounds that are counted one by one; if there are more, two of them are counted together, or
four, and so on."""


def apart_from_churn(record: ObjectRecord) -> ObjectRecord | None:
    """The record of one of the first objects without what churn did to it.

    Returns:
        None for what churn created.
    """
    if record.round is not None:
        return None
    if record.replaced_in is None:
        return record
    return msgspec.structs.replace(record, delete_requested_s=None, deleted_s=None)


class SketchedLatency:
    """A latency in bounded memory, with those that never got there."""

    __slots__ = ("_missing", "_sketch", "_summary")

    def __init__(self) -> None:
        self._sketch = Sketch()
        self._missing = 0
        self._summary: LatencySummary | None = None

    def measure(self, rule: LatencyRule, record: ObjectRecord, origin_s: float | None) -> None:
        """Take the latency of one object, if it has begun."""
        begun_s, reached_s = rule.times_s(record, origin_s)
        if begun_s is not None:
            self.add(None if reached_s is None else reached_s - begun_s)

    def add(self, seconds: float | None) -> None:
        """Count an object that got there after so long, or None that did not."""
        self._summary = None
        if seconds is None:
            self._missing += 1
        else:
            self._sketch.count(seconds)

    def extend(self, other: SketchedLatency) -> None:
        """Count everything that ``other`` counted."""
        self._summary = None
        self._sketch.add(other._sketch)
        self._missing += other._missing

    def summarize(self) -> LatencySummary:
        """Every statistic, within one per cent of that of the samples themselves.

        What is missing took longer than all others, as always. It is found once, as long as
        nothing more is counted: of rounds that are over, again and again while a run goes on.
        """
        if self._summary is None:
            self._summary = self._sketch.estimate(self._missing)
        return self._summary


class _Round:
    """What was created in a round, and what was deleted in it."""

    __slots__ = ("deletion", "ready")

    def __init__(self) -> None:
        self.ready, self.deletion = SketchedLatency(), SketchedLatency()

    def extend(self, other: _Round) -> None:
        self.ready.extend(other.ready)
        self.deletion.extend(other.deletion)


class ChurnTally:
    """Latencies of one kind under churn; tallies add up."""

    def __init__(self) -> None:
        self._phases: dict[str, SketchedLatency] = {}
        self._creation, self._deletion = SketchedLatency(), SketchedLatency()
        self._has_creation = False
        self._width = 1
        self._last = 0
        self._rounds: dict[int, _Round] = {}

    def measure(
        self, record: ObjectRecord, origin_s: float | None, path: tuple[str, ...] = ()
    ) -> None:
        """Take an object that churn created, or deleted, or both.

        Args:
            record: The object.
            origin_s: From when its latencies count; None for one that was never sent.
            path: The phases on the way to readiness: what is not ready is missing from them.
        """
        if record.replaced_in is not None:
            asked_s, gone_s = DELETION.times_s(record, origin_s)
            if asked_s is not None:
                after_s = None if gone_s is None else gone_s - asked_s
                self.count_gone(record.replaced_in, after_s)
        if record.round is None or origin_s is None:
            return
        phases = dict(record.phases_s)
        for phase, at_s in phases.items():
            self._phase(phase).add(at_s - origin_s)
        reached_s = READY.times_s(record, origin_s)[1]
        if reached_s is None:
            for phase in missed_phases(record, path, phases):
                self._phase(phase).add(None)
        self.count_ready(record.round, None if reached_s is None else reached_s - origin_s)
        self._creation.measure(CREATION, record, origin_s)
        self._has_creation = self._has_creation or record.replica is not None

    def count_ready(self, number: int, seconds: float | None) -> None:
        """What a round created is ready after so long, or with None never was."""
        self._phase(READY.name).add(seconds)
        self._round(number).ready.add(seconds)

    def count_gone(self, number: int, seconds: float | None) -> None:
        """What a round deleted is seen gone after so long, or with None never was."""
        self._deletion.add(seconds)
        self._round(number).deletion.add(seconds)

    def add(self, other: ChurnTally) -> None:
        """Count everything that ``other`` counted."""
        for phase, latency in other._phases.items():
            self._phase(phase).extend(latency)
        self._creation.extend(other._creation)
        self._deletion.extend(other._deletion)
        self._has_creation = self._has_creation or other._has_creation
        self._last = max(self._last, other._last)
        while self._width < other._width:
            self._merge_rounds()
        for number, rounds in other._rounds.items():
            self._group(1 + number * other._width).extend(rounds)

    def result(self) -> ChurnResult:
        """The frozen summary."""
        width = self._width
        return ChurnResult(
            phases={phase: latency.summarize() for phase, latency in self._phases.items()},
            creation=self._creation.summarize() if self._has_creation else None,
            deletion=self._deletion.summarize(),
            rounds=tuple(
                ChurnRound(
                    1 + number * width,
                    min((number + 1) * width, self._last),
                    each.ready.summarize(),
                    each.deletion.summarize(),
                )
                for number, each in sorted(self._rounds.items())
            ),
        )

    def _phase(self, name: str) -> SketchedLatency:
        return self._phases.setdefault(name, SketchedLatency())

    def _round(self, number: int) -> _Round:
        self._last = max(self._last, number)
        return self._group(number)

    def _group(self, number: int) -> _Round:
        found = self._rounds.setdefault((number - 1) // self._width, _Round())
        if len(self._rounds) <= MOST_ROUNDS:
            return found
        self._merge_rounds()
        return self._rounds[(number - 1) // self._width]

    def _merge_rounds(self) -> None:
        self._width *= 2
        before, self._rounds = self._rounds, {}
        for number, each in before.items():
            self._rounds.setdefault(number // 2, _Round()).extend(each)
