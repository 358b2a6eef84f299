from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.typedefs import Handler
from controlled_store import NAMESPACE, controllers_on, new_store, until, until_gone, until_phase

from perfscale.errors import ConflictError, NotFoundError
from perfscale.kube.cluster import ClusterOptions, open_cluster
from perfscale.kube.resources import Resource
from perfscale.sim.apiserver.apiserver import Attachments, SimulatedApiServer
from perfscale.sim.cluster import kubeconfig_for, write_kubeconfig
from perfscale.sim.controllers.http import HttpObjectStore
from perfscale.sim.controllers.kinds import POD, VM, VMI, VMIRS
from perfscale.sim.storage.store import Store

JSON = dict[str, Any]


@dataclass
class Served:
    """A store behind HTTP, and the way to it."""

    store: Store
    objects: HttpObjectStore
    requests: list[str]


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    requests: list[str] = []

    @web.middleware
    async def note(request: web.Request, handler: Handler) -> web.StreamResponse:
        requests.append(f"{request.method} {request.path}")
        return await handler(request)

    store = new_store()
    async with SimulatedApiServer(store, attached=Attachments(middlewares=[note])) as server:
        path = tmp_path / "kubeconfig"
        write_kubeconfig(path, kubeconfig_for(server.url, "token"))
        async with await open_cluster(ClusterOptions(kubeconfig=str(path))) as opened:
            yield Served(store, HttpObjectStore(opened.client), requests)


def an_object(resource: Resource, name: str, spec: JSON) -> JSON:
    return {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": spec,
    }


TEMPLATE: JSON = {"metadata": {"labels": {"run": "1"}}, "spec": {"domain": {}}}


async def test_a_vms_whole_life_over_http(served: Served) -> None:
    store = served.store
    async with controllers_on(store, served.objects):
        store.create(VM, an_object(VM, "vm-1", {"running": True, "template": TEMPLATE}))
        await until(store, VM, lambda vms: bool(vms[0].get("status", {}).get("ready")))
        store.delete(VM, NAMESPACE, "vm-1")
        await until_gone(store, VM)
    assert store.list(VMI) == []


async def test_a_vmis_status_is_written_with_the_vmi_and_a_vms_apart_from_it(
    served: Served,
) -> None:
    store = served.store
    async with controllers_on(store, served.objects):
        store.create(VM, an_object(VM, "vm-1", {"running": True, "template": TEMPLATE}))
        await until(store, VM, lambda vms: bool(vms[0].get("status", {}).get("ready")))
    writes = {request for request in served.requests if request.startswith("PUT")}
    assert writes == {
        f"PUT {VMI.path(NAMESPACE, 'vm-1')}",
        f"PUT {VM.path(NAMESPACE, 'vm-1')}",
        f"PUT {VM.path(NAMESPACE, 'vm-1')}/status",
    }


async def test_a_replica_set_makes_no_vmi_too_many_over_http(served: Served) -> None:
    store = served.store
    async with controllers_on(store, served.objects):
        spec = {"replicas": 30, "template": TEMPLATE}
        store.create(VMIRS, an_object(VMIRS, "set", spec))
        await until(store, VMIRS, lambda sets: sets[0].get("status", {}).get("readyReplicas") == 30)
        creates = [each for each in served.requests if each == f"POST {VMI.path(NAMESPACE)}"]
        assert len(creates) == 30
        store.delete(VMIRS, NAMESPACE, "set")
        await until_gone(store, VMI)


async def test_a_pods_life_over_http(served: Served) -> None:
    store = served.store
    async with controllers_on(store, served.objects):
        store.create(POD, an_object(POD, "pod-1", {"containers": [{"name": "c", "image": "i"}]}))
        await until_phase(store, POD, "Running")
        store.delete(POD, NAMESPACE, "pod-1")
        await until_gone(store, POD)


async def test_what_went_while_the_watch_was_out_of_date_is_noticed(served: Served) -> None:
    store = served.store
    async with controllers_on(store, served.objects):
        spec = {"replicas": 2, "template": TEMPLATE}
        store.create(VMIRS, an_object(VMIRS, "set", spec))
        await until(store, VMIRS, lambda sets: sets[0].get("status", {}).get("readyReplicas") == 2)
        # No turn of the loop in between: the watches hear of none of this.
        vmi = store.list(VMI)[0]
        store.update(VMI, {**vmi, "metadata": {**vmi["metadata"], "finalizers": []}})
        store.delete(VMI, NAMESPACE, vmi["metadata"]["name"])
        store.compact()
        await until(
            store, VMI, lambda vmis: len(vmis) == 2 and vmi["metadata"]["uid"] not in uids(vmis)
        )


def uids(objects: list[JSON]) -> set[str]:
    return {obj["metadata"]["uid"] for obj in objects}


async def test_it_knows_which_kinds_the_server_has(served: Served) -> None:
    assert await served.objects.serves(VMI)
    unknown = Resource("kubevirt.io", "v1", "unicorns", "Unicorn", namespaced=True)
    assert not await served.objects.serves(unknown)


async def test_a_write_from_an_older_version_is_a_conflict(served: Served) -> None:
    made = await served.objects.create(VMI, an_object(VMI, "vmi-1", {"domain": {}}))
    await served.objects.update(VMI, {**made, "status": {"phase": "Pending"}})
    with pytest.raises(ConflictError):
        await served.objects.update(VMI, {**made, "status": {"phase": "Running"}})


async def test_only_the_object_that_is_meant_is_deleted(served: Served) -> None:
    await served.objects.create(VMI, an_object(VMI, "vmi-1", {"domain": {}}))
    with pytest.raises(ConflictError):
        await served.objects.delete(VMI, NAMESPACE, "vmi-1", uid="another")
    with pytest.raises(NotFoundError):
        await served.objects.delete(VMI, NAMESPACE, "vmi-2")
