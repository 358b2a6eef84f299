"""One run, from the first watch to the last record.

There are two scopes, one in the other. The outer one is this module's task
group: it owns the watches, the creates in flight and the cleanup. The inner
one is the load, a single task. An interrupt or a fatal error cancels the load
alone; what is in flight is then awaited and everything is deleted while the
watches go on.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from functools import partial
from itertools import count
from typing import TYPE_CHECKING

from msgspec import to_builtins

from perfscale.config.sections.hooks import AFTER_RUN, BEFORE_RUN, MOMENTS
from perfscale.engine.accounting.load_progress import PERIOD_S
from perfscale.engine.accounting.progress import ProgressPublisher
from perfscale.engine.accounting.run_accounting import RunAccounting
from perfscale.engine.accounting.wallclock import WallClock
from perfscale.engine.attribution.attributor import Attributor
from perfscale.engine.conclusion import Ended, Summed, conclude_run
from perfscale.engine.context import RunContext
from perfscale.engine.events import Stage
from perfscale.engine.flow.churn.objects import Churner
from perfscale.engine.flow.iteration import IterationRunner
from perfscale.engine.flow.operations import OperationRunner
from perfscale.engine.flow.removing import IterationRemover
from perfscale.engine.flow.turns import WorkloadRun, in_turn
from perfscale.engine.flow.workload import WorkloadRunner
from perfscale.engine.hooks.runner import HookRunner
from perfscale.engine.load.creation import Creator
from perfscale.engine.load.dispatching import Dispatcher
from perfscale.engine.load.operating import Operator
from perfscale.engine.load.server_warnings import ServerWarnings
from perfscale.engine.preload.preloading import preload_images
from perfscale.engine.removal.ending import FinalCleanup
from perfscale.engine.removal.namespaces import RunNamespaces
from perfscale.engine.removal.staying import verify_staying
from perfscale.engine.removal.verification import ObjectVerifier
from perfscale.engine.sharding.coordination import Alone, Moment
from perfscale.engine.tracking.observer import Observer
from perfscale.engine.views import RunViews
from perfscale.results import (
    Course,
    Totals,
    TotalsEntry,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from perfscale.engine.inputs import RunInputs
    from perfscale.engine.sharding.coordination import Barrier, Coordination
    from perfscale.engine.snapshot import RunCourse, RunSnapshot
    from perfscale.errors import ThresholdError
    from perfscale.results import RunResult

_log = logging.getLogger(__name__)

_BEATS_A_COUNT = 2
"""So every second: as much at most is missing in the journal of a run that is killed."""


class Run:
    """One run. Not for running twice.

    Args:
        inputs: What it is given.
    """

    def __init__(self, inputs: RunInputs) -> None:
        self._inputs = inputs
        self._load_task: asyncio.Task[None] | None = None
        self._error: BaseException | None = None
        self._interrupted_by: int | None = None
        self._problems: list[str] = []
        self._removed = False
        self._load_is_over = False
        self._wall_clock = WallClock(inputs.stopwatch.clock)
        self._over = False
        self.result: RunResult | None = None

    def interrupt(self, signum: int) -> None:
        """Stop creating, clean up, and let `execute` return; once it is over, nothing."""
        if self._over:
            return
        if self._interrupted_by is None:
            self._interrupted_by = signum
        self._stop_load()

    def snapshot(self) -> RunSnapshot:
        """Where it stands; once `execute` has begun."""
        return self._views.snapshot(self.result)

    def course(self) -> RunCourse:
        """What happened so far beside the load; once `execute` has begun."""
        return self._views.course(self.result)

    async def execute(self) -> RunResult:
        """Run the load, clean up, and write everything down.

        Cancellation does what an interrupt does, within the cleanup's bound,
        and is then raised; a second one stops at once. ``result`` is there
        either way.
        """
        remains = True
        try:
            try:
                await self._live()
            finally:
                self._over = True
                remains = self._something_remains()
            await self._accounting.write_finished(everything=True)
        finally:
            self.result = self._conclude(remains=remains)
        return self.result

    # -- scopes ---------------------------------------------------------------

    async def _live(self) -> None:
        """All of the outer scope; when it ends, nothing more can happen to any object."""
        async with asyncio.TaskGroup() as tasks:
            self._assemble(tasks)
            try:
                await self._supervise(tasks)
            finally:
                self._dismiss()

    def _assemble(self, tasks: asyncio.TaskGroup) -> None:
        self._context = context = RunContext(self._inputs, tasks, self._abort)
        self._namespaces = self._make_namespaces()
        self._observer = Observer(context, self._namespaces)
        self._verifier = ObjectVerifier(context)
        self._dispatcher = Dispatcher(context)
        self._creator = Creator(
            context,
            self._dispatcher,
            ServerWarnings(context, self._inputs.factories),
            self._verifier.delete,
        )
        self._accounting = self._make_accounting()
        self._progress = self._make_progress()
        self._hooks = HookRunner(context, self._progress)
        context.hook = self._hooks.run
        context.coordination = self._coordinate()
        context.open_watches = self._observer.open_watches
        self._attributor = Attributor(context)
        self._views = RunViews(
            context, self._accounting, self._progress, self._observer, self._hooks, self._attributor
        )
        operator = Operator(context, self._dispatcher)
        self._operations = OperationRunner(
            context, operator, self._accounting, self._progress, self._namespaces
        )

    def _make_namespaces(self) -> RunNamespaces:
        return RunNamespaces(self._context)

    def _make_accounting(self) -> RunAccounting:
        return RunAccounting(self._context)

    def _make_progress(self) -> ProgressPublisher:
        return ProgressPublisher(
            self._context, lambda: self._namespaces.leaving, self._accounting.requests
        )

    def _coordinate(self) -> Coordination:
        """What keeps it together with other generators; there are none."""
        return Alone(self._call_hooks)

    async def _call_hooks(self, barrier: Barrier) -> None:
        """Call the hooks of a barrier, if its moment is one of hooks."""
        if barrier.moment not in MOMENTS:
            return
        workloads = {each.name: each for each in self._inputs.config.workloads}
        workload = None if barrier.workload is None else workloads[barrier.workload]
        await self._context.hook(barrier.moment, workload, barrier.iteration)

    async def _supervise(self, tasks: asyncio.TaskGroup) -> None:
        self._beating = tasks.create_task(self._guard(self._beat), name="perfscale-beat")
        load = tasks.create_task(self._guard(self._load), name="perfscale-load")
        self._load_task = load
        if self._interrupted_by is not None:
            load.cancel()
        cancelled = await self._outlast(load)
        if self._error is not None or self._interrupted_by is not None:
            # In a task of its own, which a cancellation of the load has not touched.
            cleanup = tasks.create_task(self._guard(self._end_early), name="perfscale-cleanup")
            cancelled = await self._outlast(cleanup) or cancelled
        if cancelled is not None:
            raise cancelled

    async def _outlast(self, task: asyncio.Task[None]) -> asyncio.CancelledError | None:
        """Wait for a task; a first cancellation ends the load, and is returned."""
        cancelled: asyncio.CancelledError | None = None
        while not task.done():
            try:
                await asyncio.wait([task])
            except asyncio.CancelledError as error:
                if self._interrupted_by is not None:
                    self._hooks.kill()
                    raise  # the second one
                self.interrupt(signal.SIGINT)
                cancelled = error
        return cancelled

    def _dismiss(self) -> None:
        """Close whatever still lives in the outer scope, so that it can end."""
        self._beating.cancel()
        self._progress.publish()
        self._dispatcher.cancel()
        self._verifier.stop()
        self._hooks.stop()
        self._operations.stop()
        self._attributor.close()
        self._observer.stop()

    async def _guard(self, work: Callable[[], Awaitable[None]]) -> None:
        """No error may end the outer scope before its cleanup."""
        try:
            await work()
        except Exception as error:  # noqa: BLE001 -- kept, and shown at the end of the run
            self._abort(error)

    def _abort(self, error: BaseException) -> None:
        if self._error is None:
            self._error = error
            _log.debug("the run ends early", exc_info=error)
        self._stop_load()

    def _stop_load(self) -> None:
        if self._load_task is not None:
            self._load_task.cancel()

    # -- the load -------------------------------------------------------------

    async def _load(self) -> None:
        context = self._context
        await self._observer.start()
        if context.shard.label is None:  # of several generators, the coordinator says it
            for warning in self._inputs.plan.warnings:
                context.warn(warning)
        await context.reach(BEFORE_RUN)
        await self._preload()
        await context.reach(Moment.BEGIN)
        remover = IterationRemover(
            context, self._namespaces, self._verifier, self._accounting, self._progress
        )
        iterations = IterationRunner(
            context, self._namespaces, self._creator, remover, self._accounting, self._progress
        )
        churn = Churner(context, self._creator, self._accounting, self._progress)
        runner = WorkloadRunner(
            iterations, remover, self._operations, churn, context, self._progress
        )
        config, factories = self._inputs.config, self._inputs.factories
        workloads = [
            WorkloadRun(
                workload.name,
                partial(runner.run, workload, members),
                workload.background,
                workload.is_endless,
                workload.until,
            )
            for workload, members in zip(config.workloads, factories, strict=True)
        ]
        if await in_turn(workloads):
            await verify_staying(context, self._verifier)
        await context.reach(Moment.LOAD_OVER)
        if config.global_config.cleanup:
            await self._clean_up()
        self._load_is_over = True
        await context.hook(AFTER_RUN, None, None)

    async def _preload(self) -> None:
        await preload_images(self._context, self._namespaces, self._progress)

    # -- the end --------------------------------------------------------------

    async def _beat(self) -> None:
        """All that is done every so often, in one task.

        While a run waits, being woken costs more than what is done then.
        """
        context, progress = self._context, self._progress
        for number in count():
            if number % _BEATS_A_COUNT == 0:
                self._count()
                self._attributor.tick()
            self._record_outages()
            progress.tick()
            await context.health.sleep(PERIOD_S)
            await context.journal.flush()
            self._accounting.due.append_all()

    def _count(self) -> None:
        """Journal what only the run as a whole knows, and check thresholds."""
        context = self._context
        self._find_clock_step()
        now, shard = context.stopwatch.now(), context.shard.journaled
        context.journal.append(TotalsEntry(now, self._totals(), shard))
        lost = self._check_thresholds()
        if lost is not None and self._interrupted_by is None:
            self._abort(lost)

    def _check_thresholds(self) -> ThresholdError | None:
        return self._accounting.check_thresholds()

    def _record_outages(self) -> None:
        client, context = self._context.client, self._context
        context.gaps.record_outages(
            client.outages, self._accounting.requests().retries, context.health.in_flight
        )

    def _find_clock_step(self) -> None:
        context = self._context
        step = self._wall_clock.find_step(context.stopwatch.now())
        if step is not None:
            context.health.stepped(step)
            context.warn(str(step))

    def _totals(self) -> Totals:
        return Totals(
            namespaces=self._namespaces.counts,
            watch=self._observer.counts,
            requests=to_builtins(self._accounting.requests()),
            clock=self._inputs.meter.offset(),
            vitals=self._context.health.vitals(),
        )

    async def _end_early(self) -> None:
        """After an interrupt or an error: delete everything of the run, within the bound."""
        await self._clean_up()
        if not self._load_is_over:
            await self._context.hook(AFTER_RUN, None, None)

    async def _clean_up(self) -> None:
        """Delete everything of the run, within the bound."""
        options = self._inputs.options
        self._progress.enter(Stage.CLEANING_UP, deadline_s=options.cleanup_timeout_s)
        cleanup = self._make_cleanup()
        try:
            await cleanup.run(options.cleanup_timeout_s, keep=options.keep)
        finally:
            self._problems += cleanup.problems
            self._removed = cleanup.complete

    def _make_cleanup(self) -> FinalCleanup:
        return FinalCleanup(self._context, self._namespaces, self._drain)

    async def _drain(self, grace_s: float) -> None:
        """Let the requests in flight be answered; what the cleanup does next is no effect."""
        try:
            await self._dispatcher.drain(grace_s)
        finally:
            self._operations.stop()

    def _something_remains(self) -> bool:
        """Whether anything of the run may be in the cluster still."""
        scopes = self._context.tracker.open_scopes()
        if any(scope.present or scope.present_children for scope in scopes):
            return True
        if self._namespaces.counts.created > self._namespaces.counts.deleted:
            return True
        if self._context.tracker.went_back and not self._removed:
            return True  # what was gone before may be there again
        # Of a create that was not answered nobody knows whether it has happened.
        asked_for = self._namespaces.unanswered > 0 or any(scope.sent for scope in scopes)
        ended_early = self._error is not None or self._interrupted_by is not None
        return ended_early and not self._removed and asked_for

    def _conclude(self, *, remains: bool) -> RunResult:
        inputs, context = self._inputs, self._context
        duration_s = context.stopwatch.now()
        self._record_outages()
        self._find_clock_step()
        context.gaps.blind.close(duration_s)
        ended = Ended(duration_s, remains, self._error, self._interrupted_by, self._problems)
        return conclude_run(inputs, ended, self._sum_up(self._totals()))

    def _sum_up(self, totals: Totals) -> Summed:
        """What the run comes to, when nothing more happens."""
        gaps = self._context.gaps
        course = Course(
            gaps.outages,
            gaps.blind,
            self._hooks.records,
            self._context.stages,
            self._attributor.result,
        )
        return Summed(self._accounting.close(), totals, course)
