"""One iteration: namespaces, creates, the wait until ready, cleanup, the wait until gone."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import compress
from typing import TYPE_CHECKING

from perfscale.config import counted, format_duration
from perfscale.config.labels import run_labels, selector_of
from perfscale.engine.concurrency import run_bounded
from perfscale.engine.events import IterationFinished, IterationStarted, Stage
from perfscale.engine.load.creation import PlannedObject
from perfscale.engine.removal.deletion import (
    CONCURRENCY,
    current_versions,
    delete_matching,
    delete_object,
)
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
    from collections.abc import Iterator, Sequence

    from perfscale.config import Workload
    from perfscale.engine.accounting.ledger import IterationAccount, Ledger
    from perfscale.engine.accounting.progress import Reporter
    from perfscale.engine.context import RunContext
    from perfscale.engine.load.creation import Creator
    from perfscale.engine.load.pace import Pace
    from perfscale.engine.removal.inspection import Inspector
    from perfscale.engine.removal.namespaces import NamespaceKeeper, OwnedNamespace
    from perfscale.engine.tracking.rows import IterationScope
    from perfscale.kube.ratelimit import RateLimiter
    from perfscale.templates import ObjectFactory

_UNTOUCHED_S = 5.0
"""After so long, what was to go and has not begun to may have other labels than it was given."""


@dataclass(frozen=True, slots=True)
class Crew:
    """The parts of a run that do the work of every iteration."""

    context: RunContext
    namespaces: NamespaceKeeper
    creator: Creator
    inspector: Inspector
    ledger: Ledger
    reporter: Reporter


class Iteration:
    """One iteration of a workload."""

    def __init__(
        self, crew: Crew, workload: Workload, factories: Sequence[ObjectFactory], number: int
    ) -> None:
        self._crew = crew
        self._context = crew.context
        self._workload = workload
        self._factories = factories
        self._number = number

    async def run(self, *, limiter: RateLimiter, pace: Pace) -> bool:
        """Run it to its end.

        Returns:
            Whether everything in it went well. What went wrong is in its
            result; it does not raise for an object's failure or a wait's end.
        """
        workload, number = self._workload, self._number
        requested = self._requested()
        entry = self._crew.ledger.open_iteration(workload.name, number, requested)
        self._context.broadcast.send(
            IterationStarted(workload.name, number, sum(requested.values()))
        )
        held_back_s = self._crew.creator.held_back_s
        self._crew.reporter.follow(entry.scope)
        try:
            if await self._prepare(entry):
                self._enter(Stage.CREATING)
                create = partial(self._crew.creator.create, limiter=limiter, pace=pace)
                if self._made_namespaces:
                    await create(self._made_namespaces, entry.scope)
                await create(self._objects(namespaces=False), entry.scope)
                await self._wait_ready(entry)
                await self._clean_up(entry)
                await self._crew.inspector.settle(entry.scope)
        finally:
            entry.held_back_s = self._crew.creator.held_back_s - held_back_s
            self._crew.ledger.close_iteration(entry)
        problems = (*entry.problems, *describe_failed(entry.scope))
        await self._crew.ledger.settle()
        self._context.broadcast.send(IterationFinished(workload.name, number, problems))
        return not problems

    def _enter(self, stage: Stage, *, bounded: bool = False) -> None:
        deadline_s = self._workload.max_wait_timeout if bounded else None
        self._crew.reporter.enter(stage, self._workload.name, self._number, deadline_s)

    # -- creation ----------------------------------------------------------

    def _requested(self) -> Counter[str]:
        counts: Counter[str] = Counter()
        for factory in self._factories:
            for key in factory.kinds:
                counts[self._context.plan.resources[key].kind_name] += factory.spec.replicas
        return counts

    @cached_property
    def _made_namespaces(self) -> list[PlannedObject]:
        """The namespaces among the objects: they come before what goes into them."""
        return list(self._objects(namespaces=True))

    def _objects(self, *, namespaces: bool) -> Iterator[PlannedObject]:
        """Every namespace, or everything else, rendered when its turn comes."""
        for factory in self._factories:
            default = factory.namespace(self._number)
            resources = [self._context.plan.resources[key] for key in factory.kinds]
            chosen = [(each.name == NAMESPACES.name) is namespaces for each in resources]
            if not any(chosen):
                continue
            for replica in range(1, factory.spec.replicas + 1):
                requests = factory.render(self._number, replica)
                for resource, request in compress(zip(resources, requests, strict=True), chosen):
                    namespace = (request.namespace or default) if resource.namespaced else None
                    yield PlannedObject(resource, namespace, request.name, replica, request.body)

    def _namespaces(self) -> dict[str, None]:
        """Those that the run has to make: not one that is among the objects."""
        resources = self._context.plan.resources
        made = {each.name for each in self._made_namespaces}
        return {
            name: None
            for factory in self._factories
            if any(resources[key].namespaced for key in factory.kinds)
            and (name := factory.namespace(self._number)) not in made
        }

    async def _prepare(self, entry: IterationAccount) -> bool:
        """Whether every namespace is there."""
        self._enter(Stage.PREPARING, bounded=True)
        names = self._namespaces()
        try:
            async with asyncio.timeout(self._workload.max_wait_timeout):
                await self._crew.namespaces.ensure(
                    names, workload=self._workload.name, iteration=self._number
                )
        except TimeoutError:
            entry.problems.append(
                f"{self._waited()} for the namespaces: {', '.join(names)} "
                "still there from before and not gone yet"
            )
            for name in names:
                if why := await why_namespace_stays(self._context.client, name):
                    entry.problems.append(f"namespace {name} is terminating: {why}")
            return False
        return True

    async def _wait_ready(self, entry: IterationAccount) -> None:
        if not self._workload.iteration_creation_wait:
            return
        self._enter(Stage.WAITING_READY, bounded=True)
        scope = entry.scope
        in_time = await self._context.changed.wait_until(
            lambda: scope.unsettled == 0, timeout_s=self._workload.max_wait_timeout
        )
        self._context.tracker.close_readiness(scope)
        if not in_time:
            entry.problems.append(
                f"{self._waited()} for {counted(scope.unsettled, 'object')} to be ready"
            )
            namespaces = {row.namespace: None for row in unready(scope) if row.namespace}
            warnings = await warnings_about(self._context.client, namespaces)
            entry.problems += describe_unready(scope, warnings)

    # -- cleanup -----------------------------------------------------------

    async def _clean_up(self, entry: IterationAccount) -> None:
        if not self._workload.iteration_cleanup:
            return
        self._enter(Stage.DELETING)
        leaving = await self._delete(entry.scope)
        if not self._workload.iteration_deletion_wait:
            return
        self._enter(Stage.WAITING_GONE, bounded=True)
        scope = entry.scope

        def is_gone() -> bool:
            return (
                not scope.present
                and not scope.present_children
                and all(namespace.gone for namespace in leaving)
            )

        bound_s = self._workload.max_wait_timeout
        wait = self._context.changed.wait_until
        in_time = await wait(is_gone, timeout_s=min(_UNTOUCHED_S, bound_s))
        if not in_time and bound_s > _UNTOUCHED_S:
            end_s = self._context.stopwatch.now() + bound_s - _UNTOUCHED_S
            await self._crew.inspector.delete_relabelled(scope)
            in_time = await wait(is_gone, timeout_s=end_s - self._context.stopwatch.now())
        if not in_time:
            entry.problems.append(f"{self._waited()} for everything to be gone")
            entry.problems += describe_leftover(scope)
            staying = [namespace.name for namespace in leaving if not namespace.gone]
            entry.problems += await describe_namespaces(self._context.client, staying)

    async def _delete(self, scope: IterationScope) -> list[OwnedNamespace]:
        """Ask the iteration's objects to go, owners first, then its namespaces.

        So are children without an owner, as the claims of a StatefulSet: nobody else deletes them.
        """
        selector = selector_of(run_labels(self._context.run_id, self._workload.name, self._number))
        versions = await current_versions(self._context.client, self._context.plan.places)
        ownerless = [row for row in scope.children if row.owner_uid is None]
        places = {(row.resource.name, row.namespace) for row in (*scope.objects, *ownerless)}
        self._context.request_deletion(scope, versions)
        await self._crew.inspector.delete_unlabelled([scope])
        for resource in self._context.plan.watched:
            if resource.name == NAMESPACES.name:
                continue  # last of all, and one by one: the run's own have the same labels
            namespaces = [where for name, where in places if name == resource.name]
            await run_bounded(
                (
                    partial(delete_matching, self._context.client, resource, where, selector)
                    for where in sorted(namespaces, key=str)
                ),
                limit=CONCURRENCY,
            )
        await run_bounded(
            (
                partial(
                    delete_object, self._context.client, row.resource, Identity(row.name, row.uid)
                )
                for row in scope.objects
                if row.resource.name == NAMESPACES.name and row.uid is not None and row.present
            ),
            limit=CONCURRENCY,
        )
        used = {row.namespace for row in scope.objects if row.namespace is not None}
        return await self._crew.namespaces.release(used | set(self._namespaces()))

    def _waited(self) -> str:
        return f"waited {format_duration(self._workload.max_wait_timeout)} in vain"
