"""What the coordinator does for a generator: namespaces, and the removal of everything.

A generator only follows it. What the generator has not seen go by the end of the removal, the
coordinator reads: a generator may be cut off from the API server alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from perfscale.engine.removal.ending import FinalCleanup
from perfscale.engine.removal.namespaces import RunNamespaces
from perfscale.engine.removal.removal import Removal
from perfscale.engine.sharding.coordination import Moment

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterable

    from perfscale.engine.context import RunContext
    from perfscale.engine.iteration_context import IterationContext
    from perfscale.engine.tracking.owned import OwnedNamespace
    from perfscale.fleet.generator import Link


class NoNamespaces(RunNamespaces):
    """The coordinator makes the namespaces of a run, and deletes them."""

    async def ensure(self, names: Iterable[str], iteration: IterationContext) -> None:
        """They are there before anybody goes on from the barrier that follows."""

    async def release(
        self,
        names: Iterable[str],  # noqa: ARG002 -- as where they are deleted
        iteration: IterationContext,  # noqa: ARG002
        occupied: Collection[str],  # noqa: ARG002
    ) -> list[OwnedNamespace]:
        """None of them are this generator's."""
        return []


class RemovalElsewhere(Removal):
    """The coordinator deletes by label; where it is lost, each generator what is its own."""

    def __init__(self, context: RunContext, link: Link) -> None:
        super().__init__(context.client, context.plan.places, context.selector)
        self._context = context
        self._link = link

    async def run(self) -> None:
        """Wait until the coordinator has deleted everything, or its bound is over."""
        await self._context.reach(Moment.DRAINED)
        await self._context.reach(Moment.REMOVED)
        if self._link.is_lost:
            await super().run()


class CleanupElsewhere(FinalCleanup):
    """The cleanup of a generator: what no watch has shown to be gone, the coordinator reads."""

    def __init__(
        self,
        context: RunContext,
        namespaces: RunNamespaces,
        drain: Callable[[float], Awaitable[None]],
        link: Link,
    ) -> None:
        super().__init__(context, namespaces, drain, RemovalElsewhere(context, link))
        self._link = link

    async def _catch_up(self, bound_s: float) -> None:
        """Wait only if the coordinator is lost: else it has waited, and has read the rest."""
        if self._link.is_lost:
            await super()._catch_up(bound_s)

    async def _remove_by_uid(self) -> None:
        if self._link.is_lost:
            await super()._remove_by_uid()
