"""What stands in for controllers: it writes statuses for objects of a kind that has none."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

import msgspec
from pages import list_pages
from patience import PATIENCE_S

from perfscale.kube.client import Client
from perfscale.kube.resources import DEFINITIONS, Resource

JSON = dict[str, Any]

GADGETS: Final = Resource("example.com", "v1", "gadgets", "Gadget", namespaced=True)
_ANYTHING: Final = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
_DEFINITION: Final[JSON] = {
    "apiVersion": DEFINITIONS.api_version,
    "kind": DEFINITIONS.kind,
    "metadata": {"name": "gadgets.example.com"},
    "spec": {
        "group": GADGETS.group,
        "scope": "Namespaced",
        "names": {"plural": GADGETS.plural, "singular": "gadget", "kind": GADGETS.kind},
        "versions": [
            {
                "name": GADGETS.version,
                "served": True,
                "storage": True,
                "subresources": {"status": {}},
                "schema": {"openAPIV3Schema": _ANYTHING},
            }
        ],
    },
}
_POLL_S: Final = 0.05


@asynccontextmanager
async def gadgets(client: Client) -> AsyncIterator[None]:
    """A kind that somebody defined, and that no controller knows."""
    await client.request("POST", DEFINITIONS.path(), body=msgspec.json.encode(_DEFINITION))
    async with asyncio.timeout(PATIENCE_S):
        await _until_established(client)
    try:
        yield
    finally:
        await client.request("DELETE", DEFINITIONS.path(name="gadgets.example.com"))


async def _until_established(client: Client) -> None:
    while True:
        async for found, _ in list_pages(client, DEFINITIONS):
            for each in found:
                conditions = each.get("status", {}).get("conditions") or ()
                holding = {each["type"] for each in conditions if each["status"] == "True"}
                if each["spec"]["group"] == GADGETS.group and "Established" in holding:
                    return
        await asyncio.sleep(_POLL_S)


Status = JSON | Callable[[JSON], JSON]
"""A status, or what makes one for an object."""


@asynccontextmanager
async def stand_in(client: Client, resource: Resource, *statuses: Status) -> AsyncIterator[None]:
    """Give every object of a kind these statuses, one after the other."""
    task = asyncio.create_task(_write_statuses(client, resource, statuses))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled():
            task.result()


async def _write_statuses(client: Client, resource: Resource, statuses: tuple[Status, ...]) -> None:
    written: dict[str, int] = {}
    while True:
        async for found, _ in list_pages(client, resource):
            for obj in found:
                metadata = obj["metadata"]
                number = written.get(metadata["uid"], 0)
                if number == len(statuses) or "deletionTimestamp" in metadata:
                    continue
                status = statuses[number]
                body = {"status": status(obj) if callable(status) else status}
                path = resource.path(metadata["namespace"], metadata["name"])
                await client.request(
                    "PATCH",
                    f"{path}/status",
                    body=msgspec.json.encode(body),
                    content_type="application/merge-patch+json",
                )
                written[metadata["uid"]] = number + 1
        await asyncio.sleep(_POLL_S)
