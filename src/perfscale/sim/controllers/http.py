"""The controllers' store over HTTP: any API server that has KubeVirt's kinds."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final, NoReturn

import msgspec

from perfscale.errors import CredentialsError, NotFoundError, PerfscaleError
from perfscale.kube.watching.watch import Listed, Watch
from perfscale.sim.controllers.kinds import POD
from perfscale.sim.controllers.objects import gist_of, key_of, uid_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from perfscale.kube.client import Client
    from perfscale.kube.resources import Resource
    from perfscale.sim.controllers.objects import Key
    from perfscale.sim.controllers.store import JSON

logger = logging.getLogger(__name__)

_REOPEN_S: Final = 1.0


class HttpObjectStore:
    """Works through an API server, real or simulated.

    Args:
        client: Stays the caller's to close. Its user must be allowed to list, watch,
            create, update and delete the controllers' kinds, and to update their status.
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    async def serves(self, resource: Resource) -> bool:
        """Whether the API server has this kind: its group is served, and it can be listed."""
        if resource.group and not await self._serves_version(resource):
            return False
        try:
            await self._client.request("GET", resource.path(), params={"limit": 1})
        except NotFoundError:
            return False
        return True

    async def _serves_version(self, resource: Resource) -> bool:
        # A path that leads nowhere may be one of a server that starts, and is asked for again
        # and again; the list of groups is always there.
        response = await self._client.request("GET", "/apis")
        groups = msgspec.json.decode(response.body)["groups"]
        served = {each["groupVersion"] for group in groups for each in group["versions"]}
        return resource.api_version in served

    async def get(self, resource: Resource, namespace: str | None, name: str) -> JSON:
        """The object as it is now."""
        response = await self._client.request("GET", resource.path(namespace, name))
        answer: JSON = msgspec.json.decode(response.body)
        return answer

    async def bind(self, pod: JSON, node: str) -> None:
        """Give a pod its node, by the subresource that there is for it."""
        key = key_of(pod)
        binding = {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {"namespace": key.namespace, "name": key.name, "uid": uid_of(pod)},
            "target": {"apiVersion": "v1", "kind": "Node", "name": node},
        }
        await self._send("POST", f"{POD.path(key.namespace, key.name)}/binding", binding)

    async def create(self, resource: Resource, obj: JSON) -> JSON:
        """Create `obj` in the namespace that it names; return it as it was stored."""
        return await self._send("POST", resource.path(obj["metadata"].get("namespace")), obj)

    async def update(self, resource: Resource, obj: JSON) -> JSON:
        """Replace an object, but not its status where the kind has that apart."""
        return await self._send("PUT", _path_of(resource, obj), _typed(resource, obj))

    async def update_status(self, resource: Resource, obj: JSON) -> JSON:
        """Replace the status of an object whose kind has it as a subresource."""
        path = f"{_path_of(resource, obj)}/status"
        return await self._send("PUT", path, _typed(resource, obj))

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
        options: JSON = {"apiVersion": "v1", "kind": "DeleteOptions"}
        if uid is not None:
            options["preconditions"] = {"uid": uid}
        if grace_period_s is not None:
            options["gracePeriodSeconds"] = grace_period_s
        await self._send("DELETE", resource.path(namespace, name), options)

    async def watch(
        self,
        resource: Resource,
        on_event: Callable[[str, JSON], None],
        on_synced: Callable[[], None],
    ) -> NoReturn:
        """Report what there is and every change of it, until cancelled.

        Raises:
            CredentialsError: The API server does not accept the credentials any more.
        """
        known = _Known(on_event, on_synced)
        while True:
            watch = Watch(
                self._client,
                resource,
                decoder=dict[str, Any],
                on_list=known.on_list,
                on_event=known.on_event,
            )
            try:
                await watch.run()
            except CredentialsError:
                raise
            except PerfscaleError as error:
                logger.warning("watch of %s starts afresh: %s", resource.plural, error)
            await asyncio.sleep(_REOPEN_S)

    async def _send(self, method: str, path: str, body: JSON) -> JSON:
        response = await self._client.request(method, path, body=msgspec.json.encode(body))
        answer: JSON = msgspec.json.decode(response.body)
        return answer


class _Known:
    """What has been reported, so that a fresh list shows what went unnoticed."""

    def __init__(
        self, on_event: Callable[[str, JSON], None], on_synced: Callable[[], None]
    ) -> None:
        self._on_event = on_event
        self._on_synced = on_synced
        self._identities: dict[Key, JSON] = {}

    def on_list(self, objects: Sequence[JSON], _: Listed) -> None:
        gone = self._identities
        self._identities = {}
        for obj in objects:
            gone.pop(key_of(obj), None)
        for identity in gone.values():
            self._on_event("DELETED", identity)
        for obj in objects:
            self._note("ADDED", obj)
        self._on_synced()

    def on_event(self, event: str, obj: JSON, _heard_s: float) -> None:
        self._note(event, obj)

    def _note(self, event: str, obj: JSON) -> None:
        if event == "DELETED":
            self._identities.pop(key_of(obj), None)
        else:
            self._identities[key_of(obj)] = gist_of(obj)
        self._on_event(event, obj)


def _path_of(resource: Resource, obj: JSON) -> str:
    metadata = obj["metadata"]
    return resource.path(metadata.get("namespace"), metadata["name"])


def _typed(resource: Resource, obj: JSON) -> JSON:
    # The items of a list do not say what they are.
    return {"apiVersion": resource.api_version, "kind": resource.kind, **obj}
