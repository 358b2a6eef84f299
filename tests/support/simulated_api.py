"""The simulated API server as a client sees it: requests, and watches read line by line."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from random import Random
from typing import Any, Final

import aiohttp
from patience import PATIENCE_S

from perfscale.kube.resources import NAMESPACES, Resource
from perfscale.sim.apiserver.apiserver import ServerOptions, SimulatedApiServer
from perfscale.sim.storage.store import Store

JSON = dict[str, Any]

START: Final = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
VMI: Final = Resource(
    "kubevirt.io", "v1", "virtualmachineinstances", "VirtualMachineInstance", True
)
CONFIG_MAP: Final = Resource("", "v1", "configmaps", "ConfigMap", namespaced=True)
POD: Final = Resource("", "v1", "pods", "Pod", namespaced=True)


def manifest(
    resource: Resource, name: str, *, metadata: JSON | None = None, **fields: object
) -> JSON:
    """An object of the kind in the namespace ``demo``; `metadata` is added to."""
    typed = {"apiVersion": resource.api_version, "kind": resource.kind}
    placed = {"name": name, "namespace": "demo", **(metadata or {})}
    return {**typed, "metadata": placed, "spec": {}, **fields}


def new_store(history: int = 1000) -> Store:
    """A store whose clock stands still, with a namespace ``demo``."""
    uids = (f"00000000-0000-4000-8000-{number:012}" for number in range(10**9))
    names = Random(1)
    store = Store(now=lambda: START, new_uid=lambda: next(uids), rng=names, history=history)
    store.create(NAMESPACES, {"metadata": {"name": "demo"}})
    return store


class Api:
    """A client of one simulated API server."""

    def __init__(self, server: SimulatedApiServer, session: aiohttp.ClientSession) -> None:
        self.store = server.store
        self.url = server.url
        self._session = session

    async def __call__(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        params: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, JSON]:
        """Send a request; return the status and the decoded body."""
        data = body if isinstance(body, bytes) else None if body is None else json.dumps(body)
        sent = {"Content-Type": "application/json", **(headers or {})}
        async with self._session.request(
            method, self.url + path, data=data, params=params, headers=sent
        ) as answer:
            return answer.status, json.loads(await answer.read())

    async def text(self, path: str, headers: dict[str, str] | None = None) -> str:
        """The body of a GET as it is."""
        async with self._session.get(self.url + path, headers=headers) as answer:
            return await answer.text()

    @asynccontextmanager
    async def watch(self, path: str, **params: str) -> AsyncIterator["Watch"]:
        """Open a watch."""
        query = {"watch": "true", **params}
        async with self._session.get(self.url + path, params=query) as answer:
            yield Watch(answer)


class Watch:
    """An open watch."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self.status = answer.status
        self._answer = answer

    async def next(self) -> JSON:
        """The next event."""
        async with asyncio.timeout(PATIENCE_S):
            line = await self._answer.content.readline()
        event: JSON = json.loads(line)
        return event

    async def names(self, count: int) -> list[str]:
        """Type and name of the next events, as in ``ADDED a``."""
        events = [await self.next() for _ in range(count)]
        return [f"{event['type']} {event['object']['metadata']['name']}" for event in events]

    async def rest(self) -> list[JSON]:
        """All events until the server ends the watch."""
        async with asyncio.timeout(PATIENCE_S):
            body = await self._answer.content.read()
        return [json.loads(line) for line in body.splitlines()]


@asynccontextmanager
async def serving(
    store: Store | None = None, server_options: ServerOptions | None = None
) -> AsyncIterator[Api]:
    """A simulated API server and its client."""
    server = SimulatedApiServer(store or new_store(), server_options=server_options)
    async with server, aiohttp.ClientSession() as session:
        yield Api(server, session)
