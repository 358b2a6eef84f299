"""Writes records as soon as they are complete, and accounts and latencies at the end.

An iteration whose objects are all gone is written and forgotten at once, so
that a run of many iterations does not grow; only its latency samples stay.
One whose objects stay is written at the end of the run, since they can still
fail until then.

Writing down tens of thousands of objects takes a second or two. It is done in
pages, between which whatever else lives on the loop has its turn; what an
interrupt leaves of them is written at the end of the run.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from perfscale.engine.accounting.abort_thresholds import AbortThresholds
from perfscale.engine.accounting.due import DueFeed
from perfscale.results import Calls, OperationSink, RequestSums, RunTally

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from perfscale.config import Workload
    from perfscale.engine.context import RunContext
    from perfscale.engine.iteration_context import IterationContext
    from perfscale.engine.sharding.portion import Requested
    from perfscale.engine.tracking.rows import IterationScope, TrackedObject
    from perfscale.errors import ThresholdError
    from perfscale.results import (
        CountedCall,
        IterationResult,
        IterationTally,
        ObjectRecord,
        RequestMeter,
        RunSum,
    )
    from perfscale.templates import ObjectFactory

_PAGE = 200
"""Objects written down in one go: some ten milliseconds."""


@dataclass(frozen=True, slots=True)
class Released:
    """Objects that are gone, and their children, of an iteration that goes on."""

    iteration: IterationContext
    objects: list[TrackedObject]
    children: list[TrackedObject]


class RunAccounting:
    """Counts the iterations of a run, and lets go of their rows once their records are written.

    Attributes:
        due: What loads that end by their time have requested.
    """

    def __init__(self, context: RunContext) -> None:
        info = context.inputs.info
        self._context = context
        self._meter = context.inputs.meter
        self._sink = context.inputs.sink
        self._operation_sink = _takes_operations(context.inputs.sink)
        self._run_tally = RunTally(info.workloads, info.paths, context.gaps.blind)
        self._abort_thresholds = AbortThresholds(
            context.config, info.workloads, self._run_tally.calls_of
        )
        self.due = DueFeed(context)
        self._unwritten: deque[tuple[IterationContext, IterationTally]] = deque()
        self._released: deque[Released] = deque()
        self._tallies: dict[IterationScope, IterationTally] = {}
        self._sink_failed = False

    def open_iteration(
        self,
        workload: Workload,
        factories: Sequence[ObjectFactory],
        number: int,
        requested: Requested,
        *,
        round_number: int | None = None,
    ) -> IterationContext:
        """Begin an iteration."""
        self.count_calls()
        iteration = self._context.open_iteration(
            workload, factories, number, requested, round_number=round_number
        )
        self._abort_thresholds.open(iteration)
        self._context.stages.begin_iteration(iteration.started_s, workload.name, number)
        self._context.journal.begin_iteration(iteration.scope, requested, iteration.started_s)
        self.due.append(iteration)
        return iteration

    def open_round(
        self,
        iteration: IterationContext,
        number: int,
        objects: Counter[str],
        whole: Mapping[str, int],
    ) -> None:
        """A round of churn asks for more objects of an iteration, by kind: here, and in all."""
        context, now = self._context, self._context.stopwatch.now()
        iteration.extend(objects)
        context.count_churned(iteration.scope.workload, objects)
        context.journal.begin_round(iteration.scope, number, now, (objects, whole))

    async def write_released(self, parts: Iterable[Released]) -> None:
        """Write the records of what churn deleted, and let go of the rows."""
        for part in parts:
            scope = part.iteration.scope
            gone = set(part.objects)
            self._abort_thresholds.drop(scope, gone)
            scope.drop(gone, set(part.children))
            self._released.append(part)
        while self._released:
            self._write_released()
            await asyncio.sleep(0)

    def close_iteration(self, iteration: IterationContext) -> None:
        """The iteration is over."""
        self.count_calls()
        iteration.end_load()
        self.due.close(iteration)
        now = iteration.finished_s = self._context.stopwatch.now()
        self._context.stages.leave(now, iteration.scope.workload)
        self._context.journal.end_iteration(iteration.scope, iteration.facts(now), final=False)

    async def write_finished(self, *, everything: bool = False) -> None:
        """Write the records and results of the iterations of which nothing is left.

        Args:
            everything: Write the others too: the run is over, and nothing
                more will be heard of their objects.
        """
        iterations = self._context.iterations.values()
        self._write_all_released()
        self._take_up([each for each in iterations if everything or each.nothing_left])
        while self._unwritten:
            self._write_page()
            await asyncio.sleep(0)

    def record_operations(self, iteration: IterationContext, *, all_of_them: bool = False) -> None:
        """Write down what is done or has failed, once there is a page of it."""
        decided = iteration.decided_operations
        if not decided or (len(decided) < _PAGE and not all_of_them):
            return
        iteration.decided_operations = []
        self._abort_thresholds.record_operations(iteration, decided)
        self._context.journal.count_operations(iteration.scope)
        records = [operation.record() for operation in decided]
        iteration.operations.add_records(records)
        if self._operation_sink is None or self._sink_failed:
            return
        try:
            self._operation_sink.record_operations(records)
        except OSError as error:
            self._lose_sink(error)

    def close(self) -> RunSum:
        """Write whatever has not been written, and sum everything up."""
        self.count_calls()
        self._write_all_released()
        self._take_up(list(self._context.iterations.values()))
        while self._unwritten:
            self._write_page()
        return self._run_tally.close()

    def check_thresholds(self) -> ThresholdError | None:
        """Find a threshold that should end the run, as it cannot be met any more."""
        self.count_calls()
        return self._abort_thresholds.check(
            self._context.tracker.open_scopes(), self._context.stopwatch.now()
        )

    def count_calls(self) -> None:
        """Take what was counted of requests since the last time, for iterations and for none."""
        self._count_calls(self._meter, None)
        for iteration in self._context.iterations.values():
            self._count_calls(iteration.meter, iteration.scope)

    def _count_calls(self, meter: RequestMeter, scope: IterationScope | None) -> None:
        counted = meter.cut()
        if not counted:
            return
        self._run_tally.count_calls(
            counted, None if scope is None else (scope.workload, scope.iteration)
        )
        self._context.journal.append_calls(scope, counted, self._context.stopwatch.now())

    def calls(self) -> tuple[CountedCall, ...]:
        """Every request of the run until now."""
        total = Calls()
        for counted in self._counted():
            total.add(counted)
        return tuple(total.counted())

    def requests(self) -> RequestSums:
        """What became of every request of the run until now, and of its watches."""
        stats = self._context.client.stats
        every = [each.stats for each in self._context.clients]
        local_failures = sum(each.local_failures for each in every)
        sums = RequestSums(
            sent=sum(each.sent for each in every),
            expired=stats.expired_streams,
            connection_errors=stats.broken_streams - local_failures,
            timeouts=stats.silent_streams,
            local_failures=local_failures,
            illegible=sum(each.illegible for each in every),
            credential_renewals=sum(each.credential_renewals for each in every),
            outages=stats.outages,
            outage_seconds=round(stats.outage_seconds, 6),
        )
        for counted in self._counted():
            sums.add(counted)
        return sums

    def results(self) -> dict[str, tuple[IterationResult, ...]]:
        """Of the iterations that are written down, by workload."""
        return self._run_tally.results()

    def _counted(self) -> Iterator[list[CountedCall]]:
        yield self._run_tally.calls_of(None).counted()
        yield self._meter.counted()
        for iteration in self._context.iterations.values():
            yield iteration.meter.counted()

    def _take_up(self, iterations: Iterable[IterationContext]) -> None:
        """Nothing more will be heard of these iterations: they wait to be written."""
        for iteration in iterations:
            scope = iteration.scope
            self._abort_thresholds.close(scope)
            # Before it is retired: what is still answered after that counts for the run alone.
            self._count_calls(iteration.meter, scope)
            self._context.retire_iteration(iteration)
            tally = self._open_tally(scope, children=bool(scope.children))
            del self._tallies[scope]
            self._unwritten.append((iteration, tally))

    def _open_tally(self, scope: IterationScope, *, children: bool) -> IterationTally:
        """The tally of an iteration, for the next part of its records."""
        tally = self._tallies.get(scope)
        if tally is None:
            tally = self._tallies[scope] = self._run_tally.open_tally(children=children)
        else:
            tally.begin_part(children=children)
        return tally

    def _write_all_released(self) -> None:
        """What an interrupt has left of it."""
        while self._released:
            self._write_released()

    def _write_released(self) -> None:
        """Write one part: of a round, what was in one iteration."""
        part = self._released.popleft()
        scope, journal = part.iteration.scope, self._context.journal
        tally = self._open_tally(scope, children=bool(part.children))
        for rows, children in ((part.objects, False), (part.children, True)):
            journal.flush_rows(rows)
            self._context.tracker.release(rows)
            self._context.counter.let_go(rows)
            records = _records(rows)
            tally.add(records, children=children)
            self._record(records, children=children)
        journal.release(scope, part.objects, part.children)

    def _write_page(self) -> None:
        """Write some of the first iteration that waits for it, or sum it up."""
        iteration, tally = self._unwritten[0]
        scope = iteration.scope
        if scope.objects:
            records = self._take_page(scope, scope.objects)
            tally.add(records)
            self._record(records, children=False)
        elif scope.children:
            records = self._take_page(scope, scope.children)
            tally.add(records, children=True)
            self._record(records, children=True)
        elif iteration.decided_operations or iteration.open_operations:
            while iteration.open_operations and len(iteration.decided_operations) < _PAGE:
                iteration.decided_operations.append(iteration.open_operations.pop())
            self.record_operations(iteration, all_of_them=True)
        else:
            self._unwritten.popleft()
            facts = iteration.facts(self._context.stopwatch.now())
            self._run_tally.enter(facts, tally, iteration.operations)
            self._context.journal.end_iteration(scope, facts, final=True)

    def _take_page(self, scope: IterationScope, rows: list[TrackedObject]) -> list[ObjectRecord]:
        """The records of the next rows, which are let go: they are what takes the memory."""
        page = rows[:_PAGE]
        del rows[:_PAGE]
        self._context.journal.flush_rows(page)
        self._context.journal.release_page(scope, page)
        self._context.tracker.forget(page)
        self._context.counter.let_go(page)
        return _records(page)

    def _record(self, records: list[ObjectRecord], *, children: bool) -> None:
        if self._sink is None or self._sink_failed:
            return
        try:
            self._sink.record(records, children=children)
        except OSError as error:
            self._lose_sink(error)

    def _lose_sink(self, error: OSError) -> None:
        """A full disk must not cost the run, whose summary can still be shown."""
        self._sink_failed = True
        self._context.warn(f"the objects' records could not be written: {error}")


def _records(rows: Iterable[TrackedObject]) -> list[ObjectRecord]:
    """Their records; a child without a UID was taken for one by mistake."""
    return [row.record() for row in rows if row.uid is not None or not row.is_child]


def _takes_operations(sink: object) -> OperationSink | None:
    """The sink, if it takes the records of operations too."""
    return sink if isinstance(sink, OperationSink) else None
