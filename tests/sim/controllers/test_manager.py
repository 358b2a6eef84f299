import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import pytest
from controlled_store import (
    NAMESPACE,
    controllers_on,
    new_store,
    until,
    until_gone,
    until_phase,
)

from perfscale.errors import CredentialsError, NotFoundError, ServerError
from perfscale.kube.resources import Resource
from perfscale.sim.controllers.kinds import POD, VM, VMI, VMIM, VMIRS
from perfscale.sim.controllers.manager import ControllerManager
from perfscale.sim.controllers.memory import MemoryObjectStore
from perfscale.sim.controllers.objects import is_ready
from perfscale.sim.storage.lifecycle import Housekeeping
from perfscale.sim.storage.store import Store

JSON = dict[str, Any]


def an_object(resource: Resource, name: str, spec: JSON, **metadata: object) -> JSON:
    return {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "metadata": {"name": name, "namespace": NAMESPACE, **metadata},
        "spec": spec,
    }


def a_vmi(name: str = "vmi-1") -> JSON:
    return an_object(VMI, name, {"domain": {}})


def a_vm(name: str = "vm-1") -> JSON:
    template = {"metadata": {"labels": {"run": "1"}}, "spec": {"domain": {}}}
    return an_object(VM, name, {"running": True, "template": template})


def a_replica_set(replicas: int) -> JSON:
    template = {"metadata": {"labels": {"run": "1"}}, "spec": {"domain": {}}}
    return an_object(VMIRS, "set", {"replicas": replicas, "template": template})


def phases(store: Store) -> dict[str, list[str]]:
    """The phases that each VMI is seen in from now on, in order."""
    seen: dict[str, list[str]] = defaultdict(list)

    def note(event: str, obj: JSON) -> None:
        phase = obj.get("status", {}).get("phase", "")
        history = seen[obj["metadata"]["name"]]
        if event == "DELETED":
            history.append("gone")
        elif not history or history[-1] != phase:
            history.append(phase)

    store.subscribe(VMI, note)
    return seen


@pytest.fixture
def store() -> Iterator[Store]:
    store = new_store()
    housekeeping = Housekeeping(store, lambda work: asyncio.get_running_loop().call_soon(work))
    yield store
    housekeeping.close()


async def test_vmis_run_and_are_gone_after_their_deletion(store: Store) -> None:
    seen = phases(store)
    async with controllers_on(store):
        for number in range(20):
            store.create(VMI, a_vmi(f"vmi-{number}"))
        for running in await until(store, VMI, lambda vmis: len(vmis) == sum(map(is_ready, vmis))):
            store.delete(VMI, NAMESPACE, running["metadata"]["name"])
        await until_gone(store, VMI)
    whole_life = ["", "Pending", "Scheduling", "Scheduled", "Running", "Succeeded", "gone"]
    assert list(seen.values()) == [whole_life] * 20


async def test_a_vmi_that_is_deleted_before_it_runs_never_runs(store: Store) -> None:
    seen = phases(store)
    loop = asyncio.get_running_loop()

    def delete_when_pending(_event: str, vmi: JSON) -> None:
        is_pending = vmi.get("status", {}).get("phase") == "Pending"
        if is_pending and "deletionTimestamp" not in vmi["metadata"]:
            loop.call_soon(store.delete, VMI, NAMESPACE, "vmi-1")  # before any timer rings

    store.subscribe(VMI, delete_when_pending)
    async with controllers_on(store):
        store.create(VMI, a_vmi())
        await until(store, VMI, lambda vmis: not vmis and "Pending" in seen["vmi-1"])
    assert "Running" not in seen["vmi-1"]
    assert seen["vmi-1"][-2:] == ["Failed", "gone"]


async def test_a_vmi_that_is_deleted_as_soon_as_it_is_created_is_gone_at_once(
    store: Store,
) -> None:
    async with controllers_on(store):
        store.create(VMI, a_vmi())
        store.delete(VMI, NAMESPACE, "vmi-1")
        assert store.list(VMI) == []
        store.create(VMI, a_vmi("vmi-2"))
        await until_phase(store, VMI, "Running")


