"""Workloads that do something to objects: their targets, their iterations, their end."""

from __future__ import annotations

import asyncio
import math
from heapq import nsmallest
from itertools import cycle, groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from perfscale.config import counted, format_duration
from perfscale.config.operations import OPERATIONS, Effect, Request
from perfscale.config.sections.shape import most_due
from perfscale.engine.events import IterationFinished, IterationStarted, Stage
from perfscale.engine.load.requests import RequestBuilder
from perfscale.engine.load.sending import Work
from perfscale.engine.load.targets import find_targets
from perfscale.engine.sharding.coordination import Arrival, Moment
from perfscale.engine.sharding.portion import Requested
from perfscale.engine.sharding.shard import WHOLE
from perfscale.engine.tracking.operations.effects import Effects
from perfscale.engine.tracking.operations.following import EffectWatches
from perfscale.kube.resources import NAMESPACES
from perfscale.results import OperationOutcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from perfscale.config import Workload
    from perfscale.engine.accounting.progress import ProgressPublisher
    from perfscale.engine.accounting.run_accounting import RunAccounting
    from perfscale.engine.context import RunContext
    from perfscale.engine.flow.stopping import Stop
    from perfscale.engine.iteration_context import IterationContext
    from perfscale.engine.load.operating import Operator
    from perfscale.engine.load.pacing import Pacing, WorkloadPacing
    from perfscale.engine.load.targets import Target
    from perfscale.engine.removal.namespaces import RunNamespaces
    from perfscale.engine.sharding.shard import Shard
    from perfscale.engine.tracking.operations.tracked import TrackedOperation
    from perfscale.preflight import OperationPlan


MOST_WAITING: Final = 50_000
"""Operations of a load that goes round its targets that may wait for their effect at a time; each
takes about a kilobyte."""


