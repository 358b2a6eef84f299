"""Reads what the cluster says of a slow object: the object, what was made for it, and events."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

import msgspec

from perfscale.engine.attribution.documents import (
    claims_of,
    data_volumes_of,
    read_event,
    read_object,
    read_pod,
    read_volume,
    selector_of_children,
    slowest_of,
)
from perfscale.engine.attribution.evidence import Evidence
from perfscale.errors import ApiError, ClusterError, ForbiddenError, NotFoundError
from perfscale.kube.resources import Resource

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from perfscale.engine.attribution.documents import JSON
    from perfscale.kube.client import Client

_log = logging.getLogger(__name__)

PODS: Final = Resource("", "v1", "pods", "Pod", namespaced=True)
EVENTS: Final = Resource("", "v1", "events", "Event", namespaced=True)
_CLAIMS: Final = Resource("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim", True)
_DATA_VOLUMES: Final = Resource("cdi.kubevirt.io", "v1beta1", "datavolumes", "DataVolume", True)
_KUBEVIRT: Final = "kubevirt.io"
_VM: Final = "VirtualMachine"
_VMI: Final = "VirtualMachineInstance"
_SETS_OF_INSTANCES: Final = {"VirtualMachineInstanceReplicaSet": _VMI, "VirtualMachinePool": _VM}
_PLURALS: Final = {_VM: "virtualmachines", _VMI: "virtualmachineinstances"}
CREATED_BY: Final = "kubevirt.io/created-by"
"""On a launcher pod: the UID of its instance. Names are no proof: others may have them."""

_MOST_CHILDREN: Final = 200
"""Of a set that are looked at, to find what it waits for."""
_MOST_PODS: Final = 5
_MOST_VOLUMES: Final = 3
_MOST_EVENTS: Final = 30
"""About a single object."""
_NOT_PERMITTED: Final = "not permitted"
_GONE: Final = "it is gone"
_ANY: Final = msgspec.json.Decoder(dict[str, Any])


class ClusterReader:
    """Asks the cluster about objects; one that does not answer leaves a reason.

    What is forbidden once is not asked for again.

    Args:
        client: The way there, with a rate limit of its own.
        now: Seconds since the run's start.

    Attributes:
        requests: How many were sent.
    """

    def __init__(self, client: Client, now: Callable[[], float]) -> None:
        self._client = client
        self._now = now
        self._forbidden: dict[tuple[str, str | None], None] = {}
        self.requests = 0

    @property
    def refusals(self) -> list[str]:
        """What is forbidden, one sentence each."""
        return [
            f"not permitted to read {plural}{f' in namespace {namespace}' if namespace else ''}: "
            "what only they say is unknown"
            for plural, namespace in self._forbidden
        ]

    async def look(
        self, resource: Resource, namespace: str | None, name: str, uid: str
    ) -> Evidence:
        """All that is to be seen of an object now."""
        found = Evidence(looked_s=self._now(), looks=1)
        await _Look(self, found, namespace).take(resource, name, uid)
        found.looked_s = self._now()
        return found

    async def list(
        self, resource: Resource, namespace: str | None, params: dict[str, str | int]
    ) -> list[JSON]:
        """What a list has.

        Raises:
            _UnreadError: It could not be read.
        """
        if (resource.plural, namespace) in self._forbidden:
            raise _UnreadError(_NOT_PERMITTED)
        self.requests += 1
        path = resource.path(namespace)
        try:
            answer = await self._client.read(_ANY, path, params, retry=False)
        except NotFoundError:
            return []  # the cluster does not have the kind
        except ForbiddenError as error:
            self._forbidden[resource.plural, namespace] = None
            raise _UnreadError(_NOT_PERMITTED) from error
        except (ApiError, ClusterError) as error:
            _log.info("cannot find out why an object is slow: %s", error)
            raise _UnreadError(str(error)) from error
        items = answer.get("items")
        return [each for each in items if isinstance(each, dict)] if isinstance(items, list) else []


class _UnreadError(Exception):
    """Something could not be read; the message is the reason."""


class _Look:
    """One look at an object, in whose evidence everything is put.

    Args:
        reader: What asks the cluster.
        found: The evidence.
        namespace: The object's.
    """

    def __init__(self, reader: ClusterReader, found: Evidence, namespace: str | None) -> None:
        self._reader = reader
        self._found = found
        self._namespace = namespace

    async def take(self, resource: Resource, name: str, uid: str) -> None:
        """Read the object, what was made for it, and events."""
        obj = await self._find("object", resource, name)
        if obj is None or read_object("", obj).uid != uid:
            self._found.unread.setdefault("object", _GONE)
            return
        kind, spec = resource.kind, _spec(obj)
        self._found.object = read_object(kind, obj)
        if kind in _SETS_OF_INSTANCES or (resource.group == _KUBEVIRT and kind in {_VM, _VMI}):
            await self._take_instance(kind, obj)
        elif resource.name == PODS.name:
            await self._take_pod(obj)
        elif "containers" in _spec(_template(spec)) and (selector := selector_of_children(obj)):
            await self._take_last_pod(selector)
        await self._read_events()

    async def _take_instance(self, kind: str, obj: JSON) -> None:
        self._found.expects_instance = self._found.expects_pod = True
        spec = _spec(obj) if kind == _VMI else _spec(_template(_spec(obj)))
        await self._read_volumes(claims_of(spec), data_volumes_of(spec))
        instance = await self._instance_of(kind, obj)
        if instance is None:
            return
        self._found.instance = read_object(_VMI, instance)
        selector = f"{CREATED_BY}={self._found.instance.uid}"
        for pod in await self._list("pods", PODS, selector, _MOST_PODS):
            self._keep(pod)

    async def _instance_of(self, kind: str, obj: JSON) -> JSON | None:
        """The instance that an object runs in; of a set, the one that it waits for."""
        if kind in _SETS_OF_INSTANCES:
            kind, selector = _SETS_OF_INSTANCES[kind], selector_of_children(obj)
            if not selector:
                self._found.unread["instance"] = "its selector is not a plain one"
                return None
            made = await self._list("instance", _kubevirt(kind), selector, _MOST_CHILDREN)
            last = slowest_of(kind, made)
            if last is None:
                return None
            self._choose("instances", len(made), last)
            obj = last
        if kind == _VMI:
            return obj
        machine = read_object("", obj)
        found = await self._find("instance", _kubevirt(_VMI), machine.name, is_needed=False)
        return found if found is not None and _is_owned_by(found, machine.uid) else None

    async def _take_last_pod(self, selector: str) -> None:
        self._found.expects_pod = True
        pods = await self._list("pods", PODS, selector, _MOST_CHILDREN)
        pod = slowest_of(PODS.kind, pods)
        if pod is not None:
            self._choose("pods", len(pods), pod)
            await self._take_pod(pod)

    async def _take_pod(self, pod: JSON) -> None:
        self._found.expects_pod = True
        self._keep(pod)
        await self._read_volumes(claims_of(_spec(pod)), ())

    def _keep(self, pod: JSON) -> None:
        seen = read_pod(pod)
        self._found.pods[seen.uid] = seen

    def _choose(self, what: str, count: int, chosen: JSON) -> None:
        if count > 1:
            name = read_object("", chosen).name
            said = f"of {count} {what}, this is about the one that was last: {name}"
            self._found.chosen = said

    async def _read_volumes(self, claims: Sequence[str], data_volumes: Sequence[str]) -> None:
        wanted = [(_DATA_VOLUMES, name) for name in data_volumes[:_MOST_VOLUMES]]
        wanted += [(_CLAIMS, name) for name in claims[:_MOST_VOLUMES]]
        for resource, name in wanted:
            obj = await self._find("volumes", resource, name, is_needed=False)
            if obj is not None:
                seen = read_volume(resource.kind, obj)
                self._found.volumes[seen.uid] = seen

    async def _read_events(self) -> None:
        found = self._found
        objects = (found.object, found.instance, *found.pods.values(), *found.volumes.values())
        for uid in dict.fromkeys(each.uid for each in objects if each is not None):
            params: dict[str, str | int] = {
                "fieldSelector": f"involvedObject.uid={uid}",
                "limit": _MOST_EVENTS,
            }
            for event in await self._ask("events", EVENTS, params):
                own_uid, about, kept = read_event(event)
                if about == uid:
                    found.events[own_uid] = (about, kept)

    async def _find(
        self, what: str, resource: Resource, name: str, *, is_needed: bool = True
    ) -> JSON | None:
        # A list needs no permission that a run has not got for what it follows anyway.
        items = await self._ask(what, resource, {"fieldSelector": f"metadata.name={name}"})
        if is_needed and not items:
            self._found.unread.setdefault(what, _GONE)
        return items[0] if items else None

    async def _list(self, what: str, resource: Resource, selector: str, limit: int) -> list[JSON]:
        return await self._ask(what, resource, {"labelSelector": selector, "limit": limit})

    async def _ask(self, what: str, resource: Resource, params: dict[str, str | int]) -> list[JSON]:
        """What a list has; nothing, and a reason, where it cannot be read."""
        namespace = self._namespace
        if resource is EVENTS and namespace is None:
            namespace = "default"  # where those about what is in no namespace are
        try:
            return await self._reader.list(resource, namespace, params)
        except _UnreadError as error:
            self._found.unread[what] = str(error)
            return []


def _kubevirt(kind: str) -> Resource:
    return Resource(_KUBEVIRT, "v1", _PLURALS[kind], kind, namespaced=True)


def _spec(obj: JSON) -> JSON:
    found = obj.get("spec")
    return found if isinstance(found, dict) else {}


def _template(spec: JSON) -> JSON:
    found = spec.get("template") or spec.get("virtualMachineTemplate")
    return found if isinstance(found, dict) else {}


def _is_owned_by(obj: JSON, uid: str) -> bool:
    owners = obj["metadata"].get("ownerReferences") if isinstance(obj.get("metadata"), dict) else ()
    return any(isinstance(each, dict) and each.get("uid") == uid for each in owners or ())
