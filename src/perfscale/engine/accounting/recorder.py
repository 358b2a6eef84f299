"""Tells the journal what happens.

Rows that have changed are remembered, and told of a few times a second: what
happens to an object in between makes one line, not many. Nothing else is told
before they are, so that the journal is in the order of what happened. A change
that nobody pointed out is told the next time, or when the row is let go; so
the journal holds all that the tracker knew, whatever path it came by.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from perfscale.engine.tracking.rows import ALL_DIRTY, ANOTHER_OBJECT, DIRTY, QUEUED
from perfscale.results import (
    CallsEntry,
    ChangeEntry,
    DeleteEntry,
    IterationEndEntry,
    IterationEntry,
    Journal,
    ObjectEntry,
    StageEntry,
    TotalsEntry,
    WarningEntry,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from perfscale.engine.tracking.rows import IterationScope, TrackedObject
    from perfscale.results import (
        BlindEntry,
        CountedCall,
        Entry,
        IterationFacts,
        OutageEntry,
        ResultSink,
        Stamps,
        Totals,
    )

_AT_ONCE: Final = 200
"""Rows told of in one go, for which nothing else of the process runs: about a millisecond."""


class Recorder:
    """A run's journal, if it has one.

    Args:
        sink: The run's sink; what it is not told if it does not want to know.
        on_failure: Told once that the journal cannot be written.
    """

    def __init__(self, sink: ResultSink | None, on_failure: Callable[[OSError], None]) -> None:
        self._journal: Journal | None = None
        if sink is not None and isinstance(sink, Journal):
            self._journal = sink
        self._on_failure = on_failure
        self._objects = 0
        self._iterations: dict[IterationScope, int] = {}
        self._count = 0
        self._touched: list[TrackedObject] = []

    async def tell(self) -> None:
        """Tell what is new, without holding up anything else; called a few times a second."""
        while len(self._touched) > _AT_ONCE:
            some, self._touched = self._touched[:_AT_ONCE], self._touched[_AT_ONCE:]
            self.look_all(some)
            await asyncio.sleep(0)
        self._look_at_touched()

    def begin_iteration(
        self, scope: IterationScope, requested: dict[str, int], started_s: float
    ) -> None:
        """An iteration begins."""
        self._count += 1
        self._iterations[scope] = self._count
        self._note(
            IterationEntry(self._count, scope.workload, scope.iteration, requested, started_s)
        )

    def end_iteration(self, scope: IterationScope, facts: IterationFacts, *, settled: bool) -> None:
        """An iteration is over; once it is settled, nothing more is told of its objects."""
        number = self._iterations[scope]
        if settled:
            del self._iterations[scope]
        self._note(
            IterationEndEntry(
                number, facts.finished_s, facts.held_back_s, list(facts.problems), settled
            )
        )

    def request_deletion(self, scope: IterationScope, now: float) -> None:
        """Everything of an iteration was asked to go."""
        self._note(DeleteEntry(self._iterations[scope], now))

    def enter(self, stage: str, workload: str | None, iteration: int | None, now: float) -> None:
        """The run turns to something else."""
        self._note(StageEntry(now, stage, workload, iteration))

    def count(self, totals: Totals, now: float) -> None:
        """What is counted for the run as a whole."""
        self._note(TotalsEntry(now, totals))

    def count_calls(
        self, scope: IterationScope | None, counted: list[CountedCall], now: float
    ) -> None:
        """What was counted of requests since the last time; ``scope`` is what they were for."""
        number = None if scope is None else self._iterations[scope]
        self._note(CallsEntry(now, number, counted))

    def warn(self, message: str, now: float) -> None:
        """Something that a person should know."""
        self._note(WarningEntry(now, message))

    def note_aside(self, entry: BlindEntry | OutageEntry) -> None:
        """Something about the run's own sight, or its server's."""
        self._note(entry)

    def touch(self, row: TrackedObject) -> None:
        """Something about an object has changed."""
        if not row.dirty & QUEUED and self._journal is not None:
            row.dirty |= QUEUED
            self._touched.append(row)

    def look_all(self, rows: Iterable[TrackedObject]) -> None:
        """Tell what is new about objects."""
        if self._journal is None:
            return
        for row in rows:
            if row.number:
                self._tell_news(row)
            elif row.uid is not None or not row.is_child:
                self._introduce(row)

    def _look_at_touched(self) -> None:
        touched, self._touched = self._touched, []
        self.look_all(touched)

    def _introduce(self, row: TrackedObject) -> None:
        """Tell who it is, and all that is known of it."""
        self._objects += 1
        row.number = self._objects
        self._append(
            ObjectEntry(
                n=row.number,
                i=self._iterations[row.scope],
                kind=row.resource.kind_name,
                namespace=row.namespace,
                replica=row.replica,
                scheduled_s=row.scheduled_s,
                admitted_s=row.admitted_s,
                **_all_about(row),
            )
        )

    def _tell_news(self, row: TrackedObject) -> None:
        if row.dirty & ANOTHER_OBJECT:
            # With a UID that is told again, even as none, everything begins anew.
            row.flushed_phases, row.flushed_timestamps = 0, ()
            self._append(ChangeEntry(n=row.number, **{"uid": None, **_all_about(row)}))
        elif news := _news_of(row):
            self._append(ChangeEntry(n=row.number, **news))

    def _note(self, entry: Entry) -> None:
        """Tell something else than of an object."""
        self._look_at_touched()
        self._append(entry)

    def _append(self, entry: Entry) -> None:
        if self._journal is None:
            return
        try:
            self._journal.note(entry)
        except OSError as error:
            self._on_failure(error)


def _all_about(row: TrackedObject) -> dict[str, Any]:
    """What there is to know."""
    row.dirty = ALL_DIRTY
    return {name: value for name, value in _news_of(row).items() if value is not None}


def _news_of(row: TrackedObject) -> dict[str, Any]:
    """What has not been told, which then has. It is called for most events, so it counts cycles."""
    told: dict[str, Any] = {}
    dirty = row.dirty
    if dirty:
        row.dirty = 0
        for name, bit in DIRTY.items():
            if dirty & bit:
                told[name] = getattr(row, name)
    if len(row.phases_s) > row.flushed_phases:
        told["phases_s"] = dict(row.phases_s.items(row.flushed_phases))
        row.flushed_phases = len(row.phases_s)
    if row.phase_timestamps is not row.flushed_timestamps:
        if changed := _changed_stamps(row.flushed_timestamps, row.phase_timestamps):
            told["phase_timestamps"] = changed
        row.flushed_timestamps = row.phase_timestamps
    return told


def _changed_stamps(old: Stamps, new: Stamps) -> dict[str, str | None]:
    if new[: len(old)] == old:  # as a rule, they only grow
        return dict(new[len(old) :])
    before, now = dict(old), dict(new)
    changed: dict[str, str | None] = {
        phase: timestamp for phase, timestamp in now.items() if before.get(phase) != timestamp
    }
    changed.update((phase, None) for phase in before if phase not in now)
    return changed
