"""A simulated cluster with controllers that tests fill with workloads of Kubernetes' own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

from controlled_store import NAMESPACE, new_store, until

from perfscale.kube.resources import Resource
from perfscale.sim.cluster import SimulatedCluster
from perfscale.sim.faults import Faults
from perfscale.sim.storage.store import Store

JSON = dict[str, Any]

POD_SPEC: Final[JSON] = {"containers": [{"name": "main", "image": "registry/pause:3"}]}
LABELS: Final = {"app": "web"}
TEMPLATE: Final[JSON] = {"metadata": {"labels": LABELS}, "spec": POD_SPEC}


@asynccontextmanager
async def running_cluster(**faults: Any) -> AsyncIterator[SimulatedCluster]:
    """A whole simulated cluster, a thousand times as quick, with the tests' namespace."""
    content = Faults.model_validate(faults)
    async with SimulatedCluster(speed=1000, seed=1, store=new_store(), faults=content) as cluster:
        yield cluster


def an_object(resource: Resource, name: str, spec: JSON | None = None, **metadata: object) -> JSON:
    """A manifest of the kind."""
    placed = {"namespace": NAMESPACE} if resource.namespaced else {}
    made: JSON = {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "metadata": {"name": name, **placed, **metadata},
    }
    if spec is not None:
        made["spec"] = spec
    return made


def a_workload(resource: Resource, name: str = "web", **spec: object) -> JSON:
    """A manifest of a kind that makes pods."""
    selector: JSON = {} if resource.group == "batch" else {"selector": {"matchLabels": LABELS}}
    return an_object(resource, name, {**selector, "template": TEMPLATE, **spec})


def phases_passed(store: Store, resource: Resource, key: str = "phase") -> list[str]:
    """The phases that the only object of a kind comes through from now on, as they come.

    They are those of ``status.phase``, or of another key of the status.
    """
    seen: list[str] = []

    def note(_event: str, obj: JSON) -> None:
        phase = (obj.get("status") or {}).get(key, "")
        if seen[-1:] != [phase]:
            seen.append(phase)

    store.subscribe(resource, note)
    return seen


async def until_status(store: Store, resource: Resource, **wanted: object) -> JSON:
    """Wait until the only object of a kind has these fields in its status."""

    def is_so(objects: list[JSON]) -> bool:
        if len(objects) != 1:
            return False
        status = objects[0].get("status") or {}
        return all(status.get(key) == value for key, value in wanted.items())

    (found,) = await until(store, resource, is_so)
    return found


def has_condition(kind: str, status: str = "True") -> Callable[[JSON], bool]:
    """Whether an object has a condition of this type and status."""

    def holds(obj: JSON) -> bool:
        conditions = (obj.get("status") or {}).get("conditions") or ()
        return any((each["type"], each["status"]) == (kind, status) for each in conditions)

    return holds


async def until_condition(
    store: Store, resource: Resource, kind: str, status: str = "True"
) -> JSON:
    """Wait until the only object of a kind has a condition; return the object."""
    holds = has_condition(kind, status)
    (found,) = await until(store, resource, lambda objects: [*map(holds, objects)] == [True])
    return found


def condition_in(obj: JSON, kind: str) -> JSON:
    """The condition of this type."""
    found: JSON = next(each for each in obj["status"]["conditions"] if each["type"] == kind)
    return found


def changed(store: Store, resource: Resource, name: str, **spec: object) -> JSON:
    """Write an object with other fields in its spec."""
    obj = store.get(resource, NAMESPACE, name)
    return store.update(resource, {**obj, "spec": {**obj["spec"], **spec}})
