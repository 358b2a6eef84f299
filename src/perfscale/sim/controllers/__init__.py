"""KubeVirt's controllers, simulated: they move objects through their lives.

They know the API server only as an `ObjectStore`, so the same controllers run in the
simulated cluster and against a real API server that has KubeVirt's kinds but no KubeVirt:

    from perfscale.sim.controllers.http import HttpObjectStore

    manager = ControllerManager(HttpObjectStore(client), speed=10)
    task = asyncio.create_task(manager.run())

The stores are imported from their own modules: each needs a half of the program that the
other has no use for.
"""

from perfscale.sim.controllers.manager import ControllerManager
from perfscale.sim.controllers.store import ObjectStore

__all__ = ["ControllerManager", "ObjectStore"]
