"""The floor: a program that does nothing but what a run cannot do without.

It creates VMIs with a bounded number of requests in flight, follows them on one watch until
all are Running, deletes them with one request, and follows them until all are gone: raw
aiohttp, msgspec and uvloop, no retries, no records, no limits. Every other figure for the
whole life of a VMI is a ratio to what this takes.

It runs in a process of its own, under `lifecycle.py`: floor.py KUBECONFIG COUNT.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import Final

import aiohttp
import msgspec
import uvloop
import yaml

NAMESPACE: Final = "floor-1"
IN_FLIGHT: Final = 64
_API: Final = "/apis/kubevirt.io/v1"
_LABEL: Final = "floor"


class _Metadata(msgspec.Struct, rename="camel"):
    uid: str
    resource_version: str


class _Status(msgspec.Struct, frozen=True):
    phase: str | None = None


class _Vmi(msgspec.Struct):
    metadata: _Metadata
    status: _Status = _Status()


class _Event(msgspec.Struct):
    type: str
    object: _Vmi


class _List(msgspec.Struct):
    metadata: dict[str, str]


def _body(name: str) -> bytes:
    container = {"image": "registry:5000/kubevirt/cirros-container-disk-demo:devel"}
    vmi = {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachineInstance",
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": {"load": _LABEL}},
        "spec": {
            "terminationGracePeriodSeconds": 0,
            "domain": {
                "cpu": {"sockets": 1, "cores": 1, "threads": 1},
                "devices": {"disks": [{"name": "containerdisk", "disk": {"bus": "virtio"}}]},
                "resources": {
                    "requests": {"cpu": "100m", "memory": "90Mi"},
                    "limits": {"cpu": "100m", "memory": "90Mi"},
                },
            },
            "volumes": [{"name": "containerdisk", "containerDisk": container}],
        },
    }
    return msgspec.json.encode(vmi)


class Floor:
    """One pass over the life of ``count`` VMIs."""

    def __init__(self, session: aiohttp.ClientSession, server: str, count: int) -> None:
        self._session = session
        self._vmis = f"{server}{_API}/namespaces/{NAMESPACE}/virtualmachineinstances"
        self._namespaces = f"{server}/api/v1/namespaces"
        self._count = count
        self._decoder = msgspec.json.Decoder(_Event)
        self._running: set[str] = set()
        self._gone: set[str] = set()
        self._all_running = asyncio.Event()
        self._all_gone = asyncio.Event()

    async def run(self) -> dict[str, float]:
        """Create, wait, delete, wait; returns the seconds of each stage."""
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
        await self._send("POST", self._namespaces, msgspec.json.encode(namespace))
        async with self._session.get(self._vmis) as answer:
            version = msgspec.json.decode(await answer.read(), type=_List).metadata
        async with asyncio.TaskGroup() as tasks:
            watching = tasks.create_task(self._watch(version["resourceVersion"]))
            stamps = await self._live(tasks)
            watching.cancel()
        await self._send("DELETE", f"{self._namespaces}/{NAMESPACE}")
        while await self._exists():  # noqa: ASYNC110 -- nothing but the server can tell
            await asyncio.sleep(0.1)
        lengths = (after - before for before, after in pairwise(stamps))
        return dict(zip(("create_s", "ready_s", "gone_s"), lengths, strict=True))

    async def _live(self, tasks: asyncio.TaskGroup) -> list[float]:
        """The life itself; returns when each of its stages began, and when the last ended."""
        stamps = [time.monotonic()]
        slots = asyncio.Semaphore(IN_FLIGHT)
        creating: set[asyncio.Task[None]] = set()

        def answered(task: asyncio.Task[None]) -> None:
            creating.discard(task)
            slots.release()

        for number in range(self._count):
            await slots.acquire()
            task = tasks.create_task(self._send("POST", self._vmis, _body(f"f-{number}")))
            creating.add(task)
            task.add_done_callback(answered)
        if creating:
            await asyncio.wait(creating)
        stamps.append(time.monotonic())
        await self._all_running.wait()
        stamps.append(time.monotonic())
        while not await self._request_deletion():
            pass
        await self._all_gone.wait()
        stamps.append(time.monotonic())
        return stamps

    async def _request_deletion(self) -> bool:
        """Whether the server came to the end of it in the minute that it gives itself."""
        async with self._session.delete(self._vmis, params={"labelSelector": "load=floor"}) as done:
            await done.read()
            return done.status == 200

    async def _exists(self) -> bool:
        async with self._session.get(f"{self._namespaces}/{NAMESPACE}") as answer:
            return answer.status != 404

    async def _send(self, method: str, url: str, body: bytes | None = None) -> None:
        async with self._session.request(method, url, data=body) as answer:
            content = await answer.read()
            if answer.status >= 300:
                raise SystemExit(f"{method} {url}: {answer.status} {content[:300]!r}")

    async def _watch(self, version: str) -> None:
        """Line by line, resumed wherever the server ends it."""
        params = {"watch": "true", "labelSelector": "load=floor"}
        while True:
            seen = {"resourceVersion": version} | params
            async with self._session.get(self._vmis, params=seen, timeout=None) as answer:
                async for line in answer.content:
                    event = self._decoder.decode(line)
                    version = event.object.metadata.resource_version
                    uid = event.object.metadata.uid
                    if event.type == "DELETED":
                        self._gone.add(uid)
                        if len(self._gone) == self._count:
                            self._all_gone.set()
                    elif event.object.status.phase == "Running":
                        self._running.add(uid)
                        if len(self._running) == self._count:
                            self._all_running.set()


def _session(kubeconfig: Path) -> tuple[aiohttp.ClientSession, str]:
    config = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    authority = cluster.get("certificate-authority")
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    if "token" in user:
        headers["Authorization"] = f"Bearer {user['token']}"
    tls = ssl.create_default_context(cafile=authority) if authority else True
    connector = aiohttp.TCPConnector(ssl=tls, limit=0)
    return (
        aiohttp.ClientSession(connector=connector, headers=headers, read_bufsize=1 << 21),
        cluster["server"],
    )


async def _main(kubeconfig: Path, count: int) -> dict[str, float]:
    session, server = _session(kubeconfig)
    async with session:
        return await Floor(session, server, count).run()


def main() -> None:
    """Run one pass; print how many seconds each stage took, as JSON."""
    print(json.dumps(uvloop.run(_main(Path(sys.argv[1]), int(sys.argv[2])))))


if __name__ == "__main__":
    main()
