"""A store in memory with the controllers at work on it, a thousand times as quick."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

from patience import PATIENCE_S

from perfscale.kube.resources import NAMESPACES, Resource
from perfscale.sim.controllers.manager import ControllerManager
from perfscale.sim.controllers.memory import MemoryObjectStore
from perfscale.sim.controllers.store import ObjectStore
from perfscale.sim.storage.store import Store

JSON = dict[str, Any]

NAMESPACE: Final = "load"
_SPEED: Final = 1000.0


async def until(
    store: Store, resource: Resource, is_so: Callable[[list[JSON]], bool]
) -> list[JSON]:
    """Wait until the objects of a kind are as `is_so` says; return them."""
    changed = asyncio.Event()
    leave = store.subscribe(resource, lambda _event, _obj: changed.set())
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not is_so(objects := list(store.list(resource))):
                changed.clear()
                await changed.wait()
        return objects
    finally:
        leave()


async def until_gone(store: Store, resource: Resource) -> None:
    """Wait until no object of the kind is left."""
    await until(store, resource, lambda objects: not objects)


async def until_phase(store: Store, resource: Resource, phase: str) -> list[JSON]:
    """Wait until there are objects of the kind, all of them in `phase`."""

    def is_so(objects: list[JSON]) -> bool:
        return bool(objects) and all(obj.get("status", {}).get("phase") == phase for obj in objects)

    return await until(store, resource, is_so)


def new_store() -> Store:
    """An empty store with the namespace of the tests."""
    store = Store()
    store.create(
        NAMESPACES,
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
    )
    return store


@asynccontextmanager
async def controllers_on(store: Store, objects: ObjectStore | None = None) -> AsyncIterator[None]:
    """Run the controllers on `store`, or on `objects` where that is another way to it."""
    manager = ControllerManager(objects or MemoryObjectStore(store), speed=_SPEED, seed=1)
    task = asyncio.create_task(manager.run(), name="controllers")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
    if not task.cancelled():
        task.result()