async def test_controllers_that_start_late_or_again_continue_where_things_stand(
    store: Store,
) -> None:
    store.create(VMI, a_vmi())
    seen = phases(store)
    async with controllers_on(store):
        await until(store, VMI, lambda _: "Scheduling" in seen["vmi-1"])
    async with controllers_on(store):
        await until_phase(store, VMI, "Running")
    store.delete(VMI, NAMESPACE, "vmi-1")
    async with controllers_on(store):
        await until_gone(store, VMI)
    assert seen["vmi-1"] == [
        "Pending",
        "Scheduling",
        "Scheduled",
        "Running",
        "Succeeded",
        "gone",
    ]


async def test_a_vm_runs_a_vmi_with_its_templates_labels_and_takes_it_along(store: Store) -> None:
    async with controllers_on(store):
        store.create(VM, a_vm())
        (vm,) = await until(store, VM, lambda vms: bool(vms[0].get("status", {}).get("ready")))
        (vmi,) = store.list(VMI)
        assert vmi["metadata"]["name"] == "vm-1"
        assert vmi["metadata"]["labels"]["run"] == "1"
        assert vm["status"]["printableStatus"] == "Running"
        store.delete(VM, NAMESPACE, "vm-1")
        await until_gone(store, VM)
        assert store.list(VMI) == []


async def test_the_vmi_of_a_vm_comes_again_when_somebody_deletes_it(store: Store) -> None:
    async with controllers_on(store):
        store.create(VM, a_vm())
        (first,) = await until_phase(store, VMI, "Running")
        store.delete(VMI, NAMESPACE, "vm-1")
        await until(
            store,
            VMI,
            lambda vmis: (
                [vmi["metadata"]["uid"] != first["metadata"]["uid"] for vmi in vmis] == [True]
            ),
        )


async def test_a_vm_waits_while_somebody_elses_vmi_has_its_name(store: Store) -> None:
    async with controllers_on(store):
        store.create(VMI, a_vmi("vm-1"))
        await until_phase(store, VMI, "Running")
        store.create(VM, a_vm())
        await until(store, VM, lambda vms: "status" in vms[0])
        assert "created" not in store.get(VM, NAMESPACE, "vm-1")["status"]
        store.delete(VMI, NAMESPACE, "vm-1")
        await until(store, VM, lambda vms: bool(vms[0]["status"].get("ready")))


async def test_a_replica_set_is_as_large_as_it_is_asked_to_be(store: Store) -> None:
    created = Counter[str]()
    store.subscribe(VMI, lambda event, _obj: created.update([event]))

    def counts(ready: int) -> Callable[[list[JSON]], bool]:
        return lambda sets: sets[0].get("status", {}).get("readyReplicas") == ready

    async with controllers_on(store):
        store.create(VMIRS, a_replica_set(30))
        (vmirs,) = await until(store, VMIRS, counts(30))
        assert created["ADDED"] == len(store.list(VMI)) == 30
        store.update(VMIRS, {**vmirs, "spec": {**vmirs["spec"], "replicas": 10}})
        (vmirs,) = await until(store, VMIRS, counts(10))
        await until(store, VMI, lambda vmis: len(vmis) == 10)
        store.update(VMIRS, {**vmirs, "spec": {**vmirs["spec"], "replicas": 12}})
        await until(store, VMIRS, counts(12))
    assert created["ADDED"] == 32


async def test_a_replica_set_that_controllers_find_complete_stays_as_it_is(store: Store) -> None:
    async with controllers_on(store):
        store.create(VMIRS, a_replica_set(5))
        await until(store, VMIRS, lambda sets: sets[0].get("status", {}).get("readyReplicas") == 5)
    names = {vmi["metadata"]["name"] for vmi in store.list(VMI)}
    async with controllers_on(store):
        store.create(VMI, a_vmi())
        await until_phase(store, VMI, "Running")
    assert {vmi["metadata"]["name"] for vmi in store.list(VMI)} == {*names, "vmi-1"}


async def test_a_deleted_replica_set_leaves_no_vmi_behind(store: Store) -> None:
    async with controllers_on(store):
        store.create(VMIRS, a_replica_set(10))
        await until(store, VMI, lambda vmis: len(vmis) == 10)
        store.delete(VMIRS, NAMESPACE, "set")
        await until_gone(store, VMI)
    assert store.list(VMIRS) == []


