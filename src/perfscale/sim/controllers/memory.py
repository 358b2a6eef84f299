"""The controllers' store where the simulated API server's objects are: in this process."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NoReturn

from perfscale.sim.controllers.kinds import POD
from perfscale.sim.controllers.objects import condition, with_condition, with_status
from perfscale.sim.storage.store import DeleteOptions, Store

if TYPE_CHECKING:
    from collections.abc import Callable

    from perfscale.kube.resources import Resource
    from perfscale.sim.controllers.store import JSON


class MemoryObjectStore:
    """Works on a `Store` directly: no request, no delay, and nothing that could fail.

    Events are delivered while the change is being made, so what a callback does must be
    short and must not raise.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    async def serves(self, resource: Resource) -> bool:
        """Whether the store's catalogue has the kind."""
        found = self._store.catalogue.find(resource.group, resource.version, resource.plural)
        return found is not None

    async def get(self, resource: Resource, namespace: str | None, name: str) -> JSON:
        """The object as it is now."""
        return self._store.get(resource, namespace, name)

    async def bind(self, pod: JSON, node: str) -> None:
        """Give a pod its node, and the condition that says so, as an API server does."""
        status: JSON = pod.get("status") or {}
        scheduled = condition("PodScheduled", holds=True, now=self._store.now())
        conditions = with_condition(status.get("conditions") or (), scheduled)
        bound = with_status(pod, {**status, "conditions": conditions})
        bound["spec"] = {**pod["spec"], "nodeName": node}
        self._store.update(POD, bound, subresource="binding")

    async def create(self, resource: Resource, obj: JSON) -> JSON:
        """Create `obj` in the namespace that it names; return it as it was stored."""
        return self._store.create(resource, obj)

    async def update(self, resource: Resource, obj: JSON) -> JSON:
        """Replace an object, but not its status where the kind has that apart."""
        return self._store.update(resource, obj)

    async def update_status(self, resource: Resource, obj: JSON) -> JSON:
        """Replace the status of an object whose kind has it as a subresource."""
        return self._store.update(resource, obj, subresource="status")

    async def delete(
        self,
        resource: Resource,
        namespace: str | None,
        name: str,
        *,
        uid: str | None = None,
        grace_period_s: int | None = None,
    ) -> None:
        """Ask for an object's deletion."""
        options = DeleteOptions(uid=uid, grace_period_s=grace_period_s)
        self._store.delete(resource, namespace, name, options)

    async def watch(
        self,
        resource: Resource,
        on_event: Callable[[str, JSON], None],
        on_synced: Callable[[], None],
    ) -> NoReturn:
        """Report what there is and every change of it, until cancelled."""
        unsubscribe = self._store.subscribe(resource, on_event)
        try:
            for obj in self._store.list(resource):
                on_event("ADDED", obj)
            on_synced()
            await asyncio.Event().wait()
        finally:
            unsubscribe()
        raise AssertionError("nobody sets the event")
