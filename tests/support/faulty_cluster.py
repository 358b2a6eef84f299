"""A simulated cluster whose faults a test chooses, and a raw client that sees them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from simulated_api import VMI, Api, manifest, new_store

from perfscale.sim.cluster import SimulatedCluster
from perfscale.sim.faults import Faults
from perfscale.sim.ground_truth import KindTruth

JSON = dict[str, Any]

VMIS = "/apis/kubevirt.io/v1/namespaces/demo/virtualmachineinstances"
ALL_VMIS = "/apis/kubevirt.io/v1/virtualmachineinstances"
CONFIG_MAPS = "/api/v1/namespaces/demo/configmaps"
NAMESPACES = "/api/v1/namespaces"


class FaultyApi(Api):
    """A client of a simulated cluster; every request has a connection of its own."""

    def __init__(self, cluster: SimulatedCluster, session: aiohttp.ClientSession) -> None:
        super().__init__(cluster._server, session)
        self.cluster = cluster
        self.session = session

    async def call(self, method: str, path: str, body: object = None) -> int:
        """Send a request; return the status of an answer whose body does not matter."""
        async with self.session.request(method, self.url + path, json=body) as answer:
            return answer.status

    async def create(self, name: str) -> int:
        """Create a VMI; return the answer's status, or 0 if the connection broke."""
        try:
            status, _ = await self("POST", VMIS, manifest(VMI, name))
        except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError):
            return 0
        return status

    async def create_many(self, count: int) -> list[int]:
        """Create so many VMIs one after the other; return the answers' statuses."""
        return [await self.create(f"vmi-{number}") for number in range(count)]

    @property
    def injected(self) -> dict[str, int]:
        """How often each fault has happened."""
        return dict(self.cluster.ground_truth.injected)

    @property
    def vmis(self) -> KindTruth:
        """What happened to the VMIs."""
        return self.cluster.ground_truth.kinds()["virtualmachineinstances.kubevirt.io"]


@asynccontextmanager
async def faulty(*, speed: float = 1000.0, **faults: Any) -> AsyncIterator[FaultyApi]:
    """A simulated cluster with a namespace ``demo`` and the faults of a file's content."""
    content = Faults.model_validate(faults)
    cluster = SimulatedCluster(speed=speed, seed=1, store=new_store(), faults=content)
    connector = aiohttp.TCPConnector(force_close=True)
    async with cluster, aiohttp.ClientSession(connector=connector) as session:
        yield FaultyApi(cluster, session)