async def test_a_pod_runs_and_stops(store: Store) -> None:
    async with controllers_on(store):
        store.create(POD, an_object(POD, "pod-1", {"containers": [{"name": "main", "image": "i"}]}))
        (pod,) = await until_phase(store, POD, "Running")
        assert is_ready(pod)
        store.delete(POD, NAMESPACE, "pod-1")
        await until_gone(store, POD)


async def test_a_running_vmi_is_migrated(store: Store) -> None:
    async with controllers_on(store):
        store.create(VMI, a_vmi())
        await until_phase(store, VMI, "Running")
        store.create(VMIM, an_object(VMIM, "migration", {"vmiName": "vmi-1"}))
        await until_phase(store, VMIM, "Succeeded")
        store.delete(VMIM, NAMESPACE, "migration")
        await until_gone(store, VMIM)


async def test_a_migration_of_a_vmi_that_does_not_run_fails(store: Store) -> None:
    async with controllers_on(store):
        store.create(VMIM, an_object(VMIM, "migration", {"vmiName": "nobody"}))
        await until_phase(store, VMIM, "Failed")


class Unreliable(MemoryObjectStore):
    """Answers only every third request, and lets somebody else write in between."""

    def __init__(self, store: Store, *, error: Exception | None = None) -> None:
        super().__init__(store)
        self._shared = store
        self._error = error
        self._requests = 0

    def _falter(self) -> None:
        self._requests += 1
        if self._error is not None:
            raise self._error
        if self._requests % 3:
            raise ServerError("etcd has no leader", status=500, reason="InternalError")

    async def create(self, resource: Resource, obj: JSON) -> JSON:
        self._falter()
        return await super().create(resource, obj)

    async def update(self, resource: Resource, obj: JSON) -> JSON:
        self._falter()
        if self._requests % 2:
            current = self._shared.get(resource, NAMESPACE, obj["metadata"]["name"])
            noted = {"annotations": {"written": str(self._requests)}}
            self._shared.update(resource, {**current, "metadata": {**current["metadata"], **noted}})
        return await super().update(resource, obj)


async def test_errors_and_conflicts_are_ridden_out(store: Store) -> None:
    async with controllers_on(store, Unreliable(store)):
        store.create(VM, a_vm())
        await until(store, VM, lambda vms: bool(vms[0].get("status", {}).get("ready")))
        (vmi,) = store.list(VMI)
    # Somebody's annotation is not lost to a write that was made from an older version.
    assert "written" in vmi["metadata"]["annotations"]


async def test_lost_credentials_end_the_controllers_with_an_error(store: Store) -> None:
    store.create(VMI, a_vmi())
    refused = Unreliable(store, error=CredentialsError("Unauthorized", status=401))
    manager = ControllerManager(refused, speed=1000)
    with pytest.raises(ExceptionGroup) as caught:
        await manager.run()
    assert caught.group_contains(CredentialsError)


class WithoutKubeVirt(MemoryObjectStore):
    """A server that has pods and nothing else."""

    async def serves(self, resource: Resource) -> bool:
        return resource == POD

    async def watch(
        self,
        resource: Resource,
        on_event: Callable[[str, JSON], None],
        on_synced: Callable[[], None],
    ) -> NoReturn:
        if resource != POD:
            raise NotFoundError("no such kind", status=404, reason="NotFound")
        await super().watch(resource, on_event, on_synced)


async def test_kinds_that_the_server_does_not_have_are_left_out_where_asked(store: Store) -> None:
    manager = ControllerManager(WithoutKubeVirt(store), speed=1000, skip_missing=True)
    task = asyncio.create_task(manager.run())
    store.create(POD, an_object(POD, "pod-1", {"containers": []}))
    await until_phase(store, POD, "Running")
    task.cancel()
    await asyncio.wait([task])


async def test_the_same_seed_gives_replicas_of_the_same_names() -> None:
    names = []
    for _ in range(2):
        store = new_store()
        async with controllers_on(store):
            store.create(VMIRS, a_replica_set(3))
            vmis = await until(store, VMI, lambda vmis: len(vmis) == 3)
        names.append({vmi["metadata"]["name"] for vmi in vmis})
    assert names[0] == names[1]
