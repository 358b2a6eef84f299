"""Appends entries to the journal for what changes in a run.

Rows that have changed are marked dirty, and flushed a few times a second: what
happens to an object in between makes one line, not many. They are flushed before
anything else is appended, so that the journal is in the order of what happened. A row that
nobody marked is written at the next flush, or when the tracker lets go of it; so
the journal holds all that the tracker knew, whatever path it came by.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from perfscale.engine.sharding.shard import WHOLE
from perfscale.engine.tracking.row_changes import take_all, take_changes, take_operation
from perfscale.engine.tracking.rows import ANOTHER_OBJECT, QUEUED
from perfscale.results import (
    BlindEntry,
    CallsEntry,
    ChangeEntry,
    CountedEntry,
    DeleteEntry,
    DueEntry,
    IterationEndEntry,
    IterationEntry,
    Journal,
    ObjectEntry,
    OperationChangeEntry,
    OperationEntry,
    PromptJournal,
    ReleaseEntry,
    RoundEntry,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from perfscale.engine.sharding.portion import Requested
    from perfscale.engine.sharding.shard import Shard
    from perfscale.engine.tracking.operations.tracked import TrackedOperation
    from perfscale.engine.tracking.rows import IterationScope, TrackedObject
    from perfscale.results import (
        BlindSpan,
        CountedCall,
        Entry,
        IterationFacts,
        ResultSink,
    )

_AT_ONCE: Final = 200
"""Rows flushed in one go, for which nothing else of the process runs: about a millisecond."""

_PROMPT_S: Final = 1.0
"""How long a load waits for a disk that is slow."""


class JournalFeed:
    """A run's journal, if it has one.

    Args:
        sink: The run's sink; nothing is appended if it keeps no journal.
        on_failure: Called once if the journal cannot be written.
        shard: Which part of the run it is about. The numbers of several are never the same, so
            that their journals are put together as they are.
    """

    def __init__(
        self,
        sink: ResultSink | None,
        on_failure: Callable[[OSError], None],
        shard: Shard = WHOLE,
    ) -> None:
        self._shard = shard
        self._journal: Journal | None = None
        if sink is not None and isinstance(sink, Journal):
            self._journal = sink
        self._on_failure = on_failure
        self._objects = 0  # counted, and likewise below: see `_number`
        self._iterations: dict[IterationScope, int] = {}
        self._count = 0
        self._dirty: list[TrackedObject] = []
        self._operations = 0
        self._dirty_operations: list[TrackedOperation] = []

    async def flush(self) -> None:
        """Append what is new about dirty rows, in pages between which the loop goes on."""
        while len(self._dirty) > _AT_ONCE:
            some, self._dirty = self._dirty[:_AT_ONCE], self._dirty[_AT_ONCE:]
            self.flush_rows(some)
            await asyncio.sleep(0)
        while len(self._dirty_operations) > _AT_ONCE:
            self._flush_some_operations(_AT_ONCE)
            await asyncio.sleep(0)
        self._flush_dirty()

    async def written(self) -> None:
        """Wait until everything that was appended is on its way to the disk, if that is soon.

        Before something is requested of which nothing but the journal knows.
        """
        journal = self._journal
        if not isinstance(journal, PromptJournal):
            return
        loop, done = asyncio.get_running_loop(), asyncio.Event()

        def report() -> None:
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(done.set)

        journal.when_written(report)
        with suppress(TimeoutError):
            async with asyncio.timeout(_PROMPT_S):
                await done.wait()

    def begin_iteration(
        self, scope: IterationScope, requested: Requested, started_s: float
    ) -> None:
        """An iteration begins."""
        self._count += 1
        self._iterations[scope] = number = self._number(self._count)
        self.append(
            IterationEntry(
                number,
                scope.workload,
                scope.iteration,
                dict(requested.own),
                started_s,
                requested.ends,
                scope.round,
                self._shard.journaled,
                self._whole(requested.whole),
            )
        )

    def _whole(self, requested: Mapping[str, int] | None) -> dict[str, int] | None:
        """What was requested of all generators; None where there is one."""
        return None if self._shard.is_whole or requested is None else dict(requested)

    def _number(self, count: int) -> int:
        """The number of the ``count``th thing, in the journal of the whole run."""
        return self._shard.number(count)

    def append_blind(self, count: int, span: BlindSpan) -> None:
        """Append a blind span, as it is now; ``count`` is its own number here, from 0."""
        self.append(BlindEntry(self._number(count + 1) - 1, span))

    def count_operations(self, scope: IterationScope) -> None:
        """The decided operations of an iteration are counted now."""
        self.flush_operations()
        self._append(CountedEntry(self._iterations[scope]))

    def append_due(
        self,
        scope: IterationScope,
        now: float,
        requested: Mapping[str, int],
        whole: Mapping[str, int] | None,
    ) -> None:
        """A load that ends by its time has requested so many a moment later, at most.

        ``whole`` is what all generators have by then; None where that is not known.
        """
        due = dict(requested), self._whole(whole)
        self.append(DueEntry(self._iterations[scope], now, *due))

    def begin_round(
        self,
        scope: IterationScope,
        number: int,
        now: float,
        requested: tuple[Mapping[str, int], Mapping[str, int]],
    ) -> None:
        """A round of churn asks for more objects of an iteration, by kind: here, and in all."""
        own, whole = requested
        entry = RoundEntry(self._iterations[scope], number, now, dict(own), self._whole(whole))
        self.append(entry)

    def release(
        self,
        scope: IterationScope,
        objects: Iterable[TrackedObject],
        children: Iterable[TrackedObject],
        *,
        page: bool = False,
    ) -> None:
        """Nothing more comes about these rows, which have been flushed; see `ReleaseEntry`."""
        gone, others = ([row.number for row in rows if row.number] for rows in (objects, children))
        self.append(ReleaseEntry(self._iterations[scope], gone, others, page))

    def release_page(self, scope: IterationScope, rows: Iterable[TrackedObject]) -> None:
        """The same of some rows of an iteration that is over.

        Who puts the journals of several generators together writes their records page by page then;
        the journal of one is read when all is over.
        """
        if self._shard.is_whole:
            return
        rows = list(rows)
        objects = [row for row in rows if not row.is_child]
        self.release(scope, objects, [row for row in rows if row.is_child], page=True)

    def end_iteration(self, scope: IterationScope, facts: IterationFacts, *, final: bool) -> None:
        """An iteration is over; ``final`` is the last entry of all that is about it."""
        number = self._iterations[scope]
        if final:
            del self._iterations[scope]
        self.append(
            IterationEndEntry(
                number,
                facts.finished_s,
                facts.held_back_s,
                list(facts.problems),
                settled=final,
                requested=dict(facts.requested) if facts.ends else None,
            )
        )

    def request_deletion(self, scope: IterationScope, now: float) -> None:
        """Everything of an iteration is being deleted."""
        self.append(DeleteEntry(self._iterations[scope], now))

    def append_calls(
        self, scope: IterationScope | None, counted: list[CountedCall], now: float
    ) -> None:
        """What was counted of requests since the last time; ``scope`` is what they were for."""
        number = None if scope is None else self._iterations[scope]
        self.append(CallsEntry(now, number, counted))

    def append(self, entry: Entry) -> None:
        """Append an entry that is not about an object, after those that are."""
        if self._dirty or self._dirty_operations:  # a coordinator's has none, and many entries
            self._flush_dirty()
        self._append(entry)

    def mark_dirty(self, row: TrackedObject) -> None:
        """Something about an object has changed: the next flush writes it."""
        if not row.dirty & QUEUED and self._journal is not None:
            row.dirty |= QUEUED
            self._dirty.append(row)

    def mark_operation_dirty(self, operation: TrackedOperation) -> None:
        """Something about an operation has changed: the next flush writes it."""
        if not operation.queued and self._journal is not None:
            operation.queued = True
            self._dirty_operations.append(operation)

    def flush_operations(self) -> None:
        """Append what is new about operations."""
        self._flush_some_operations(len(self._dirty_operations))

    def _flush_some_operations(self, count: int) -> None:
        some, self._dirty_operations = (
            self._dirty_operations[:count],
            self._dirty_operations[count:],
        )
        for operation in some:
            operation.queued = False
            self._append_operation(operation)

    def flush_rows(self, rows: Iterable[TrackedObject]) -> None:
        """Append what is new about objects."""
        if self._journal is None:
            return
        for row in rows:
            if row.number:
                self._append_changes(row)
            elif row.uid is not None or not row.is_child:
                self._append_object(row)

    def _flush_dirty(self) -> None:
        dirty, self._dirty = self._dirty, []
        self.flush_rows(dirty)
        self.flush_operations()

    def _append_operation(self, operation: TrackedOperation) -> None:
        """Introduce an operation, or append what is new about it."""
        changes = take_operation(operation)
        if operation.number:
            if changes:  # a replay forgets what is done: an empty entry would be about nothing
                self._append(OperationChangeEntry(n=operation.number, **changes))
            return
        self._operations += 1
        operation.number = self._number(self._operations)
        self._append(
            OperationEntry(
                n=operation.number,
                i=self._iterations[operation.scope],
                operation=operation.operation,
                kind=operation.resource.kind_name,
                namespace=operation.namespace,
                name=operation.name,
                uid=operation.uid,
                scheduled_s=operation.scheduled_s,
                admitted_s=operation.admitted_s,
                **changes,
            )
        )

    def _append_object(self, row: TrackedObject) -> None:
        """Introduce an object, with all that is known of it."""
        self._objects += 1
        row.number = self._number(self._objects)
        self._append(
            ObjectEntry(
                n=row.number,
                i=self._iterations[row.scope],
                kind=row.resource.kind_name,
                namespace=row.namespace,
                replica=row.replica,
                scheduled_s=row.scheduled_s,
                admitted_s=row.admitted_s,
                **take_all(row),
            )
        )

    def _append_changes(self, row: TrackedObject) -> None:
        if row.dirty & ANOTHER_OBJECT:
            # The row was taken for another object before. An entry with a UID, even with none,
            # makes a replay forget what it had (see `ChangeEntry`), so everything is repeated.
            row.flushed_phases, row.flushed_later, row.flushed_timestamps = 0, 0, ()
            self._append(ChangeEntry(n=row.number, **{"uid": None, **take_all(row)}))
        elif changes := take_changes(row):
            self._append(ChangeEntry(n=row.number, **changes))

    def _append(self, entry: Entry) -> None:
        if self._journal is None:
            return
        try:
            self._journal.note(entry)
        except OSError as error:
            self._on_failure(error)
