"""Reads what the cluster says of a slow object: the object, what was made for it, and events."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

import msgspec

from perfscale.engine.attribution.evidence import (
    Evidence,
    claims_of,
    data_volumes_of,
    read_event,
    read_object,
    read_pod,
    read_volume,
    selector_of_children,
    slowest_of,
)
from perfscale.errors import ApiError, ClusterError, ForbiddenError, NotFoundError
from perfscale.kube.resources import Resource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from perfscale.engine.attribution.evidence import JSON
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
        self._forbidden: dict[tuple[str, str | None], str] = {}
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
        obj = await self._find(found, "object", resource, namespace, name)
        if obj is None or read_object("", obj).uid != uid:
            found.unread.setdefault("object", "it is gone")
            return found
        found.object = read_object(resource.kind, obj)
        await self._find_pods(found, resource, namespace, obj)
        await self._read_events(found, namespace)
        found.looked_s = self._now()
        return found

    async def _find_pods(
        self, found: Evidence, resource: Resource, namespace: str | None, obj: JSON
    ) -> None:
        kind, spec = resource.kind, _spec(obj)
        if resource.group == _KUBEVIRT or kind in _SETS_OF_INSTANCES:
            if kind in {_VM, _VMI, *_SETS_OF_INSTANCES}:
                await self._find_instance(found, resource, namespace, obj)
        elif resource.name == PODS.name:
            found.expects_pod = True
            self._take_pod(found, obj)
            await self._read_volumes(found, namespace, claims_of(spec), ())
        elif "containers" in _spec(_template(spec)) and (selector := selector_of_children(obj)):
            found.expects_pod = True
            pods = await self._list(found, "pods", PODS, namespace, selector, _MOST_CHILDREN)
            pod = slowest_of(PODS.kind, pods)
            if pod is not None:
                self._take_pod(found, pod)
                _choose(found, "pods", len(pods), pod)
                await self._read_volumes(found, namespace, claims_of(_spec(pod)), ())

    async def _find_instance(
        self, found: Evidence, resource: Resource, namespace: str | None, obj: JSON
    ) -> None:
        found.expects_instance = found.expects_pod = True
        spec = _spec(obj) if resource.kind == _VMI else _spec(_template(_spec(obj)))
        await self._read_volumes(found, namespace, claims_of(spec), data_volumes_of(spec))
        instance: JSON | None = obj
        if resource.kind in _SETS_OF_INSTANCES:
            kind = _SETS_OF_INSTANCES[resource.kind]
            selector = selector_of_children(obj)
            made = await self._list(
                found, "instance", _kubevirt(kind), namespace, selector, _MOST_CHILDREN
            )
            instance = slowest_of(kind, made)
            if instance is not None:
                _choose(found, "instances", len(made), instance)
                resource = _kubevirt(kind)
        if instance is not None and resource.kind == _VM:
            owner = read_object("", instance)
            instance = await self._find(
                found, "instance", _kubevirt(_VMI), namespace, owner.name, is_needed=False
            )
            if instance is not None and not _is_owned_by(instance, owner.uid):
                instance = None
        if instance is None:
            return
        found.instance = read_object(_VMI, instance)
        selector = f"{CREATED_BY}={found.instance.uid}"
        for pod in await self._list(found, "pods", PODS, namespace, selector, _MOST_PODS):
            self._take_pod(found, pod)

    def _take_pod(self, found: Evidence, pod: JSON) -> None:
        seen = read_pod(pod)
        found.pods[seen.uid] = seen

    async def _read_volumes(
        self,
        found: Evidence,
        namespace: str | None,
        claims: Iterable[str],
        data_volumes: Iterable[str],
    ) -> None:
        wanted = [(_DATA_VOLUMES, name) for name in list(data_volumes)[:_MOST_VOLUMES]]
        wanted += [(_CLAIMS, name) for name in list(claims)[:_MOST_VOLUMES]]
        for resource, name in wanted:
            obj = await self._find(found, "volumes", resource, namespace, name, is_needed=False)
            if obj is not None:
                seen = read_volume(resource.kind, obj)
                found.volumes[seen.uid] = seen

    async def _read_events(self, found: Evidence, namespace: str | None) -> None:
        objects = (found.object, found.instance, *found.pods.values(), *found.volumes.values())
        for uid in dict.fromkeys(each.uid for each in objects if each is not None):
            params: dict[str, str | int] = {
                "fieldSelector": f"involvedObject.uid={uid}",
                "limit": _MOST_EVENTS,
            }
            # Those about what is in no namespace are in this one.
            path = EVENTS.path(namespace or "default")
            answer = await self._ask(found, "events", EVENTS, namespace, path, params)
            for event in _items(answer):
                own_uid, about, kept = read_event(event)
                if about == uid:
                    found.events[own_uid] = (about, kept)

    async def _find(
        self,
        found: Evidence,
        what: str,
        resource: Resource,
        namespace: str | None,
        name: str,
        *,
        is_needed: bool = True,
    ) -> JSON | None:
        # A list needs no permission that a run has not got for what it follows anyway.
        params: dict[str, str | int] = {"fieldSelector": f"metadata.name={name}"}
        path = resource.path(namespace)
        answer = await self._ask(
            found, what, resource, namespace, path, params, is_needed=is_needed
        )
        items = _items(answer)
        if answer is not None and not items and is_needed:
            found.unread[what] = "it is gone"
        return items[0] if items else None

    async def _list(
        self,
        found: Evidence,
        what: str,
        resource: Resource,
        namespace: str | None,
        selector: str,
        limit: int,
    ) -> list[JSON]:
        if not selector:
            found.unread[what] = "its selector is not a plain one"
            return []
        params: dict[str, str | int] = {"labelSelector": selector, "limit": limit}
        path = resource.path(namespace)
        return _items(await self._ask(found, what, resource, namespace, path, params))

    async def _ask(
        self,
        found: Evidence,
        what: str,
        resource: Resource,
        namespace: str | None,
        path: str,
        params: dict[str, str | int],
        *,
        is_needed: bool = True,
    ) -> JSON | None:
        """An answer; None, and a reason, where there is none."""
        if (reason := self._forbidden.get((resource.plural, namespace))) is not None:
            found.unread[what] = reason
            return None
        self.requests += 1
        try:
            return await self._client.read(_ANY, path, params, retry=False)
        except NotFoundError:
            if is_needed:
                found.unread[what] = "it is gone"
        except ForbiddenError:
            reason = self._forbidden[resource.plural, namespace] = "not permitted"
            found.unread[what] = reason
        except (ApiError, ClusterError) as error:
            _log.info("cannot find out why an object is slow: %s", error)
            found.unread[what] = str(error)
        return None


def _kubevirt(kind: str) -> Resource:
    return Resource(_KUBEVIRT, "v1", _PLURALS[kind], kind, namespaced=True)


def _spec(obj: JSON) -> JSON:
    found = obj.get("spec")
    return found if isinstance(found, dict) else {}


def _template(spec: JSON) -> JSON:
    found = spec.get("template") or spec.get("virtualMachineTemplate")
    return found if isinstance(found, dict) else {}


def _items(answer: JSON | None) -> list[JSON]:
    found = None if answer is None else answer.get("items")
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _is_owned_by(obj: JSON, uid: str) -> bool:
    owners = obj["metadata"].get("ownerReferences") if isinstance(obj.get("metadata"), dict) else ()
    return any(isinstance(each, dict) and each.get("uid") == uid for each in owners or ())


def _choose(found: Evidence, what: str, count: int, chosen: JSON) -> None:
    if count > 1:
        name = read_object("", chosen).name
        found.chosen = f"of {count} {what}, this is about the one that was last: {name}"
