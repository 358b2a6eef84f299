"""Deletes by label, and proves that nothing is left.

Used at the end of a run that was interrupted or broke, and by the cleanup
command: it relies on nothing but the cluster. It lists what carries the label,
asks it to go, follows it until it is gone, and looks again: what turns up
later, such as the object of a create that was on its way when the run ended,
is asked to go as well.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from perfscale.engine.concurrency import first_error, run_bounded
from perfscale.engine.deletion import CONCURRENCY, delete_matching, delete_object
from perfscale.engine.readiness import IdentifiedObject, Identity
from perfscale.engine.survey import Survey, survey
from perfscale.engine.waits import Signal
from perfscale.kube.resources import NAMESPACES
from perfscale.kube.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perfscale.kube.client import Client
    from perfscale.kube.resources import Place


async def remove(client: Client, places: Sequence[Place], selector: str) -> Survey:
    """Delete everything that carries the label, and wait until it is gone.

    Has no bound of its own: wrap it in `asyncio.timeout`.

    Args:
        client: The way to the cluster.
        places: Where to look, owners before what they own. Namespaces go last,
            wherever they stand.
        selector: Label selector; nothing that does not match it is deleted,
            except what is in a namespace that matches.

    Returns:
        The last look: nothing found, but places that may not be listed.
    """
    ordered = sorted(places, key=lambda place: place.resource.name == NAMESPACES.name)
    while True:
        present = await survey(client, ordered, selector)
        if not present.found:
            return present
        occupied = [place for place in ordered if place in present.found]
        await _Round(client, occupied, selector).run()


class _Round:
    """Asks what is there to go, and follows it until it is gone."""

    def __init__(self, client: Client, places: Sequence[Place], selector: str) -> None:
        self._client = client
        self._places = places
        self._selector = selector
        self._present: set[str] = set()
        self._unasked: dict[str, tuple[Place, Identity]] = {}
        self._asked: set[str] = set()
        self._changed = Signal()

    async def run(self) -> None:
        """Returns when nothing is left of what the watches have seen."""
        watches = [self._watch(place) for place in self._places]
        try:
            async with asyncio.TaskGroup() as tasks:
                following = [
                    tasks.create_task(watch.run(), name="perfscale-removal-watch")
                    for watch in watches
                ]
                for watch in watches:
                    await watch.synced.wait()
                while self._present:
                    await self._ask()
                    await self._changed.wait_until(lambda: bool(self._unasked or not self._present))
                for task in following:
                    task.cancel()
        except BaseExceptionGroup as group:
            raise first_error(group) from None

    async def _ask(self) -> None:
        """Ask everything to go that has not been asked, owners first."""
        batch, self._unasked = self._unasked, {}
        self._asked.update(batch)
        for place in self._places:
            resource = place.resource
            objects = [metadata for where, metadata in batch.values() if where is place]
            if resource.name == NAMESPACES.name:
                calls = [partial(delete_object, self._client, resource, one) for one in objects]
            else:
                namespaces = sorted({metadata.namespace for metadata in objects}, key=str)
                calls = [
                    partial(delete_matching, self._client, resource, namespace, self._selector)
                    for namespace in namespaces
                ]
            await run_bounded(calls, limit=CONCURRENCY)

    def _watch(self, place: Place) -> Watch[IdentifiedObject]:
        mine: set[str] = set()

        def on_list(objects: Sequence[IdentifiedObject]) -> None:
            listed = {obj.metadata.uid for obj in objects}
            for uid in mine - listed:
                forget(uid)
            for obj in objects:
                note(obj.metadata)
            self._changed.notify()

        def on_event(event: str, obj: IdentifiedObject) -> None:
            if event == "DELETED":
                forget(obj.metadata.uid)
            else:
                note(obj.metadata)
            self._changed.notify()

        def note(metadata: Identity) -> None:
            mine.add(metadata.uid)
            self._present.add(metadata.uid)
            if metadata.uid not in self._asked:
                self._unasked[metadata.uid] = (place, metadata)

        def forget(uid: str) -> None:
            mine.discard(uid)
            self._present.discard(uid)
            self._unasked.pop(uid, None)

        return Watch(
            self._client,
            place.resource,
            decoder=IdentifiedObject,
            namespace=place.namespace,
            label_selector=self._selector,
            on_list=on_list,
            on_event=on_event,
        )
