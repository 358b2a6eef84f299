"""Writes down what happened: records as they are complete, accounts and latencies at the end.

An iteration whose objects are all gone is written and forgotten at once, so
that a run of many iterations does not grow; only its latency samples stay.
One whose objects stay is written at the end of the run, since they can still
fail until then.

Writing down tens of thousands of objects takes a second or two. It is done in
pages, between which whatever else lives on the loop has its turn; what an
interrupt leaves of them is written when the books are closed.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from perfscale.engine.accounting.lookout import Lookout
from perfscale.results import Books, Calls, IterationFacts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from perfscale.engine.context import RunContext
    from perfscale.engine.tracking.rows import IterationScope, TrackedObject
    from perfscale.errors import ThresholdError
    from perfscale.results import (
        Balance,
        CountedCall,
        IterationTally,
        ObjectRecord,
        RequestMeter,
        ResultSink,
        RunInfo,
    )

_PAGE = 200
"""Objects written down in one go: some ten milliseconds."""


@dataclass
class IterationAccount:
    """One iteration, while its story is not over."""

    scope: IterationScope
    requested: Mapping[str, int]
    started_s: float
    finished_s: float | None = None
    held_back_s: float = 0.0
    problems: list[str] = field(default_factory=list)

    @property
    def nothing_left(self) -> bool:
        """Whether it is over, and everything of it is gone."""
        scope = self.scope
        return (
            self.finished_s is not None
            and scope.deletion_requested
            and not scope.present
            and not scope.present_children
        )

    def facts(self, now: float) -> IterationFacts:
        """What is known beside its objects; ``now`` is its end if it has none yet."""
        return IterationFacts(
            workload=self.scope.workload,
            iteration=self.scope.iteration,
            requested=self.requested,
            started_s=self.started_s,
            finished_s=now if self.finished_s is None else self.finished_s,
            held_back_s=round(self.held_back_s, 6),
            problems=tuple(self.problems),
        )


class Ledger:
    """The run's books."""

    def __init__(
        self, context: RunContext, info: RunInfo, sink: ResultSink | None, meter: RequestMeter
    ) -> None:
        self._context = context
        self._meter = meter
        self._current: IterationAccount | None = None
        self._sink = sink
        self._books = Books(info.workloads, info.paths, context.sightings.blind)
        self._lookout = Lookout(context.config, info.workloads, self._books.calls_of)
        self._open: list[IterationAccount] = []
        self._unwritten: deque[tuple[IterationAccount, IterationTally]] = deque()
        self._sink_failed = False

    def open_iteration(
        self, workload: str, iteration: int, requested: Mapping[str, int]
    ) -> IterationAccount:
        """Begin an iteration; ``requested`` counts its objects by kind."""
        self.count_calls()
        now = self._context.stopwatch.now()
        scope = self._context.tracker.open_iteration(workload, iteration, sum(requested.values()))
        entry = IterationAccount(scope, requested, started_s=now)
        self._open.append(entry)
        self._current = entry
        self._context.journal.begin_iteration(scope, dict(requested), now)
        return entry

    def close_iteration(self, entry: IterationAccount) -> None:
        """The iteration is over."""
        self.count_calls()
        self._current = None
        now = entry.finished_s = self._context.stopwatch.now()
        self._context.journal.end_iteration(entry.scope, entry.facts(now), final=False)

    async def settle(self, *, everything: bool = False) -> None:
        """Write down the iterations of which nothing is left.

        Args:
            everything: Write down the others too: the run is over, and nothing
                more will be heard of their objects.
        """
        self._take_up([each for each in self._open if everything or each.nothing_left])
        while self._unwritten:
            self._write_page()
            await asyncio.sleep(0)

    def close(self) -> Balance:
        """Write whatever has not been written, and sum everything up."""
        self.count_calls()
        self._take_up(list(self._open))
        while self._unwritten:
            self._write_page()
        return self._books.close()

    def look_out(self) -> ThresholdError | None:
        """Find a threshold that should end the run, as it cannot be met any more."""
        self.count_calls()
        return self._lookout.look(
            self._context.tracker.open_scopes(), self._context.stopwatch.now()
        )

    def count_calls(self) -> None:
        """Take what was counted of requests since the last time, for the iteration that goes on."""
        counted = self._meter.cut()
        if not counted:
            return
        scope = self._current.scope if self._current is not None else None
        place = (scope.workload, scope.iteration) if scope is not None else None
        self._books.count_calls(counted, place)
        self._context.journal.append_calls(scope, counted, self._context.stopwatch.now())

    def calls(self) -> tuple[CountedCall, ...]:
        """Every request of the run until now."""
        total = Calls()
        total.add(self._books.calls_of(None).counted())
        total.add(self._meter.counted())
        return tuple(total.counted())

    def _take_up(self, entries: Iterable[IterationAccount]) -> None:
        """Nothing more will be heard of these iterations: they wait to be written."""
        for entry in entries:
            scope = entry.scope
            self._open.remove(entry)
            self._lookout.close(scope)
            self._context.tracker.retire(scope)
            tally = self._books.open_tally(children=bool(scope.children))
            self._unwritten.append((entry, tally))

    def _write_page(self) -> None:
        """Write some of the first iteration that waits for it, or sum it up."""
        entry, tally = self._unwritten[0]
        scope = entry.scope
        if scope.objects:
            records = self._take_page(scope.objects)
            tally.add(records)
            self._record(records, children=False)
        elif scope.children:
            records = self._take_page(scope.children)
            tally.add_children(records)
            self._record(records, children=True)
        else:
            self._unwritten.popleft()
            facts = entry.facts(self._context.stopwatch.now())
            self._books.enter(facts, tally)
            self._context.journal.end_iteration(scope, facts, final=True)

    def _take_page(self, rows: list[TrackedObject]) -> list[ObjectRecord]:
        """The records of the next rows, which are let go: they are what takes the memory."""
        page = rows[:_PAGE]
        del rows[:_PAGE]
        self._context.journal.flush_rows(page)
        self._context.tracker.forget(page)
        return [row.record() for row in page if row.uid is not None or not row.is_child]

    def _record(self, records: list[ObjectRecord], *, children: bool) -> None:
        if self._sink is None or self._sink_failed:
            return
        try:
            self._sink.record(records, children=children)
        except OSError as error:
            # A full disk must not cost the run, whose summary can still be shown.
            self._sink_failed = True
            self._context.warn(f"the objects' records could not be written: {error}")
