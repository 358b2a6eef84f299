"""The namespaces of a run: made when needed, never taken from others, and gone at the end."""

from __future__ import annotations

from functools import partial
from math import inf
from typing import TYPE_CHECKING

import msgspec

from perfscale.config.labels import RUN_LABEL, run_labels
from perfscale.engine.concurrency import run_bounded
from perfscale.engine.removal.deletion import CONCURRENCY
from perfscale.engine.tracking.evidence import explain_namespace
from perfscale.engine.tracking.readiness import AnyObject, Metadata
from perfscale.errors import (
    AlreadyExistsError,
    ConflictError,
    ForbiddenError,
    IllegibleError,
    NotFoundError,
)
from perfscale.kube.decoding import version_number
from perfscale.kube.resources import NAMESPACES
from perfscale.preflight import namespace_conflict
from perfscale.results import NamespaceCounts

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from perfscale.engine.context import RunContext
    from perfscale.engine.tracking.evidence import NamespaceObject

_POLL_S = 0.5
"""How often a namespace that is not ours is looked at until it has terminated."""


class OwnedNamespace:
    """One namespace that this run made.

    Attributes:
        asked_s: When it was asked to go; None while it was not.
        stays: What keeps it, as it was last seen terminating.
    """

    __slots__ = ("asked_s", "gone", "known_s", "name", "stays", "uid", "version")

    def __init__(self, metadata: Metadata, known_s: float) -> None:
        self.known_s = known_s
        self.name = metadata.name
        self.uid = metadata.uid
        self.version = version_number(metadata.resource_version)
        self.asked_s: float | None = None
        self.stays: str | None = None
        self.gone = False


class NamespaceKeeper:
    """Makes namespaces, follows those of this run by UID, and deletes only those.

    Attributes:
        unanswered: How many were asked for without an answer: they may be there.
    """

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self.unanswered = 0
        self._by_uid: dict[str, OwnedNamespace] = {}
        self._decoder = msgspec.json.Decoder(AnyObject)
        self._unread: dict[str, IllegibleError] = {}

    async def ensure(self, names: Iterable[str], *, workload: str, iteration: int) -> None:
        """Make sure that every namespace exists and may be used.

        Waits for as long as one of them is terminating; bound it from outside.

        Raises:
            NamespaceConflictError: One belongs to another run.
        """
        labels = run_labels(self._context.run_id, workload, iteration)
        await run_bounded(
            (partial(self._ensure, name, labels) for name in names), limit=CONCURRENCY
        )

    async def _ensure(self, name: str, labels: dict[str, str]) -> None:
        while True:
            try:
                path = NAMESPACES.path(name=name)
                found = (await self._context.client.read(self._decoder, path)).metadata
            except ForbiddenError:
                return  # whoever may not read it has been given it: taken to exist
            except NotFoundError:
                if name in self._unread:
                    raise self._unread[name] from None
                if await self._create(name, labels):
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

    async def _create(self, name: str, labels: dict[str, str]) -> bool:
        """Whether it may be used now; if not, it has to be read again."""
        manifest = {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": name, "labels": labels},
        }
        body = msgspec.json.encode(manifest)
        usable = True
        self.unanswered += 1
        try:
            made, _ = await self._context.client.create_and_read(
                self._decoder, NAMESPACES, None, body
            )
        except AlreadyExistsError:
            usable = False
        except IllegibleError as error:
            self._unread[name] = error
            usable = False  # it may be there, although the answer is no object
        except ForbiddenError:
            pass  # taken to exist; its objects will tell if it does not
        else:
            self._own(made.metadata)
        self.unanswered -= 1
        return usable

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

    async def release(self, names: Iterable[str]) -> list[OwnedNamespace]:
        """Ask those of ``names`` to go that this run made and that hold nothing of it.

        An object of the run that has not been asked to go keeps its namespace.
        """
        occupied = {
            row.namespace
            for scope in self._context.tracker.open_scopes()
            for row in scope.rows
            if row.present and row.delete_requested_s is None
        }
        wanted = set(names) - occupied
        leaving = [
            owned for owned in self._by_uid.values() if owned.name in wanted and not owned.gone
        ]
        await run_bounded((partial(self._delete, owned) for owned in leaving), limit=CONCURRENCY)
        return leaving

    async def _delete(self, owned: OwnedNamespace) -> None:
        if owned.asked_s is not None:
            return
        owned.asked_s = self._context.stopwatch.now()
        try:
            await self._context.client.delete(NAMESPACES, None, owned.name, uid=owned.uid)
        except (NotFoundError, ConflictError) as error:
            # Gone, or another one by now. A namespace that is already
            # terminating also answers 409; the watch tells when it is gone.
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
        """Somebody has looked, and a namespace of this run is not there any more."""
        if (owned := self._by_uid.get(uid)) is not None:
            self._gone(owned)

    def _gone(self, owned: OwnedNamespace) -> None:
        owned.gone = True
        self._context.changed.notify()

    def ask_all_to_go(self) -> None:
        """Note that everything of the run is being deleted."""
        now = self._context.stopwatch.now()
        for owned in self._by_uid.values():
            if owned.asked_s is None:
                owned.asked_s = now

    @property
    def leaving(self) -> list[OwnedNamespace]:
        """Those that were asked to go and are not gone."""
        return [
            owned for owned in self._by_uid.values() if owned.asked_s is not None and not owned.gone
        ]

    @property
    def counts(self) -> NamespaceCounts:
        """Namespaces made, gone, and left although asked to go."""
        owned = self._by_uid.values()
        return NamespaceCounts(
            created=len(owned),
            deleted=sum(1 for each in owned if each.gone),
            leftover=len(self.leaving),
        )
