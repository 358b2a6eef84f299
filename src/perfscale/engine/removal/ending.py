"""The cleanup of a run that was interrupted or broke: everything of it goes, within one bound."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from perfscale.config import counted, format_duration
from perfscale.engine.removal.by_uid import ObjectReference, RemovalByUid
from perfscale.engine.removal.deletion import current_versions
from perfscale.engine.removal.inventory import take_inventory
from perfscale.engine.removal.leftovers import (
    describe_leftovers,
    describe_undeleted,
    describe_unseen,
    first_bug,
    reserved_s,
)
from perfscale.engine.removal.removal import Removal
from perfscale.errors import ApiError, ClusterError, PerfscaleError
from perfscale.kube.resources import NAMESPACES

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from perfscale.engine.context import RunContext
    from perfscale.engine.removal.inventory import Inventory
    from perfscale.engine.removal.namespaces import RunNamespaces
    from perfscale.engine.tracking.rows import TrackedObject

_GRACE_S: Final = 15.0
"""How long the requests in flight may take to be answered once the load has stopped."""
_GRACE_SHARE: Final = 0.25
"""No more than this of a bound that is short."""
_CATCH_UP_S: Final = 2.0
"""How long the run's own watches may be behind the cleanup's."""


def drain_grace_s(bound_s: float) -> float:
    """How long requests in flight may take to be answered, of a cleanup's bound in seconds."""
    return min(_GRACE_S, _GRACE_SHARE * bound_s)


class FinalCleanup:
    """Deletes everything of a run, by its label and by what is known of it.

    Args:
        context: The run's.
        namespaces: Those of the run.
        drain: Waits for the creates in flight, for so many seconds, and gives up on the rest.
        removal: Deletes by label; None: the usual one.

    Attributes:
        problems: What did not go as it should, one sentence each.
        complete: Whether everything of the run is known to be gone.
    """

    def __init__(
        self,
        context: RunContext,
        namespaces: RunNamespaces,
        drain: Callable[[float], Awaitable[None]],
        removal: Removal | None = None,
    ) -> None:
        self.problems: list[str] = []
        self.complete = False
        self._context = context
        self._namespaces = namespaces
        self._drain = drain
        self._removal = removal or Removal(context.client, context.places, context.selector)
        self._by_uid = RemovalByUid(context.client, (), self._note_gone)
        self._rows: dict[str, TrackedObject] = {}

    async def run(self, bound_s: float, *, keep: bool) -> None:
        """Wait for the creates in flight, then delete; ``keep`` leaves everything where it is.

        What goes wrong is in ``problems``; a fault of this program is raised
        once all the rest is deleted.
        """
        end_s = asyncio.get_running_loop().time() + bound_s
        try:
            async with asyncio.timeout_at(end_s - reserved_s(bound_s)):
                await self._drain(drain_grace_s(bound_s))
                if keep:
                    return
                await self._remove()
        except TimeoutError:
            self.problems.append(f"the cleanup did not end within {format_duration(bound_s)}")
            found = await self._final_inventory(end_s)
            confirmed = await self._confirm_gone(found, end_s)
            await self._describe(found, end_s)
            looked = bool(found.versions) and not found.unseen
            self.complete = looked and confirmed and not found.found
        except (ApiError, ClusterError) as error:
            self.problems.append(f"the cleanup failed: {error}")
        else:
            await self._describe(self._removal.last, end_s)
            self.complete = self._removal.complete and not self._by_uid.left
        if bug := first_bug(self._removal.last.unseen, self._removal.undeleted):
            raise bug

    async def _remove(self) -> None:
        context = self._context
        versions = await self._versions()
        for scope in context.tracker.open_scopes():
            context.request_deletion(scope, versions)
        self._namespaces.request_deletion()
        await self._removal.run()
        await self._catch_up(_CATCH_UP_S)
        await self._remove_by_uid()

    async def _catch_up(self, bound_s: float) -> None:
        """Wait until the run's own watches have shown what the cleanup's have, or the bound."""
        await self._context.changed.wait_until(self._nothing_expected, timeout_s=bound_s)

    async def _remove_by_uid(self) -> None:
        """What was seen, and not seen to be gone: without labels now, or the watches are dead."""
        self._by_uid = RemovalByUid(self._context.client, self._expected(), self._note_gone)
        await self._by_uid.run()

    async def _versions(self) -> dict[str, int]:
        """What the cluster has come to, as far as it answers within a moment."""
        context = self._context
        try:
            async with asyncio.timeout(_CATCH_UP_S):
                return await current_versions(context.client, context.places)
        except (TimeoutError, PerfscaleError):
            return {}

    def _nothing_expected(self) -> bool:
        scopes = self._context.tracker.open_scopes()
        return not (
            any(scope.present or scope.present_children for scope in scopes)
            or self._namespaces.leaving
        )

    def _expected(self) -> Iterator[ObjectReference]:
        """What should be there, as far as the run has seen."""
        for scope in self._context.tracker.open_scopes():
            for row in scope.rows:
                if row.present and row.uid is not None:
                    self._rows[row.uid] = row
                    yield ObjectReference(row.resource, row.namespace, row.name, row.uid)
        for owned in self._namespaces.leaving:
            yield ObjectReference(NAMESPACES, None, owned.name, owned.uid)

    def _note_gone(self, reference: ObjectReference) -> None:
        row = self._rows.get(reference.uid)
        if row is None:
            self._namespaces.note_gone(reference.uid)
            return
        context = self._context
        context.publish(context.tracker.confirm_gone(row, context.stopwatch.now()))

    async def _final_inventory(self, end_s: float) -> Inventory:
        """What is there now; what was there before, if there is no time to list it."""
        try:
            async with asyncio.timeout_at(end_s):
                return await take_inventory(
                    self._context.client, self._context.places, self._context.selector
                )
        except (TimeoutError, PerfscaleError):
            return self._removal.last

    async def _confirm_gone(self, found: Inventory, end_s: float) -> bool:
        """Verify what watches did not see gone, of kinds that no list shows any more.

        Returns whether all of it is known to be gone.
        """
        present = {place.resource.name for place in found.found.keys() | found.unseen.keys()}
        expected = [each for each in self._expected() if each.resource.name not in present]
        by_uid = RemovalByUid(self._context.client, expected, self._note_gone)
        with suppress(TimeoutError):
            async with asyncio.timeout_at(end_s):
                await by_uid.run()
                self._by_uid = by_uid
                return not by_uid.left
        return False  # there was no answer in time

    async def _describe(self, found: Inventory, end_s: float) -> None:
        self.problems += describe_undeleted(self._removal.undeleted)
        self.problems += describe_unseen(found.unseen)
        try:
            async with asyncio.timeout_at(end_s):
                self.problems += await describe_leftovers(self._context.client, found)
        except TimeoutError:
            self.problems.append(f"{counted(found.count, 'object')} still there when last seen")
        labelled = {place.resource.kind_name for place in found.found}
        unlabelled = Counter(each.resource.kind_name for each in self._by_uid.left)
        for kind, count in unlabelled.items():
            if kind not in labelled:
                why = self._by_uid.errors.get(kind, "still there, without the run's labels")
                self.problems.append(f"{count} {kind} not known to be gone: {why}")
