"""What a scripted server streams to a watch, and what the watch told of it."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
from kube_client import Connect
from scripted_server import Exchange, Handler, answers, never_answers, scripted_server

from perfscale.kube.client import Client
from perfscale.kube.resources import Resource
from perfscale.kube.watching.watch import Listed, Watch

VMIS = Resource(
    "kubevirt.io", "v1", "virtualmachineinstances", "VirtualMachineInstance", namespaced=True
)


class Metadata(msgspec.Struct, rename="camel"):
    name: str
    uid: str
    resource_version: str


class Vmi(msgspec.Struct):
    metadata: Metadata


def listed(version: str, *names: str, more: str | None = None) -> Handler:
    metadata = {"resourceVersion": version} | ({"continue": more} if more else {})
    return answers({"metadata": metadata, "items": [vmi(name, "1") for name in names]})


def vmi(name: str, version: str) -> dict[str, Any]:
    metadata = {"name": name, "uid": f"uid-{name}", "resourceVersion": version}
    return {"metadata": metadata, "status": {}}


def line(kind: str, document: dict[str, Any]) -> bytes:
    return json.dumps({"type": kind, "object": document}).encode() + b"\n"


def event(name: str, version: str, kind: str = "MODIFIED") -> bytes:
    return line(kind, vmi(name, version))


def bookmark(version: str) -> bytes:
    return line("BOOKMARK", {"kind": "X", "metadata": {"resourceVersion": version}})


def initial_events_end(version: str) -> bytes:
    annotations = {"k8s.io/initial-events-end": "true"}
    metadata = {"resourceVersion": version, "annotations": annotations}
    return line("BOOKMARK", {"kind": "X", "metadata": metadata})


def streams(*chunks: bytes, then: Callable[[Exchange], Awaitable[None]] | None = None) -> Handler:
    """Stream the chunks, then end the answer as servers do, without a word."""

    async def handler(exchange: Exchange) -> None:
        exchange.start_stream()
        for chunk in chunks:
            await exchange.write(chunk)
        if then is None:
            exchange.end_stream()
        else:
            await then(exchange)

    return handler


stays = never_answers


class Follower:
    """What a watch told, in order.

    Attributes:
        listed: Of what moment the last state was.
        gaps: When it was lost, and until when it then had to catch up.
        warnings: What it warned of.
    """

    def __init__(
        self, client: Client, *, namespace: str | None = None, label_selector: str | None = None
    ) -> None:
        self.client = client
        self.told: list[str] = []
        self.listed: Listed | None = None
        self.gaps: list[tuple[str, float]] = []
        self.warnings: list[str] = []
        self._changed = asyncio.Event()
        self.watch = Watch(
            client,
            VMIS,
            decoder=Vmi,
            on_list=self._list,
            on_event=self._event,
            namespace=namespace,
            label_selector=label_selector,
            gaps=self,
        )

    def lost(self, at_s: float) -> None:
        self.gaps.append(("lost", at_s))

    def regained(self, until_s: float) -> None:
        self.gaps.append(("regained", until_s))

    def warn(self, text: str) -> None:
        self.warnings.append(text)

    def _list(self, items: Sequence[Vmi], listed: Listed) -> None:
        self.listed = listed
        self.told.append("list " + " ".join(item.metadata.name for item in items))
        self._changed.set()

    def _event(self, kind: str, item: Vmi, _: float) -> None:
        self.told.append(f"{kind} {item.metadata.name}")
        self._changed.set()

    async def until(self, last: str) -> None:
        while last not in self.told:
            self._changed.clear()
            await self._changed.wait()


@asynccontextmanager
async def following(client: Client, **scope: str) -> AsyncIterator[Follower]:
    follower = Follower(client, **scope)
    task = asyncio.create_task(follower.watch.run())
    try:
        yield follower
    finally:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def cancel_at_any_moment(connect: Connect, *script: Handler) -> None:
    """Cancel a watch after so many turns of the loop; it has to end and close its connection."""
    async with scripted_server() as server:
        for turns in range(40):
            server.will_from_now_on(*script)
            client = await connect(server)
            task = asyncio.create_task(Follower(client).watch.run())
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await client._transport.aclose()
            await server.no_connections()
