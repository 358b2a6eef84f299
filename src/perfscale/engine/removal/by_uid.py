"""Deletes objects by name and UID: those that no label leads to any more.

Admission may take the labels of an object as it is created, and anybody may
take them later. A list by label that is empty then proves nothing about an
object whose UID is known.
"""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from perfscale.config.labels import RUN_LABEL
from perfscale.engine.concurrency import run_bounded
from perfscale.engine.removal.deletion import CONCURRENCY, delete_object
from perfscale.engine.tracking.lookup import find_by_name
from perfscale.engine.tracking.readiness import AnyObject, Metadata
from perfscale.errors import ForbiddenError, NotFoundError, NotServedError
from perfscale.kube.listing import page_decoder, read_pages
from perfscale.kube.retrying.retry import Backoff

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from perfscale.kube.client import Client
    from perfscale.kube.resources import Resource

_log = logging.getLogger(__name__)

_FEW: Final = 20
"""From how many objects of a kind in a namespace on all that is there is listed instead."""
_ATTEMPTS: Final = 3


class ObjectReference(NamedTuple):
    """An object that was there, as far as was seen."""

    resource: Resource
    namespace: str | None
    name: str
    uid: str


class RemovalByUid:
    """Deletes objects that are known by their UIDs, and waits until they are gone.

    Args:
        client: The way to the cluster.
        objects: What to delete; an object of the same name and another UID is left alone.
        on_gone: Called with each that is found to be gone.

    Attributes:
        left: What is not known to be gone, also while `run` goes on.
        errors: Why objects could not be read or deleted, by kind.
    """

    def __init__(
        self,
        client: Client,
        objects: Iterable[ObjectReference],
        on_gone: Callable[[ObjectReference], None],
    ) -> None:
        self.left = list(objects)
        self.errors: dict[str, Exception] = {}
        self._client = client
        self._on_gone = on_gone
        self._failures: Counter[tuple[Resource, str | None]] = Counter()
        self._read: set[tuple[Resource, str | None]] = set()

    @property
    def unread(self) -> list[ObjectReference]:
        """What is left and was never read."""
        return [each for each in self.left if (each.resource, each.namespace) not in self._read]

    async def run(self) -> None:
        """Read, delete what is not being deleted yet, and read again until all that can be is gone.

        Has no bound of its own: wrap it in `asyncio.timeout`.
        """
        timing = self._client.timing
        backoff = Backoff(timing.random)
        while True:
            promising = self._promising()
            await run_bounded(
                (partial(self._visit, *where, objects) for where, objects in promising.items()),
                limit=CONCURRENCY,
            )
            if not self._promising():
                return
            await timing.sleep(backoff.next_s())

    async def look(self) -> None:
        """Read once, and keep what is not gone; nothing is deleted. Has no bound of its own."""
        groups = self._promising()
        await run_bounded(
            (partial(self._look, *where, objects) for where, objects in groups.items()),
            limit=CONCURRENCY,
        )

    async def keep_strays(self, run_id: str) -> None:
        """Keep only what is there and does not carry the label of the run."""
        strays: list[ObjectReference] = []

        async def look(
            resource: Resource, namespace: str | None, objects: list[ObjectReference]
        ) -> None:
            try:
                present = await self._present(resource, namespace, objects)
            except Exception as error:  # noqa: BLE001 -- reported at the end
                _log.info("cannot read %s in %s: %s", resource.name, namespace, error)
                self.errors[resource.kind_name] = error
                return
            for each in objects:
                metadata = present.get(each.uid)
                if metadata is not None and (metadata.labels or {}).get(RUN_LABEL) != run_id:
                    strays.append(each)

        calls = (partial(look, *where, each) for where, each in self._promising().items())
        await run_bounded(calls, limit=CONCURRENCY)
        self.left = strays

    def _promising(self) -> dict[tuple[Resource, str | None], list[ObjectReference]]:
        """What is left where not every attempt has failed."""
        groups: defaultdict[tuple[Resource, str | None], list[ObjectReference]] = defaultdict(list)
        for each in self.left:
            where = each.resource, each.namespace
            if self._failures[where] < _ATTEMPTS:
                groups[where].append(each)
        return groups

    async def _visit(
        self, resource: Resource, namespace: str | None, objects: list[ObjectReference]
    ) -> None:
        """Read the objects of a kind in a namespace, and delete them."""
        await self._look(resource, namespace, objects, self._delete)

    async def _delete(self, resource: Resource, present: Iterable[Metadata]) -> None:
        undeleted = [each for each in present if each.deletion_timestamp is None]
        await run_bounded(
            (partial(delete_object, self._client, resource, each) for each in undeleted),
            limit=CONCURRENCY,
        )

    async def _look(
        self,
        resource: Resource,
        namespace: str | None,
        objects: list[ObjectReference],
        then: Callable[[Resource, Iterable[Metadata]], Awaitable[None]] | None = None,
    ) -> None:
        """Read the objects of a kind in a namespace; ``then`` is called with what is there."""
        try:
            present = await self._present(resource, namespace, objects)
            if then is not None:
                await then(resource, present.values())
        except Exception as error:  # noqa: BLE001 -- reported at the end: the others go on
            _log.info("cannot read or delete %s in %s: %s", resource.name, namespace, error)
            self.errors[resource.kind_name] = error
            hopeless = isinstance(error, ForbiddenError)
            self._failures[resource, namespace] += _ATTEMPTS if hopeless else 1
            return
        self._read.add((resource, namespace))
        gone = {each.uid for each in objects if each.uid not in present}
        self.left = [each for each in self.left if each.uid not in gone]
        for each in objects:
            if each.uid in gone:
                self._on_gone(each)

    async def _present(
        self, resource: Resource, namespace: str | None, objects: list[ObjectReference]
    ) -> dict[str, Metadata]:
        """Those that are there, by UID."""
        wanted = {each.uid for each in objects}
        present: dict[str, Metadata] = {}
        if len(objects) < _FEW:
            for each in objects:
                metadata = await find_by_name(self._client, resource, namespace, each.name)
                if metadata is not None and metadata.uid == each.uid:
                    present[each.uid] = metadata
            return present
        pages = read_pages(self._client, resource, page_decoder(AnyObject), namespace=namespace)
        try:
            async for page in pages:
                if page.first:
                    present.clear()
                found = (item.metadata for item in page.items)
                present.update((each.uid, each) for each in found if each.uid in wanted)
        except (NotFoundError, NotServedError):
            return {}  # the resource was uninstalled meanwhile, and its objects with it
        return present