class OperationRunner:
    """Runs the iterations of workloads that do something to objects; it keeps nothing of any."""

    def __init__(
        self,
        context: RunContext,
        operator: Operator,
        accounting: RunAccounting,
        progress: ProgressPublisher,
        namespaces: RunNamespaces,
    ) -> None:
        self._context = context
        self._namespaces = namespaces
        self._operator = operator
        self._accounting = accounting
        self._progress = progress
        self._watches: dict[str, EffectWatches] = {}

    async def begin(self, workload: Workload) -> Work:
        """Find the targets of a workload, and open the watches that its effects are seen by.

        Raises:
            RunFailedError: There is nothing to do it to.
            ApiError: The targets cannot be listed.
            ClusterError: The cluster cannot be reached.
        """
        context = self._context
        plan = context.plan.operations[workload.name]
        names = [each.name for each in context.config.workloads]
        patch = context.inputs.patches[names.index(workload.name)]
        targets = await find_targets(context, workload, plan, context.config.global_config.seed)
        effects = Effects(
            plan.operation.effect,
            target=plan.target.name,
            follows=plan.follows.name,
            on_decided=self._decided,
            is_deleted_by_run=self._operator.deletions.are_of_run,
        )
        requests = RequestBuilder(workload, plan, context.run_id, patch, context.shard.label)
        if plan.watched and not context.shard.is_coordinator:
            effects.follow((each.namespace, each.name or "") for each in targets)
            watches = self._watches[workload.name] = EffectWatches(
                context, effects, plan, workload.done_when
            )
            await watches.start()
        turns = self._own(workload, plan, _in_turns(workload, targets))
        arrival = Arrival(count=sum(map(len, turns)))
        release = await context.reach(Moment.REQUESTED, workload, arrival=arrival)
        return Work(workload, plan, turns, requests, effects, sum(release.counts))

    def _own(
        self, workload: Workload, plan: OperationPlan, turns: list[tuple[Target, ...]]
    ) -> list[tuple[Target, ...]]:
        """Of collections, which are nobody's, each shard has some; or all, if it goes round them.

        Of objects, the targets are this shard's already.
        """
        if plan.operation.request not in {Request.LIST, Request.WATCH}:
            return turns
        shard = self._context.shard
        lasts = workload.duration or workload.stages or workload.is_endless
        if workload.does.goes_round and lasts:
            return [] if shard.is_coordinator else turns
        replicas = shard.replicas(len(turns))
        return turns[replicas.start - 1 : replicas.stop - 1]

    def end(self, work: Work) -> None:
        """A workload is over: what still waits for its effect is watched until the run's end."""
        if not work.effects.waits and (watches := self._watches.pop(work.workload.name, None)):
            watches.stop()

    def stop(self) -> None:
        """Close every watch, and say of what is unfinished what was seen of it last."""
        while self._watches:
            _, watches = self._watches.popitem()
            watches.stop()
            for operation in watches.unfinished():
                self._context.journal.mark_operation_dirty(operation)

    async def run(self, work: Work, number: int, *, pacing: WorkloadPacing, stop: Stop) -> bool:
        """Run one iteration, a pass over the targets, to its end, or until it is stopped.

        Returns:
            Whether everything in it went well. What went wrong is in its result; it does not
            raise for an operation's failure or a wait's end.
        """
        workload = work.workload
        own = pacing.of_iteration(work.total)
        count = _count(work, own, self._context.shard, work.count)
        total = _count(work, own, WHOLE, work.total)
        kind = work.plan.target.kind_name
        requested = Requested({kind: count}, {kind: total}, own.ends)
        iteration = self._accounting.open_iteration(workload, (), number, requested)
        self._context.broadcast.send(
            IterationStarted(workload.name, number, total, workload.operation)
        )
        self._progress.follow(iteration.scope, total)
        try:
            if own.ends:  # what it asks for stands nowhere else
                await self._context.journal.written()
            if await stop.ends(self._operate(iteration, work, own)):
                await self._context.changed.wait_until(lambda: iteration.in_flight == 0)
                iteration.end_load()
        finally:
            self._operator.close_streams(iteration, work)
            for operation in iteration.open_operations:
                work.effects.describe(operation)
                self._context.journal.mark_operation_dirty(operation)
            self._accounting.close_iteration(iteration)
        self._accounting.record_operations(iteration, all_of_them=True)
        problems = (*iteration.problems, *iteration.operations.sentences(OperationOutcome.FAILED))
        await self._accounting.write_finished()
        self._context.broadcast.send(IterationFinished(workload.name, number, problems))
        return not problems

    async def _operate(self, iteration: IterationContext, work: Work, pacing: Pacing) -> None:
        """Send everything, and wait until it is done if it is to be waited for."""
        release = await self._context.reach(Moment.LOAD, work.workload, iteration.number)
        iteration.begins_s = release.at_s
        self._progress.enter_iteration(iteration, Stage.OPERATING)
        iteration.load_began_s = self._context.stopwatch.now()
        # Round and round, for as long as the load lasts.
        again = pacing.ends and work.workload.does.goes_round
        targets = self._go_round(iteration, work) if again else work.targets
        await self._operator.operate(targets, work, iteration, pacing=pacing)
        iteration.end_load()
        asked_for = Arrival(count=sum(iteration.requested.values()))
        where = work.workload, iteration.number
        await self._context.reach(Moment.SENT, *where, arrival=asked_for)
        if work.workload.does.request is Request.WATCH:
            await self._hold(iteration)
        self._operator.close_streams(iteration, work)
        await self._wait_done(iteration, work)

    def _go_round(self, iteration: IterationContext, work: Work) -> Iterator[tuple[Target, ...]]:
        """The targets again and again, while not too many operations wait for their effect.

        An effect that never comes would keep every operation of a load that has no end: the oldest
        are given up then.
        """
        waiting, is_recorded = iteration.open_operations, False
        for targets in cycle(work.targets):
            if len(waiting) > MOST_WAITING:
                answered = (each for each in waiting if each.accepted)
                oldest = nsmallest(MOST_WAITING // 10, answered, key=attrgetter("admitted_s"))
                self._give_up(iteration, work, oldest)
                if work.workload.iteration_wait and not is_recorded:
                    is_recorded = True
                    iteration.problems.append(
                        f"more than {MOST_WAITING} operations waited for their effect at a time: "
                        "the oldest were given up, and are unfinished"
                    )
            yield targets

    async def _hold(self, iteration: IterationContext) -> None:
        """Keep streams open for as long as the load lasts."""
        workload = iteration.workload
        left_s = iteration.started_s + workload.duration - self._context.stopwatch.now()
        await asyncio.sleep(math.inf if workload.is_endless else max(0.0, left_s))

    async def _wait_done(self, iteration: IterationContext, work: Work) -> None:
        workload = iteration.workload
        if not workload.iteration_wait:
            return
        self._progress.enter_iteration(iteration, Stage.WAITING_DONE, bounded=True)
        in_time = await self._context.changed.wait_until(
            lambda: not iteration.open_operations, timeout_s=workload.max_wait_timeout
        )
        arrival = Arrival(in_time, len(iteration.open_operations))
        release = await self._context.reach(
            Moment.DONE, workload, iteration.number, arrival=arrival
        )
        if not release.well and self._context.shard.label is None:
            missing = counted(sum(release.counts), "operation")
            bound = format_duration(workload.max_wait_timeout)
            iteration.problems.append(f"timed out after {bound} waiting for {missing} to be done")
        if not in_time:
            iteration.problems += self._close(iteration, work)

    def _close(self, iteration: IterationContext, work: Work) -> list[str]:
        """What is not done by the end of its wait is unfinished; one sentence for each reason."""
        self._give_up(iteration, work, list(iteration.open_operations))
        return iteration.operations.sentences(OperationOutcome.UNFINISHED)

    def _give_up(
        self, iteration: IterationContext, work: Work, unfinished: Iterable[TrackedOperation]
    ) -> None:
        """Follow them no more, and write them down."""
        for operation in unfinished:
            iteration.open_operations.remove(operation)
            work.effects.give_up(operation)
            self._context.journal.mark_operation_dirty(operation)
            iteration.decided_operations.append(operation)
        self._accounting.record_operations(iteration, all_of_them=True)

    def _decided(self, operation: TrackedOperation) -> None:
        """It is done, or has failed."""
        context = self._context
        iteration = context.iterations.get(operation.scope)
        if iteration is None or operation not in iteration.open_operations:
            return  # its iteration was written down without it
        iteration.open_operations.remove(operation)
        iteration.decided_operations.append(operation)
        context.operation_counter.decide(operation)
        scope = iteration.scope
        scope.undecided -= 1
        context.journal.mark_operation_dirty(operation)
        if operation.error is None:
            self._note_gone(operation)
            scope.ready += 1
        else:
            scope.failed += 1
            context.count_failed_operation(operation)
        self._accounting.record_operations(iteration)
        context.changed.notify()

    def _note_gone(self, operation: TrackedOperation) -> None:
        """A namespace that is deleted takes along what the run knows to be in it."""
        is_namespace = operation.resource.name == NAMESPACES.name
        if is_namespace and OPERATIONS[operation.operation].effect is Effect.GONE:
            self._namespaces.note_gone(operation.uid or "")
            self._operator.deletions.confirm(operation)


def _count(work: Work, pacing: Pacing, shard: Shard, targets: int) -> int:
    """How many operations an iteration asks a shard for, as far as is known before it ends.

    ``targets`` is how many there are in one pass.
    """
    most = most_due(work.workload)
    if not pacing.ends or math.isinf(most):
        return targets
    share = shard.share(int(most))
    return share if work.workload.does.goes_round else min(share, targets)


def _in_turns(workload: Workload, targets: Iterable[Target]) -> list[tuple[Target, ...]]:
    """What one request each is sent for."""
    if not workload.delete_collection:
        return [(target,) for target in targets for _ in range(workload.streams)]
    ordered = sorted(targets, key=lambda target: target.namespace or "")
    groups = groupby(ordered, key=lambda target: target.namespace)
    return [tuple(members) for _, members in groups]
