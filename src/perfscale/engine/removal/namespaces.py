"""The namespaces of a run: made when needed, never taken from others, and gone at the end."""

from __future__ import annotations

from functools import partial
from math import inf
from typing import TYPE_CHECKING

import msgspec

from perfscale.config.labels import RUN_LABEL
from perfscale.config.sections.namespaces import namespace_manifest
from perfscale.engine.concurrency import run_bounded
from perfscale.engine.removal.deletion import CONCURRENCY
from perfscale.engine.tracking.evidence import explain_namespace
from perfscale.engine.tracking.owned import OwnedNamespace
from perfscale.engine.tracking.readiness import AnyObject
from perfscale.errors import (
    AlreadyExistsError,
    ConflictError,
    ForbiddenError,
    IllegibleError,
    NotFoundError,
)
from perfscale.kube.resources import NAMESPACES
from perfscale.preflight import namespace_conflict
from perfscale.results import NamespaceCounts

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from perfscale.engine.context import RunContext
    from perfscale.engine.iteration_context import IterationContext
    from perfscale.engine.tracking.evidence import NamespaceObject
    from perfscale.engine.tracking.readiness import Metadata
    from perfscale.engine.tracking.rows import IterationScope
    from perfscale.kube.client import Client

_POLL_S = 0.5
"""How often a namespace that is not ours is read until it has terminated."""


