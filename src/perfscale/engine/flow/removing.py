"""The end of an iteration, or of all of a workload: the deletion, and the wait until gone."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from perfscale.config import format_duration
from perfscale.config.labels import selector_of
from perfscale.config.sections.hooks import BEFORE_CLEANUP
from perfscale.engine.concurrency import run_bounded
from perfscale.engine.events import Stage
from perfscale.engine.removal.deletion import (
    CONCURRENCY,
    current_versions,
    delete_matching,
    delete_object,
)
from perfscale.engine.removal.last_look import describe_staying, describe_staying_namespaces
from perfscale.engine.removal.namespaces import needed_namespaces, occupied_namespaces
from perfscale.engine.sharding.coordination import Arrival, Moment
from perfscale.engine.tracking.readiness import Identity
from perfscale.kube.resources import NAMESPACES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perfscale.config import Workload
    from perfscale.engine.accounting.progress import ProgressPublisher
    from perfscale.engine.accounting.run_accounting import RunAccounting
    from perfscale.engine.context import RunContext
    from perfscale.engine.iteration_context import IterationContext
    from perfscale.engine.removal.namespaces import RunNamespaces
    from perfscale.engine.removal.verification import ObjectVerifier
    from perfscale.engine.tracking.owned import OwnedNamespace

_UNTOUCHED_S = 5.0
"""After so long, what was to go and has not begun to may have other labels than it was given."""


class IterationRemover:
    """Deletes what iterations have made; it keeps nothing of any."""

    def __init__(
        self,
        context: RunContext,
        namespaces: RunNamespaces,
        verifier: ObjectVerifier,
        accounting: RunAccounting,
        progress: ProgressPublisher,
    ) -> None:
        self._context = context
        self._namespaces = namespaces
        self._verifier = verifier
        self._accounting = accounting
        self._progress = progress

    async def clean_up(self, iteration: IterationContext) -> None:
        """Delete all of an iteration, if the workload file says so, and wait until it is gone."""
        if iteration.workload.iteration_cleanup:
            await self._agree(BEFORE_CLEANUP, iteration)
            self._progress.enter_iteration(iteration, Stage.DELETING)
            leaving = await self._delete(iteration)
            if iteration.workload.iteration_deletion_wait:
                in_time = await self._wait_gone(iteration, leaving)
                await self._agree_gone(iteration, in_time)
        await self._verifier.wait_until_known(iteration.scope)

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
            self._progress.enter_iteration(iterations[-1], Stage.DELETING)
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
        self._progress.enter_iteration(iteration, Stage.DELETING, round_number=round_number)
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
        self._progress.enter_iteration(
            iteration, Stage.WAITING_GONE, bounded=True, round_number=round_number
        )
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
            iteration.problems += await describe_staying(self._context, scope)
            staying = [namespace for namespace in leaving if not namespace.gone]
            iteration.problems += await describe_staying_namespaces(
                self._context, self._namespaces, staying
            )
        return in_time

    async def _agree(
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

    async def _agree_gone(
        self, iteration: IterationContext, in_time: bool, round_number: int | None = None
    ) -> None:
        """Meet when everything is gone, or nobody waits any more."""
        well = await self._agree(Moment.GONE, iteration, round_number, well=in_time)
        if not well and in_time and self._context.shard.is_coordinator:
            self._note_staying(iteration)

    @staticmethod
    def _note_staying(iteration: IterationContext) -> None:
        iteration.problems.append(f"{timed_out(iteration)} for everything to be gone")

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
        used.update(needed_namespaces(self._context, iteration))  # also where nothing came into it
        return used


def timed_out(iteration: IterationContext) -> str:
    """How a sentence begins that is about a wait of an iteration."""
    return f"timed out after {format_duration(iteration.workload.max_wait_timeout)} waiting"
