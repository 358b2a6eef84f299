"""Deletes by label, and proves that nothing is left.

Used at the end of a run that was interrupted or broke, and by the cleanup
command: it relies on nothing but the cluster. It lists what carries the label,
deletes it, follows it until it is gone, and lists again: what turns up
later, such as the object of a create that was on its way when the run ended,
is deleted as well. A kind that cannot be listed, watched or deleted keeps
nobody from the others.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Final

from perfscale.engine.concurrency import run_bounded
from perfscale.engine.removal.deletion import CONCURRENCY, delete_matching, delete_object
from perfscale.engine.removal.inventory import Inventory, take_inventory
from perfscale.engine.tracking.readiness import AnyObject, IdentifiedObject, Identity
from perfscale.engine.waits import Signal
from perfscale.errors import ForbiddenError
from perfscale.kube.listing import page_decoder, read_pages
from perfscale.kube.resources import DEFINITIONS, NAMESPACES
from perfscale.kube.retrying.retry import Backoff
from perfscale.kube.watching.watch import Listed, Watch

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from perfscale.engine.removal.inventory import Finding
    from perfscale.kube.client import Client
    from perfscale.kube.resources import Place

_log = logging.getLogger(__name__)

_ATTEMPTS: Final = 2
"""How often a place is listed, or deleted from, that answers with an error of its own: each
time the client has tried for as long as there was hope."""
_SYNCING_S: Final = 20.0
"""How long watches are waited for, before what they have not shown is deleted unwatched."""
_FOLLOWING_S: Final = 20.0
"""How long what is being deleted is followed before it is listed again: a watch that only seems to
be open, or is closed as soon as it is, shows nothing."""


class Removal:
    """Deletes everything that carries a label, and waits until it is gone.

    Args:
        client: The way to the cluster.
        places: Where to look, owners before what they own. Definitions of custom resources
            go after these, and namespaces last, wherever they stand.
        selector: Label selector; nothing that does not match it is deleted,
            except what is in a namespace that matches.

    Attributes:
        last: The last inventory, also while `run` goes on: when it has returned,
            what is found there could not be deleted, and what is unseen may
            hold more.
        undeleted: Places whose objects could not be deleted, and why.
    """

    def __init__(self, client: Client, places: Iterable[Place], selector: str) -> None:
        self.last = Inventory()
        self.undeleted: dict[Place, Exception] = {}
        self._client = client
        self._places = sorted(places, key=_turn)
        self._selector = selector
        self._leaving: set[Place] = set()
        self._failures: Counter[Place] = Counter()
        self._invisible: dict[Place, Exception] = {}

    @property
    def complete(self) -> bool:
        """Whether everything was listed, and nothing is left."""
        return not self.last.found and not self.last.unseen

    async def run(self) -> None:
        """Delete, follow, and list again until nothing is left that can be deleted.

        Has no bound of its own: wrap it in `asyncio.timeout`.

        Raises:
            ClusterError: No place at all could be listed.
        """
        timing = self._client.timing
        backoff = Backoff(timing.random)
        while True:
            await self._look()
            found = {
                place: self.last.found[place]
                for place in self._places
                if place in self.last.found and place not in self.undeleted
            }
            if found:
                if await self._delete(found):
                    continue
            elif self.last.unseen.keys() <= self._invisible.keys():
                return
            await timing.sleep(backoff.next_s())

    async def _look(self) -> None:
        """List again, but not where it is of no use."""
        places = [place for place in self._places if place not in self._invisible]
        self._leaving |= self.last.found.keys()
        present = await take_inventory(self._client, places, self._selector, leaving=self._leaving)
        for place, error in present.unseen.items():
            if self._has_failed(place, error):
                self._invisible[place] = error
        present.unseen.update(self._invisible)
        self.last = present

    def _has_failed(self, place: Place, error: Exception) -> bool:
        """Whether there is no hope left for a place, after one more failure."""
        self._failures[place] += 1
        return isinstance(error, ForbiddenError) or self._failures[place] >= _ATTEMPTS

    async def _delete(self, found: Mapping[Place, Finding]) -> bool:
        """One round; whether all of it was followed to its end."""
        deleting = _Round(self._client, found, self._selector)
        await deleting.run()
        for place, error in deleting.undeleted.items():
            if self._has_failed(place, error):
                self.undeleted[place] = error
        return not deleting.undeleted and not deleting.unwatched


def _turn(place: Place) -> int:
    return {DEFINITIONS.name: 1, NAMESPACES.name: 2}.get(place.resource.name, 0)


def _is_of_namespaces(place: Place) -> bool:
    return place.resource.name == NAMESPACES.name


class _Round:
    """Deletes what is there, and follows it until it is gone.

    Attributes:
        undeleted: Places whose objects could not be deleted, and why.
        unwatched: Places whose objects are being deleted and cannot be followed.
    """

    def __init__(self, client: Client, found: Mapping[Place, Finding], selector: str) -> None:
        self.undeleted: dict[Place, Exception] = {}
        self.unwatched: set[Place] = set()
        self._client = client
        self._found = found
        self._selector = selector
        self._synced: set[Place] = set()
        self._present: dict[str, Place] = {}
        self._undeleted: dict[str, tuple[Place, Identity]] = {}
        self._deleted: set[str] = set()
        self._changed = Signal()

    async def run(self) -> None:
        """Returns when the watches see nothing any more, or when it is time to list again."""
        async with asyncio.TaskGroup() as tasks:
            following = [
                tasks.create_task(self._follow(place), name=f"perfscale-removal-{place}")
                for place in self._found
            ]
            await self._changed.wait_until(
                lambda: self._found.keys() <= self._synced | self.unwatched,
                timeout_s=_SYNCING_S,
            )
            self.unwatched |= self._found.keys() - self._synced
            await self._delete_unwatched()
            loop = asyncio.get_running_loop()
            until_s = loop.time() + _FOLLOWING_S
            while self._present and loop.time() < until_s:
                await self._delete_seen()
                await self._changed.wait_until(
                    lambda: bool(self._undeleted or not self._present),
                    timeout_s=until_s - loop.time(),
                )
            for task in following:
                task.cancel()

    # -- deleting ----------------------------------------------------------------

    async def _delete_seen(self) -> None:
        """Delete everything that is not being deleted yet, owners first."""
        batch, self._undeleted = self._undeleted, {}
        self._deleted.update(batch)
        for place in self._found:
            objects = [metadata for where, metadata in batch.values() if where is place]
            if objects and place not in self.undeleted:
                await self._delete(place, objects)

    async def _delete_unwatched(self) -> None:
        """The same for what no watch shows."""
        for place, finding in self._found.items():
            if place not in self.unwatched:
                continue
            try:
                objects = (
                    await self._list(place)
                    if _is_of_namespaces(place)
                    else [Identity("", "", namespace) for namespace in finding.namespaces]
                )
            except Exception as error:  # noqa: BLE001 -- as below
                self._fail(place, error)
            else:
                await self._delete(place, objects)

    async def _delete(self, place: Place, objects: Sequence[Identity]) -> None:
        resource = place.resource
        if _is_of_namespaces(place):
            calls = [partial(delete_object, self._client, resource, one) for one in objects]
        else:
            namespaces = sorted({metadata.namespace for metadata in objects}, key=str)
            calls = [
                partial(delete_matching, self._client, resource, namespace, self._selector)
                for namespace in namespaces
            ]
        try:
            await run_bounded(calls, limit=CONCURRENCY)
        except Exception as error:  # noqa: BLE001 -- reported at the end: the others go first
            self._fail(place, error)

    async def _list(self, place: Place) -> list[Identity]:
        decoder = page_decoder(AnyObject)
        pages = read_pages(self._client, place.resource, decoder, label_selector=self._selector)
        return [item.metadata async for page in pages for item in page.items]

    def _fail(self, place: Place, error: Exception) -> None:
        """Give up on the objects of a place; those of others go on."""
        _log.info("cannot delete %s: %s", place, error)
        self.undeleted[place] = error
        self._lose(place)

    # -- following ---------------------------------------------------------------

    async def _follow(self, place: Place) -> None:
        try:
            await self._watch(place).run()
        except Exception as error:  # noqa: BLE001 -- what is left is found by the next list
            _log.info("cannot follow %s: %s", place, error)
            self.unwatched.add(place)
            self._lose(place)

    def _lose(self, place: Place) -> None:
        for uid in [uid for uid, where in self._present.items() if where is place]:
            self._forget(uid)
        self._changed.notify()

    def _note(self, place: Place, metadata: Identity) -> None:
        if place in self.undeleted:
            return
        self._present[metadata.uid] = place
        if metadata.uid not in self._deleted:
            self._undeleted[metadata.uid] = (place, metadata)

    def _forget(self, uid: str) -> None:
        self._present.pop(uid, None)
        self._undeleted.pop(uid, None)

    def _watch(self, place: Place) -> Watch[IdentifiedObject]:
        def on_list(objects: Sequence[IdentifiedObject], _: Listed) -> None:
            listed = {obj.metadata.uid for obj in objects}
            for uid in [uid for uid, where in self._present.items() if where is place]:
                if uid not in listed:
                    self._forget(uid)
            for obj in objects:
                self._note(place, obj.metadata)
            self._synced.add(place)
            self._changed.notify()

        def on_event(event: str, obj: IdentifiedObject, _heard_s: float) -> None:
            if event == "DELETED":
                self._forget(obj.metadata.uid)
            else:
                self._note(place, obj.metadata)
            self._changed.notify()

        return Watch(
            self._client,
            place.resource,
            decoder=IdentifiedObject,
            namespace=place.namespace,
            label_selector=self._selector,
            on_list=on_list,
            on_event=on_event,
        )