class RunNamespaces:
    """Makes namespaces, follows those of this run by UID, and deletes only those.

    Attributes:
        unanswered: How many creates have no answer: they may be there.
    """

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self.unanswered = 0
        self._by_uid: dict[str, OwnedNamespace] = {}
        self._used_by: dict[IterationScope, set[str]] = {}
        self._decoder = msgspec.json.Decoder(AnyObject)
        self._unread: dict[str, IllegibleError] = {}

    async def ensure(self, names: Iterable[str], iteration: IterationContext) -> None:
        """Make sure that every namespace exists and may be used by an iteration.

        Until that is over or releases it, no other iteration deletes it. Waits for as long as one
        of them is terminating; bound it from outside.

        Raises:
            NamespaceConflictError: One belongs to another run.
        """
        self._used_by[iteration.scope] = set(names)
        await run_bounded(
            (partial(self._ensure, name, iteration) for name in names), limit=CONCURRENCY
        )

    async def _ensure(self, name: str, iteration: IterationContext) -> None:
        while True:
            try:
                path = NAMESPACES.path(name=name)
                found = (await iteration.client.read(self._decoder, path)).metadata
            except ForbiddenError:
                return  # whoever may not read it has been given it: taken to exist
            except NotFoundError:
                if name in self._unread:
                    raise self._unread[name] from None
                if await self._create(name, iteration):
                    return
                continue
            owner = (found.labels or {}).get(RUN_LABEL)
            if found.deletion_timestamp is not None:
                await self._terminated(found.uid)
            elif owner is None:
                return  # somebody's, and stays theirs
            elif owner != self._context.run_id:
                raise namespace_conflict([name], owner, self._context.plan.way)
            else:
                self._own(found)
                return

    async def _create(self, name: str, iteration: IterationContext) -> bool:
        """Whether it may be used now; if not, it has to be read again."""
        manifest = namespace_manifest(name, iteration.workload, iteration.labels)
        body = msgspec.json.encode(manifest)
        usable = True
        self.unanswered += 1
        try:
            made, _ = await iteration.client.create_and_read(self._decoder, NAMESPACES, None, body)
        except AlreadyExistsError:
            usable = False
        except IllegibleError as error:
            self._unread[name] = error
            usable = False  # it may be there, although the answer is no object
        except ForbiddenError:
            pass  # taken to exist; its objects will fail if it does not
        else:
            self._own(made.metadata)
        self.unanswered -= 1
        return usable

    async def make(self, name: str, labels: Mapping[str, str], client: Client) -> OwnedNamespace:
        """Make one that no iteration needs, but the run itself.

        Raises:
            ApiError: It cannot be made; AlreadyExistsError also if a lost answer has made it.
        """
        metadata = {"name": name, "labels": dict(labels)}
        manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
        body = msgspec.json.encode(manifest)
        self.unanswered += 1
        try:
            made, _ = await client.create_and_read(self._decoder, NAMESPACES, None, body)
        except ForbiddenError:
            self.unanswered -= 1
            raise
        self.unanswered -= 1
        self._own(made.metadata)
        return self._by_uid[made.metadata.uid]

    async def remove(self, owned: OwnedNamespace) -> None:
        """Delete one that was made for the run itself. Raises what a request raises."""
        await self._delete(owned, self._context.client)

    async def _terminated(self, uid: str) -> None:
        """Wait a moment, or until the watch has seen it gone."""
        owned = self._by_uid.get(uid)
        await self._context.changed.wait_until(
            lambda: owned is not None and owned.gone, timeout_s=_POLL_S
        )

    def _own(self, metadata: Metadata) -> None:
        self._by_uid.setdefault(
            metadata.uid, OwnedNamespace(metadata, self._context.stopwatch.now())
        )

    # -- deletion ----------------------------------------------------------

    def leave(self, scope: IterationScope) -> None:
        """An iteration is over: but for its objects, nothing of it keeps a namespace."""
        self._used_by.pop(scope, None)

    async def release(
        self, names: Iterable[str], iteration: IterationContext, occupied: Collection[str]
    ) -> list[OwnedNamespace]:
        """Delete those that an iteration has used and this run made, if they hold nothing of it.

        They are those that were ensured for it, and ``names``. Those that are ``occupied`` stay
        (see `occupied_namespaces`), and so do those of another iteration that may be about to
        create an object there.
        """
        used = self._used_by.pop(iteration.scope, set()).union(names)
        wanted = used.difference(occupied, *self._used_by.values())
        leaving = [
            owned for owned in self._by_uid.values() if owned.name in wanted and not owned.gone
        ]
        await run_bounded(
            (partial(self._delete, owned, iteration.client) for owned in leaving), limit=CONCURRENCY
        )
        return leaving

    async def _delete(self, owned: OwnedNamespace, client: Client) -> None:
        if owned.asked_s is not None:
            return
        owned.asked_s = self._context.stopwatch.now()
        try:
            await client.delete(NAMESPACES, None, owned.name, uid=owned.uid)
        except (NotFoundError, ConflictError) as error:
            # Gone, or another one by now. A namespace that is already
            # terminating also answers 409; the watch shows when it is gone.
            if isinstance(error, NotFoundError):
                self._gone(owned)

    # -- what the watch sees -------------------------------------------------

    def observe(self, event: str, obj: NamespaceObject) -> None:
        """Take one event of the watch on the run's namespaces."""
        owned = self._by_uid.get(obj.metadata.uid)
        if owned is None:
            return
        owned.stays = explain_namespace(obj)
        if event == "DELETED":
            self._gone(owned)

    def reconcile(
        self, state: Sequence[NamespaceObject], list_version: int, *, asked_s: float = -inf
    ) -> None:
        """Take a whole list, asked for then; what should be in it, and is not, is gone."""
        for obj in state:
            self.observe("MODIFIED", obj)
        present = {obj.metadata.uid for obj in state}
        for owned in self._by_uid.values():
            if owned.uid not in present and (
                owned.version <= list_version or owned.known_s < asked_s
            ):
                self._gone(owned)

    def note_gone(self, uid: str) -> None:
        """A namespace of this run is not there any more, as a read has shown."""
        if (owned := self._by_uid.get(uid)) is not None:
            self._gone(owned)

    def _gone(self, owned: OwnedNamespace) -> None:
        owned.gone = True
        self._context.changed.notify()

    def request_deletion(self) -> None:
        """Note that everything of the run is being deleted."""
        now = self._context.stopwatch.now()
        for owned in self._by_uid.values():
            if owned.asked_s is None:
                owned.asked_s = now

    @property
    def leaving(self) -> list[OwnedNamespace]:
        """Those that are being deleted."""
        return [
            owned for owned in self._by_uid.values() if owned.asked_s is not None and not owned.gone
        ]

    @property
    def counts(self) -> NamespaceCounts:
        """Namespaces made, gone, and left although deleted."""
        owned = self._by_uid.values()
        return NamespaceCounts(
            created=len(owned),
            deleted=sum(1 for each in owned if each.gone),
            leftover=len(self.leaving),
        )


def needed_namespaces(
    context: RunContext, iteration: IterationContext, created: Collection[str] = ()
) -> dict[str, None]:
    """Those that an iteration's objects go into, without those that its own load ``created``."""
    resources = context.plan.resources
    return {
        name: None
        for factory in iteration.factories
        if any(resources[key].namespaced for key in factory.kinds)
        and (name := factory.namespace(iteration.number)) not in created
    }


def occupied_namespaces(context: RunContext, names: Collection[str]) -> tuple[str, ...]:
    """Those in which an object of the run is that is not being deleted.

    Other generators may use other namespaces, and have to know of all of them; a run of one has
    to know only of ``names``.
    """
    is_alone = context.shard.is_whole
    found = {
        row.namespace: None
        for scope in context.tracker.open_scopes()
        if not scope.deletion_requested and not (is_alone and scope.namespaces.isdisjoint(names))
        for row in scope.rows
        if row.namespace is not None and row.present and row.delete_requested_s is None
    }
    return tuple(found)
