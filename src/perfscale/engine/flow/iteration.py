"""One iteration: namespaces, creates, the wait until ready, and its cleanup."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from perfscale.config import counted
from perfscale.config.sections.hooks import AFTER_CREATION, AFTER_READY
from perfscale.engine.events import IterationFinished, IterationStarted, Stage
from perfscale.engine.flow.removing import timed_out
from perfscale.engine.load.creation import planned_objects
from perfscale.engine.removal.namespaces import needed_namespaces
from perfscale.engine.sharding.coordination import Arrival, Moment
from perfscale.engine.sharding.portion import Requested, replicas_of, requested_of
from perfscale.engine.tracking.evidence import (
    warnings_about,
    why_namespace_stays,
)
from perfscale.engine.tracking.stuck import (
    describe_failed,
    describe_unready,
    unready,
)
from perfscale.kube.resources import NAMESPACES

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence

    from perfscale.config import Workload
    from perfscale.engine.accounting.progress import ProgressPublisher
    from perfscale.engine.accounting.run_accounting import RunAccounting
    from perfscale.engine.context import RunContext
    from perfscale.engine.flow.removing import IterationRemover
    from perfscale.engine.flow.stopping import Stop
    from perfscale.engine.iteration_context import IterationContext
    from perfscale.engine.load.creation import Creator, PlannedObject
    from perfscale.engine.load.pacing import Pacing, WorkloadPacing
    from perfscale.engine.removal.namespaces import RunNamespaces
    from perfscale.engine.sharding.coordination import Release
    from perfscale.templates import ObjectFactory


class IterationRunner:
    """Runs the iterations of a run, of which several may go on at once: it keeps nothing of any."""

    def __init__(
        self,
        context: RunContext,
        namespaces: RunNamespaces,
        creator: Creator,
        remover: IterationRemover,
        accounting: RunAccounting,
        progress: ProgressPublisher,
    ) -> None:
        self._context = context
        self._namespaces = namespaces
        self._creator = creator
        self._remover = remover
        self._accounting = accounting
        self._progress = progress

    async def run(
        self,
        workload: Workload,
        factories: Sequence[ObjectFactory],
        number: int,
        *,
        pacing: WorkloadPacing,
        stop: Stop,
        round_number: int | None = None,
        churn: Callable[[IterationContext], Awaitable[None]] | None = None,
    ) -> bool:
        """Run one to its end, or until it is stopped; then it is cleaned up as always.

        Args:
            workload: The workload.
            factories: Its templates.
            number: Of the iteration, counted from 1.
            pacing: How the workload's requests follow each other.
            stop: Ends it.
            round_number: The round of churn that it is created in, if it is.
            churn: What comes when its objects are ready, before its cleanup.

        Returns:
            Whether everything in it went well. What went wrong is in its
            result; it does not raise for an object's failure or a wait's end.
        """
        factories = [each for each in factories if each.spec.comes_in(number)]
        context = self._context
        whole = context.plan.objects_of_iteration(factories, number)
        total = whole.total()
        own = pacing.of_iteration(total)
        requested = requested_of(context.shard, context.plan, factories, number)
        iteration = self._accounting.open_iteration(
            workload,
            factories,
            number,
            Requested(requested, whole, own.ends),
            round_number=round_number,
        )
        context.broadcast.send(IterationStarted(workload.name, number, total))
        self._progress.follow(iteration.scope, total)
        try:
            if own.ends:  # what it asks for stands nowhere else
                await self._context.journal.written()
            namespaces = list(self._objects(iteration, namespaces=True))
            if await self._prepare(iteration, namespaces):
                if await stop.ends(self._load(iteration, namespaces, own, churn)):
                    # What is in flight may still happen, and would be missed by the cleanup.
                    await context.changed.wait_until(lambda: self._is_quiet(workload))
                    iteration.end_load()
                await self._remover.clean_up(iteration)
        finally:
            self._namespaces.leave(iteration.scope)
            self._accounting.close_iteration(iteration)
        problems = (*iteration.problems, *describe_failed(iteration.scope))
        await self._accounting.write_finished()
        context.broadcast.send(IterationFinished(workload.name, number, problems))
        return not problems

    def _is_quiet(self, workload: Workload) -> bool:
        """Whether no create of a workload is in flight: churn creates for all its iterations."""
        return not any(each.in_flight for each in self._context.iterations_of(workload))

    # -- creation ----------------------------------------------------------

    async def _load(
        self,
        iteration: IterationContext,
        namespaces: Sequence[PlannedObject],
        pacing: Pacing,
        churn: Callable[[IterationContext], Awaitable[None]] | None,
    ) -> None:
        await self._create(iteration, namespaces, pacing)
        if churn is not None:
            await churn(iteration)

    async def _create(
        self, iteration: IterationContext, namespaces: Sequence[PlannedObject], pacing: Pacing
    ) -> None:
        """Create everything, and wait until it is ready if it is to be waited for."""
        self._progress.enter_iteration(iteration, Stage.CREATING)
        iteration.load_began_s = self._context.stopwatch.now()
        create = partial(self._creator.create, pacing=pacing)
        if namespaces:  # they come before what goes into them
            await create(namespaces, iteration)
        await create(self._objects(iteration, namespaces=False), iteration)
        iteration.end_load()
        where = iteration.workload, iteration.number
        asked_for = Arrival(count=sum(iteration.requested.values()))
        await self._context.reach(AFTER_CREATION, *where, arrival=asked_for)
        waited_for = self._waited_for(iteration)
        if not waited_for:
            return
        release = await self._wait_ready(iteration, waited_for)
        if release.well:
            await self._reach(AFTER_READY, iteration)
        elif self._context.shard.is_coordinator:
            for each in waited_for:
                if count := release.missing.get(each.number):
                    each.problems.append(_not_ready(each, count))

    async def _reach(
        self,
        moment: str,
        iteration: IterationContext,
        *,
        well: bool = True,
    ) -> bool:
        """Come to a barrier of an iteration; whether all is well everywhere."""
        return await self._context.agree(moment, iteration.workload, iteration.number, well=well)

    def _objects(self, iteration: IterationContext, *, namespaces: bool) -> Iterator[PlannedObject]:
        """Every namespace, or everything else, rendered when its turn comes."""
        portion = replicas_of(self._context.shard, iteration.factories, iteration.number)
        for entry, (factory, replicas) in enumerate(zip(iteration.factories, portion, strict=True)):
            resources = [self._context.plan.resources[key] for key in factory.kinds]
            are_namespaces = [each.name == NAMESPACES.name for each in resources]
            if namespaces not in are_namespaces:
                continue
            expected = self._context.rules.expected(factory)
            namespace = factory.namespace(iteration.number)
            for replica in replicas:
                requests = factory.render(iteration.number, replica)
                where = (namespace, entry, replica)
                about = (expected, iteration.scope.round)
                planned = planned_objects(*where, resources, requests, *about)
                for each, is_namespace in zip(planned, are_namespaces, strict=True):
                    if is_namespace is namespaces:
                        yield each

    async def _prepare(self, iteration: IterationContext, objects: Iterable[PlannedObject]) -> bool:
        """Whether every namespace is there that is not among the ``objects``."""
        self._progress.enter_iteration(iteration, Stage.PREPARING, bounded=True)
        names = needed_namespaces(self._context, iteration, {each.name for each in objects})
        try:
            async with asyncio.timeout(iteration.workload.max_wait_timeout):
                await self._namespaces.ensure(names, iteration)
        except TimeoutError:
            iteration.problems.append(
                f"{timed_out(iteration)} for the namespaces: {', '.join(names)} "
                "still there from before and not gone yet"
            )
            for name in names:
                if why := await why_namespace_stays(iteration.client, name):
                    iteration.problems.append(f"namespace {name} is terminating: {why}")
            return await self._reach(Moment.NAMESPACES, iteration, well=False)
        where = iteration.workload, iteration.number
        release = await self._context.reach(Moment.NAMESPACES, *where)
        iteration.begins_s = release.at_s
        return release.well

    def _waited_for(self, iteration: IterationContext) -> list[IterationContext]:
        """The iterations whose objects are waited for when those of one are created."""
        workload = iteration.workload
        if workload.iteration_creation_wait:
            return [iteration]
        if not workload.workload_creation_wait or iteration.number < workload.iteration_count:
            return []
        if iteration.number > workload.iteration_count:  # churn has made it
            return [iteration]
        return self._context.iterations_of(workload)

    async def _wait_ready(
        self, iteration: IterationContext, waited_for: Sequence[IterationContext]
    ) -> Release:
        """Wait until all is ready, and examine what was slow.

        All generators meet in between: none deletes anything while another one waits, and all
        show that slow objects are examined, wherever those are.

        Returns:
            What all generators have stated, with what was not decided in time.
        """
        self._progress.enter_iteration(iteration, Stage.WAITING_READY, bounded=True)
        waiting = [each.scope for each in waited_for]
        if len(waiting) > 1:
            self._progress.attend(iteration.workload.name, waiting)

        def are_decided() -> bool:
            while waiting and waiting[-1].undecided == 0:
                waiting.pop()
            return not waiting

        await self._context.changed.wait_until(
            are_decided, timeout_s=iteration.workload.max_wait_timeout
        )
        for each in waited_for:
            self._context.tracker.close_readiness(each.scope)
        slow = self._context.find_slow([each.scope for each in waited_for])
        missing = {each.number: each.scope.undecided for each in waited_for if each.scope.undecided}
        arrival = Arrival(not missing, len(slow), missing)
        where = iteration.workload, iteration.number
        release = await self._context.reach(Moment.READY, *where, arrival=arrival)
        if any(release.counts):
            self._progress.enter_iteration(iteration, Stage.EXAMINING)
            await self._context.examine(slow)
        for each in waited_for:
            if each.scope.undecided:
                await self._describe_unready(each)
        return release

    async def _describe_unready(self, iteration: IterationContext) -> None:
        scope = iteration.scope
        if self._context.shard.is_whole:  # the coordinator says how many are missing of all
            iteration.problems.append(_not_ready(iteration, scope.undecided))
        namespaces = {row.namespace: None for row in unready(scope) if row.namespace}
        warnings = await warnings_about(iteration.client, namespaces)
        iteration.problems += describe_unready(scope, warnings)


def _not_ready(iteration: IterationContext, missing: int) -> str:
    return f"{timed_out(iteration)} for {counted(missing, 'object')} to be ready"
