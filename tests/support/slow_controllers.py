"""What stands in for KubeVirt, a scheduler and a kubelet, and is slow for a known reason.

An object whose name begins with a cause, in lower case, is held up by that cause. What each of
the three would write is written by requests: pods, bindings, statuses, events and phases.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from itertools import count
from typing import Any, Final

import msgspec
from clusters import PODS, VMIS, VMS
from pages import list_pages

from perfscale.errors import ConflictError, NotFoundError
from perfscale.kube.client import Client
from perfscale.kube.resources import Resource

JSON = dict[str, Any]

CAUSES: Final = ("unseen", "scheduling", "imagePull", "volumes", "launcherStart", "guest")
EVENTS: Final = Resource("", "v1", "events", "Event", namespaced=True)
_NODE: Final = "stand-in"
_POLL_S: Final = 0.05


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _condition(kind: str, *, holds: bool = True, **said: str) -> JSON:
    return {"type": kind, "status": str(holds), "lastTransitionTime": _now(), **said}


def _owned_by(resource: Resource, owner: JSON) -> JSON:
    return {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
    }


class _SlowControllers:
    def __init__(self, client: Client, delay_s: float) -> None:
        self._client = client
        self._delay_s = delay_s
        self._numbers = count(1)
        self._seen: set[str] = set()

    async def run(self) -> None:
        """Give every object that comes its life, all of them beside each other."""
        lives: dict[Resource, Callable[[JSON], Coroutine[Any, Any, None]]] = {
            VMS: self._lead_machine,
            VMIS: self._lead_instance,
            PODS: self._lead_pod,
        }
        async with asyncio.TaskGroup() as tasks:
            while True:
                for resource, lead in lives.items():
                    async for found, _ in list_pages(self._client, resource):
                        for obj in found:
                            if self._is_new(obj):
                                tasks.create_task(self._guarded(lead(obj)))
                await asyncio.sleep(_POLL_S)

    async def _guarded(self, life: Coroutine[Any, Any, None]) -> None:
        with suppress(NotFoundError):  # deleted in the middle of its life
            await life

    def _is_new(self, obj: JSON) -> bool:
        metadata = obj["metadata"]
        is_new = metadata["uid"] not in self._seen and "deletionTimestamp" not in metadata
        is_own = "kubevirt.io/created-by" in (metadata.get("labels") or {})
        self._seen.add(metadata["uid"])
        return is_new and not is_own

    async def _hold(self, obj: JSON, cause: str) -> None:
        """Wait, if an object is held up by a cause."""
        if obj["metadata"]["name"].startswith(cause.lower()):
            await asyncio.sleep(self._delay_s)

    # -- virt-controller ----------------------------------------------------

    async def _lead_machine(self, vm: JSON) -> None:
        metadata = vm["metadata"]
        await self._hold(vm, "unseen")
        labels = vm["spec"]["template"].get("metadata", {}).get("labels") or {}
        instance = await self._create(
            VMIS,
            {
                "metadata": {
                    "name": metadata["name"],
                    "namespace": metadata["namespace"],
                    "labels": labels,
                    "ownerReferences": [_owned_by(VMS, vm)],
                },
                "spec": vm["spec"]["template"]["spec"],
            },
        )
        self._seen.add(instance["metadata"]["uid"])
        await self._lead_instance(instance, is_seen=True)
        await self._patch(VMS, vm, {"status": {"ready": True}}, "/status")

    async def _lead_instance(self, vmi: JSON, *, is_seen: bool = False) -> None:
        if not is_seen:
            await self._hold(vmi, "unseen")
        metadata = vmi["metadata"]
        pod = await self._create(
            PODS,
            {
                "metadata": {
                    "name": f"virt-launcher-{metadata['name']}",
                    "namespace": metadata["namespace"],
                    "labels": {"kubevirt.io/created-by": metadata["uid"]},
                    "ownerReferences": [_owned_by(VMIS, vmi)],
                },
                "spec": {"containers": [{"name": "compute", "image": "virt-launcher"}]},
            },
        )
        phases = [("Pending", _now())]
        await self._enter(vmi, phases, "Scheduling")
        await self._start(pod, vmi)
        await self._enter(vmi, phases, "Scheduled")
        await self._hold(vmi, "guest")
        await self._enter(vmi, phases, "Running")

    async def _enter(self, vmi: JSON, phases: list[tuple[str, str]], phase: str) -> None:
        phases.append((phase, _now()))
        stamps = [{"phase": one, "phaseTransitionTimestamp": at} for one, at in phases]
        status = {"phase": phase, "phaseTransitionTimestamps": stamps}
        await self._patch(VMIS, vmi, {"status": status})

    # -- a scheduler and a kubelet ------------------------------------------

    async def _lead_pod(self, pod: JSON) -> None:
        await self._start(pod, pod)
        await self._hold(pod, "guest")
        ready = [_condition(each) for each in ("ContainersReady", "Ready")]
        await self._patch(PODS, pod, {"status": {"phase": "Running", "conditions": ready}})

    async def _start(self, pod: JSON, held: JSON) -> None:
        name = held["metadata"]["name"]
        if name.startswith("scheduling"):
            said = "0/3 nodes are available: 3 Insufficient memory."
            await self._say(pod, "FailedScheduling", said)
            unscheduled = _condition("PodScheduled", holds=False, message=said)
            await self._patch(PODS, pod, {"status": {"conditions": [unscheduled]}})
            await self._hold(held, "scheduling")
        await self._bind(pod)
        if name.startswith("volumes"):
            await self._say(pod, "FailedAttachVolume", "Multi-Attach error")
            await self._hold(held, "volumes")
            await self._say(pod, "SuccessfulAttachVolume", "AttachVolume.Attach succeeded")
        if name.startswith("imagepull"):
            await self._say(pod, "Pulling", 'Pulling image "virt-launcher"')
            await self._hold(held, "imagePull")
            took = f"{self._delay_s}s"
            await self._say(pod, "Pulled", f'Successfully pulled image "virt-launcher" in {took}')
        await self._hold(held, "launcherStart")
        container = pod["spec"]["containers"][0]
        started = {
            "name": container["name"],
            "image": container["image"],
            "imageID": "",
            "ready": True,
            "restartCount": 0,
            "state": {"running": {"startedAt": _now()}},
        }
        await self._patch(PODS, pod, {"status": {"containerStatuses": [started]}})

    async def _bind(self, pod: JSON) -> None:
        metadata = pod["metadata"]
        body = {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {"name": metadata["name"], "namespace": metadata["namespace"]},
            "target": {"apiVersion": "v1", "kind": "Node", "name": _NODE},
        }
        path = PODS.path(metadata["namespace"], metadata["name"])
        await self._client.request("POST", f"{path}/binding", body=msgspec.json.encode(body))

    async def _say(self, pod: JSON, reason: str, message: str) -> None:
        metadata = pod["metadata"]
        about = {key: metadata[key] for key in ("name", "namespace", "uid")}
        await self._create(
            EVENTS,
            {
                "metadata": {
                    "name": f"{metadata['name']}.{next(self._numbers)}",
                    "namespace": metadata["namespace"],
                },
                "involvedObject": {"apiVersion": "v1", "kind": "Pod", **about},
                "type": "Normal",
                "reason": reason,
                "message": message,
                "firstTimestamp": _now(),
                "lastTimestamp": _now(),
                "count": 1,
            },
        )

    # -- requests -----------------------------------------------------------

    async def _create(self, resource: Resource, obj: JSON) -> JSON:
        body = {"apiVersion": resource.api_version, "kind": resource.kind, **obj}
        path = resource.path(obj["metadata"]["namespace"])
        answer = await self._client.request("POST", path, body=msgspec.json.encode(body))
        made: JSON = msgspec.json.decode(answer.body)
        return made

    async def _patch(
        self, resource: Resource, obj: JSON, change: JSON, subresource: str | None = None
    ) -> None:
        metadata = obj["metadata"]
        path = resource.path(metadata["namespace"], metadata["name"])
        if subresource is None:
            subresource = "/status" if resource == PODS else ""
        # Only a strategic patch keeps the conditions that a scheduler has written.
        kind = "strategic-merge-patch" if resource == PODS else "merge-patch"
        await self._client.request(
            "PATCH",
            f"{path}{subresource}",
            body=msgspec.json.encode(change),
            content_type=f"application/{kind}+json",
        )

    async def remove_pods(self) -> None:
        """Remove the pods that nobody removes where there is no kubelet."""
        async for found, _ in list_pages(self._client, PODS):
            for pod in found:
                if pod["spec"].get("nodeName") == _NODE:
                    metadata = pod["metadata"]
                    path = PODS.path(metadata["namespace"], metadata["name"])
                    options = msgspec.json.encode({"gracePeriodSeconds": 0})
                    with suppress(NotFoundError, ConflictError):
                        await self._client.request("DELETE", path, body=options)


@asynccontextmanager
async def slow_controllers(client: Client, delay_s: float) -> AsyncIterator[None]:
    """Lead VMs, instances and pods through their lives, and hold up those named after a cause."""
    controllers = _SlowControllers(client, delay_s)
    task = asyncio.create_task(controllers.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
        await controllers.remove_pods()
        if not task.cancelled():
            task.result()
