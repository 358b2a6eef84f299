"""Tells the journal what happens, as it happens.

The recorder keeps what it has told of each row on the row, and tells what is
new whenever the row is looked at. A change that nobody pointed out is told the
next time, or when the row is let go; so the journal holds all that the tracker
knew, whatever path it came by.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from perfscale.engine.accounting import rounded
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

    from perfscale.engine.readiness import PhaseTransition
    from perfscale.engine.rows import IterationScope, TrackedObject
    from perfscale.results import CountedCall, Entry, IterationFacts, ResultSink, Totals

_BIRTH: Final = ("uid", "owner_uid", "creation_timestamp", "sent_s", "created_s", "observed_s")
_LIFE: Final = ("error", "detail", "ready_s")
_DEATH: Final = ("delete_requested_s", "deleted_s", "deletion_timestamp")
_NOTHING: Final = ((None,) * len(_BIRTH), (None,) * len(_LIFE), (None,) * len(_DEATH), 0, None)
"""What has been told of a row before it is told of: each group of fields, how
many phases, and the server's timestamps of them."""


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
        self._note(DeleteEntry(self._iterations[scope], round(now, 6)))

    def enter(self, stage: str, workload: str | None, iteration: int | None, now: float) -> None:
        """The run turns to something else."""
        self._note(StageEntry(round(now, 6), stage, workload, iteration))

    def count(self, totals: Totals, now: float) -> None:
        """What is counted for the run as a whole."""
        self._note(TotalsEntry(round(now, 6), totals))

    def count_calls(
        self, scope: IterationScope | None, counted: list[CountedCall], now: float
    ) -> None:
        """What was counted of requests since the last time; ``scope`` is what they were for."""
        number = None if scope is None else self._iterations[scope]
        self._note(CallsEntry(round(now, 6), number, counted))

    def warn(self, message: str, now: float) -> None:
        """Something that a person should know."""
        self._note(WarningEntry(round(now, 6), message))

    def look_all(self, rows: Iterable[TrackedObject]) -> None:
        """Look at many."""
        if self._journal is not None:
            for row in rows:
                self.look(row)

    def look(self, row: TrackedObject) -> None:
        """Tell what is new about an object."""
        if self._journal is None:
            return
        told = row.told
        known = told or _NOTHING
        # What is not ready says why; once it is, or has failed, nobody asks.
        waiting = row.ready_s is None and row.error is None
        state = (
            (
                row.uid,
                row.owner_uid,
                row.server_created,
                row.sent_s,
                row.created_s,
                row.observed_s,
            ),
            (row.error, row.detail if waiting else known[1][1], row.ready_s),
            (row.delete_requested_s, row.deleted_s, row.server_deleted),
            len(row.phases_s),
            row.server_phases,
        )
        if told == state:
            return
        row.told = state
        if known[0][0] not in {None, row.uid}:
            known = _NOTHING  # the row is about another object by now
        news = _news(row, known, state)
        if told is not None:
            self._note(ChangeEntry(n=row.number, **news))
            return
        self._objects += 1
        row.number = self._objects
        self._note(
            ObjectEntry(
                n=row.number,
                i=self._iterations[row.scope],
                kind=row.resource.kind,
                namespace=row.namespace,
                name=row.name,
                replica=row.replica,
                scheduled_s=rounded(row.scheduled_s),
                admitted_s=rounded(row.admitted_s),
                **news,
            )
        )

    def _note(self, entry: Entry) -> None:
        if self._journal is None:
            return
        try:
            self._journal.note(entry)
        except OSError as error:
            self._on_failure(error)


def _news(row: TrackedObject, known: tuple[Any, ...], state: tuple[Any, ...]) -> dict[str, Any]:
    """What of ``state`` is not in ``known``. Called for every event, so it counts cycles."""
    news: dict[str, Any] = {}
    for group, names in enumerate((_BIRTH, _LIFE, _DEATH)):
        if state[group] != known[group]:
            for name, old, new in zip(names, known[group], state[group], strict=True):
                if new != old:
                    news[name] = round(new, 6) if type(new) is float else new
    if state[3] > known[3]:
        fresh = islice(row.phases_s.items(), known[3], None)
        news["phases_s"] = {phase: round(at, 6) for phase, at in fresh}
    old_stamps, stamps = known[4] or [], state[4] or []
    if stamps is not old_stamps:
        if stamps[: len(old_stamps)] == old_stamps:
            changed = {
                each.phase: each.phase_transition_timestamp for each in stamps[len(old_stamps) :]
            }
        else:
            changed = _changed_stamps(old_stamps, stamps)
        if changed:
            news["phase_timestamps"] = changed
    return news


def _changed_stamps(
    old: Iterable[PhaseTransition], new: Iterable[PhaseTransition]
) -> dict[str, str | None]:
    before = {stamp.phase: stamp.phase_transition_timestamp for stamp in old}
    now = {stamp.phase: stamp.phase_transition_timestamp for stamp in new}
    changed: dict[str, str | None] = {
        phase: timestamp for phase, timestamp in now.items() if before.get(phase) != timestamp
    }
    changed.update((phase, None) for phase in before if phase not in now)
    return changed
