"""One iteration: namespaces, creates, the wait until ready, cleanup, the wait until gone."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from perfscale.config import counted, format_duration
from perfscale.config.labels import selector_of
from perfscale.config.sections.hooks import AFTER_CREATION, AFTER_READY, BEFORE_CLEANUP
from perfscale.engine.concurrency import run_bounded
from perfscale.engine.events import IterationFinished, IterationStarted, Stage
from perfscale.engine.load.creation import planned_objects
from perfscale.engine.removal.deletion import (
    CONCURRENCY,
    current_versions,
    delete_matching,
    delete_object,
)
from perfscale.engine.removal.namespaces import occupied_namespaces
from perfscale.engine.sharding.coordination import Arrival, Moment
from perfscale.engine.sharding.portion import replicas_of, requested_of
from perfscale.engine.tracking.evidence import (
    describe_namespaces,
    warnings_about,
    why_namespace_stays,
)
from perfscale.engine.tracking.readiness import Identity
from perfscale.engine.tracking.stuck import (
    describe_failed,
    describe_leftover,
    describe_unready,
    unready,
)
from perfscale.kube.resources import NAMESPACES

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence

    from perfscale.config import Workload
    from perfscale.engine.accounting.progress import ProgressPublisher
    from perfscale.engine.accounting.run_accounting import RunAccounting
    from perfscale.engine.context import IterationContext, RunContext
    from perfscale.engine.flow.stopping import Stop
    from perfscale.engine.load.creation import Creator, PlannedObject
    from perfscale.engine.load.pacing import Pacing, WorkloadPacing
    from perfscale.engine.removal.namespaces import RunNamespaces
    from perfscale.engine.removal.verification import ObjectVerifier
    from perfscale.engine.tracking.owned import OwnedNamespace
    from perfscale.templates import ObjectFactory

_UNTOUCHED_S = 5.0
"""After so long, what was to go and has not begun to may have other labels than it was given."""


class IterationRunner:
    """Runs the iterations of a run, of which several may go on at once: it keeps nothing of any."""

    def __init__(
        self,
        context: RunContext,
        namespaces: RunNamespaces,
        creator: Creator,
        verifier: ObjectVerifier,
        accounting: RunAccounting,
        progress: ProgressPublisher,
    ) -> None:
        self._context = context
        self._namespaces = namespaces
        self._creator = creator
        self._verifier = verifier
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
        total = context.plan.objects_of_iteration(factories, number).total()
        requested = requested_of(context.shard, context.plan, factories, number)
        own = pacing.of_iteration(total)
        iteration = self._accounting.open_iteration(
            workload, factories, number, requested, ends=own.ends, round_number=round_number
        )
        context.broadcast.send(IterationStarted(workload.name, number, total))
        self._progress.follow(iteration.scope)
        try:
            if own.ends:  # what it asks for stands nowhere else
                await self._context.journal.written()
            namespaces = list(self._objects(iteration, namespaces=True))
            if await self._prepare(iteration, namespaces):
                if await stop.ends(self._load(iteration, namespaces, own, churn)):
                    # What is in flight may still happen, and would be missed by the cleanup.
                    await context.changed.wait_until(lambda: self._is_quiet(workload))
                    iteration.end_load()
                await self._clean_up(iteration)
                await self._verifier.wait_until_known(iteration.scope)
        finally:
            self._namespaces.leave(iteration.scope)
            self._accounting.close_iteration(iteration)
        problems = (*iteration.problems, *describe_failed(iteration.scope))
        await self._accounting.write_finished()
        context.broadcast.send(IterationFinished(workload.name, number, problems))
        return not problems

    def _enter(
        self,
        iteration: IterationContext,
        stage: Stage,
        *,
        bounded: bool = False,
        round_number: int | None = None,
    ) -> None:
        deadline_s = iteration.workload.max_wait_timeout if bounded else None
        if round_number is None:
            round_number = iteration.scope.round
        self._progress.enter(
            stage, iteration.workload.name, iteration.number, deadline_s, round_number
        )

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
        self._enter(iteration, Stage.CREATING)
        iteration.load_began_s = self._context.stopwatch.now()
        create = partial(self._creator.create, pacing=pacing)
        if namespaces:  # they come before what goes into them
            await create(namespaces, iteration)
        await create(self._objects(iteration, namespaces=False), iteration)
        iteration.end_load()
        await self._reach(AFTER_CREATION, iteration)
        waited_for = self._waited_for(iteration)
        if not waited_for:
            return
        await self._wait_ready(iteration, waited_for)
        missing = {each.number: each.scope.undecided for each in waited_for if each.scope.undecided}
        where = iteration.workload, iteration.number
        arrival = Arrival(not missing, missing=missing)
        release = await self._context.reach(Moment.READY, *where, arrival=arrival)
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
        round_number: int | None = None,
        *,
        well: bool = True,
    ) -> bool:
        """Come to a barrier of an iteration; whether all is well everywhere."""
        where = moment, iteration.workload, iteration.number
        return await self._context.agree(*where, round_number=round_number, well=well)

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

    def _namespaces_of(
        self, iteration: IterationContext, objects: Iterable[PlannedObject]
    ) -> dict[str, None]:
        """Those that the run has to make: not one that is among the ``objects``."""
        resources = self._context.plan.resources
        made = {each.name for each in objects}
        return {
            name: None
            for factory in iteration.factories
            if any(resources[key].namespaced for key in factory.kinds)
            and (name := factory.namespace(iteration.number)) not in made
        }

    async def _prepare(self, iteration: IterationContext, objects: Iterable[PlannedObject]) -> bool:
        """Whether every namespace is there that is not among the ``objects``."""
        self._enter(iteration, Stage.PREPARING, bounded=True)
        names = self._namespaces_of(iteration, objects)
        try:
            async with asyncio.timeout(iteration.workload.max_wait_timeout):
                await self._namespaces.ensure(names, iteration)
        except TimeoutError:
            iteration.problems.append(
                f"{_timed_out(iteration)} for the namespaces: {', '.join(names)} "
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
    ) -> None:
        self._enter(iteration, Stage.WAITING_READY, bounded=True)
        waiting = [each.scope for each in waited_for]
        if len(waiting) > 1:
            self._progress.attend(iteration.workload.name, waiting)

        def are_decided() -> bool:
            while waiting and waiting[-1].undecided == 0:
                waiting.pop()
            return not waiting

        in_time = await self._context.changed.wait_until(
            are_decided, timeout_s=iteration.workload.max_wait_timeout
        )
        for each in waited_for:
            self._context.tracker.close_readiness(each.scope)
        await self._context.attribute([each.scope for each in waited_for])
        if not in_time:
            for each in waited_for:
                if each.scope.undecided:
                    await self._describe_unready(each)

    async def _describe_unready(self, iteration: IterationContext) -> None:
        scope = iteration.scope
        if self._context.shard.is_whole:  # the coordinator says how many are missing of all
            iteration.problems.append(_not_ready(iteration, scope.undecided))
        namespaces = {row.namespace: None for row in unready(scope) if row.namespace}
        warnings = await warnings_about(iteration.client, namespaces)
        iteration.problems += describe_unready(scope, warnings)

    # -- cleanup -----------------------------------------------------------

    async def _clean_up(self, iteration: IterationContext) -> None:
        if not iteration.workload.iteration_cleanup:
            return
        await self._reach(BEFORE_CLEANUP, iteration)
        self._enter(iteration, Stage.DELETING)
        leaving = await self._delete(iteration)
        if iteration.workload.iteration_deletion_wait:
            in_time = await self._wait_gone(iteration, leaving)
            await self._agree_gone(iteration, in_time)

    async def remove(self, workload: Workload) -> bool:
        """Delete all of a workload that is over, and wait until it is gone.

        Returns:
            Whether that went well; what did not is among the problems of its iterations.
        """
        context = self._context
        iterations = context.iterations_of(workload)
        if not iterations and context.shard.is_whole:
            return True
        if iterations:
            await context.hook(BEFORE_CLEANUP, workload, iterations[-1].number)
            self._progress.attend(workload.name, [each.scope for each in iterations])
            self._enter(iterations[-1], Stage.DELETING)
        await context.reach(Moment.REMOVAL, workload)
        used = [(each, await self._delete_objects(each)) for each in iterations]
        names = tuple({name: None for _, some in used for name in some})
        arrival = Arrival(names=names, occupied=occupied_namespaces(context, names))
        release = await context.reach(Moment.DELETED, workload, arrival=arrival)
        release_of = self._namespaces.release
        leaving = [
            (each, await release_of((*some, *release.names), each, release.occupied))
            for each, some in used
        ]
        in_time = True
        for iteration, namespaces in leaving:
            in_time = await self._wait_gone(iteration, namespaces) and in_time
            await self._verifier.wait_until_known(iteration.scope)
        well = await context.agree(Moment.GONE, workload, well=in_time)
        if not well and in_time and context.shard.is_coordinator and iterations:
            self._note_staying(iterations[-1])
        await self._accounting.write_finished()
        return not any(each.problems for each in iterations)

    async def replace(self, iteration: IterationContext, round_number: int) -> bool:
        """Delete all of an iteration that is over, in a round of churn, and wait until it is gone.

        Returns:
            Whether that went well; what did not is among its problems.
        """
        self._enter(iteration, Stage.DELETING, round_number=round_number)
        self._context.mark_replaced(iteration.scope, round_number)
        leaving = await self._delete(iteration, round_number)
        in_time = await self._wait_gone(iteration, leaving, round_number)
        await self._agree_gone(iteration, in_time, round_number)
        await self._verifier.wait_until_known(iteration.scope)
        await self._accounting.write_finished()
        return not iteration.problems

    async def _wait_gone(
        self,
        iteration: IterationContext,
        leaving: Sequence[OwnedNamespace],
        round_number: int | None = None,
    ) -> bool:
        """Whether everything was gone in time."""
        self._enter(iteration, Stage.WAITING_GONE, bounded=True, round_number=round_number)
        scope = iteration.scope

        def is_gone() -> bool:
            return (
                not scope.present
                and not scope.present_children
                and all(namespace.gone for namespace in leaving)
            )

        bound_s = iteration.workload.max_wait_timeout
        wait = self._context.changed.wait_until
        in_time = await wait(is_gone, timeout_s=min(_UNTOUCHED_S, bound_s))
        if not in_time and bound_s > _UNTOUCHED_S:
            end_s = self._context.stopwatch.now() + bound_s - _UNTOUCHED_S
            await self._verifier.delete_relabelled(scope)
            in_time = await wait(is_gone, timeout_s=end_s - self._context.stopwatch.now())
        if not in_time:
            if self._context.shard.label is None:
                self._note_staying(iteration)
            iteration.problems += describe_leftover(scope)
            staying = [namespace.name for namespace in leaving if not namespace.gone]
            iteration.problems += await describe_namespaces(iteration.client, staying)
        return in_time

    async def _agree_gone(
        self, iteration: IterationContext, in_time: bool, round_number: int | None = None
    ) -> None:
        """Meet when everything is gone, or nobody waits any more."""
        well = await self._reach(Moment.GONE, iteration, round_number, well=in_time)
        if not well and in_time and self._context.shard.is_coordinator:
            self._note_staying(iteration)

    @staticmethod
    def _note_staying(iteration: IterationContext) -> None:
        iteration.problems.append(f"{_timed_out(iteration)} for everything to be gone")

    async def _delete(
        self, iteration: IterationContext, round_number: int | None = None
    ) -> list[OwnedNamespace]:
        """Ask the iteration's objects to go, then its namespaces."""
        context = self._context
        used = tuple(await self._delete_objects(iteration))
        release = await context.reach(
            Moment.DELETED,
            iteration.workload,
            iteration.number,
            round_number=round_number,
            arrival=Arrival(names=used, occupied=occupied_namespaces(context, used)),
        )
        return await self._namespaces.release(release.names, iteration, release.occupied)

    async def _delete_objects(self, iteration: IterationContext) -> set[str]:
        """Ask the iteration's objects to go, owners first; returns the namespaces they are in.

        So are children without an owner, as the claims of a StatefulSet: nobody else deletes them.
        """
        scope, selector = iteration.scope, selector_of(iteration.labels)
        versions = await current_versions(iteration.client, self._context.places)
        ownerless = [row for row in scope.children if row.owner_uid is None]
        places = {(row.resource.name, row.namespace) for row in (*scope.objects, *ownerless)}
        self._context.request_deletion(scope, versions)
        await self._verifier.delete_unlabelled([scope])
        for resource in self._context.plan.watched:
            if resource.name == NAMESPACES.name:
                continue  # last of all, and one by one: the run's own have the same labels
            namespaces = [where for name, where in places if name == resource.name]
            await run_bounded(
                (
                    partial(delete_matching, iteration.client, resource, where, selector)
                    for where in sorted(namespaces, key=str)
                ),
                limit=CONCURRENCY,
            )
        await run_bounded(
            (
                partial(delete_object, iteration.client, row.resource, Identity(row.name, row.uid))
                for row in scope.objects
                if row.resource.name == NAMESPACES.name and row.uid is not None and row.present
            ),
            limit=CONCURRENCY,
        )
        used = {row.namespace for row in scope.objects if row.namespace is not None}
        used.update(self._namespaces_of(iteration, ()))  # also where nothing came to be in it
        return used


def _not_ready(iteration: IterationContext, missing: int) -> str:
    return f"{_timed_out(iteration)} for {counted(missing, 'object')} to be ready"


def _timed_out(iteration: IterationContext) -> str:
    return f"timed out after {format_duration(iteration.workload.max_wait_timeout)} waiting"
