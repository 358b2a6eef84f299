"""Data volumes that VMs make from their templates, and wait for."""

from typing import Any

from controlled_store import NAMESPACE, until, until_gone, until_phase
from workload_kinds import an_object, phases_passed, running_cluster

from perfscale.sim.controllers.kinds import DATA_VOLUME, PVC, VM, VMI
from perfscale.sim.controllers.objects import uid_of

JSON = dict[str, Any]

SOURCE: JSON = {"http": {"url": "http://images/disk.img"}}


def a_vm(strategy: str = "Always", **storage: object) -> JSON:
    size = {"resources": {"requests": {"storage": "1Gi"}}}
    volume = {
        "metadata": {"name": "vm-disk", "labels": {"perfscale/run-id": "r", "own": "yes"}},
        "spec": {"source": SOURCE, "storage": {**size, **storage}},
    }
    disks = [{"name": "root", "dataVolume": {"name": "vm-disk"}}]
    template = {"metadata": {}, "spec": {"domain": {}, "volumes": disks}}
    spec = {"runStrategy": strategy, "dataVolumeTemplates": [volume], "template": template}
    return an_object(VM, "vm", spec)


async def test_a_vm_makes_its_data_volumes_and_starts_once_they_are_filled() -> None:
    async with running_cluster() as cluster:
        store = cluster.store
        said = phases_passed(store, VM, "printableStatus")
        filled_first: list[bool] = []

        def note(event: str, _: JSON) -> None:
            volumes = store.list(DATA_VOLUME)
            if event == "ADDED":
                filled_first.append([each["status"]["phase"] for each in volumes] == ["Succeeded"])

        store.subscribe(VMI, note)
        made = store.create(VM, a_vm())
        await until_phase(store, VMI, "Running")
        (volume,) = store.list(DATA_VOLUME)
        (claim,) = store.list(PVC)
    assert filled_first == [True]
    assert "Provisioning" in said
    metadata = volume["metadata"]
    assert metadata["labels"] == {
        "perfscale/run-id": "r",
        "own": "yes",
        "kubevirt.io/created-by": uid_of(made),
    }
    (owner,) = metadata["ownerReferences"]
    assert (owner["kind"], owner["uid"], owner["controller"]) == (
        "VirtualMachine",
        uid_of(made),
        True,
    )
    assert claim["metadata"]["name"] == "vm-disk"


async def test_what_a_vm_has_made_goes_with_it() -> None:
    async with running_cluster() as cluster:
        store = cluster.store
        store.create(VM, a_vm())
        await until_phase(store, VMI, "Running")
        store.delete(VM, NAMESPACE, "vm")
        for resource in (VM, VMI, DATA_VOLUME, PVC):
            await until_gone(store, resource)


async def test_a_halted_vm_has_its_data_volumes_too() -> None:
    async with running_cluster() as cluster:
        store = cluster.store
        store.create(VM, a_vm("Halted"))
        await until_phase(store, DATA_VOLUME, "Succeeded")
        await until(store, VM, lambda vms: vms[0]["status"]["printableStatus"] == "Stopped")
        assert store.list(VMI) == []


async def test_where_storage_waits_for_its_first_consumer_that_is_the_instance() -> None:
    async with running_cluster() as cluster:
        store = cluster.store
        store.create(VM, a_vm(storageClassName="local"))
        await until_phase(store, VMI, "Running")
        await until_phase(store, DATA_VOLUME, "Succeeded")


async def test_a_data_volume_that_fails_keeps_its_vm_from_starting() -> None:
    async with running_cluster() as cluster:
        store = cluster.store
        store.create(VM, a_vm())
        (volume,) = await until(store, DATA_VOLUME, lambda volumes: len(volumes) == 1)
        metadata = {**volume["metadata"], "resourceVersion": ""}
        store.update(
            DATA_VOLUME,
            {**volume, "metadata": metadata, "status": {"phase": "Failed"}},
            subresource="status",
        )
        await until(
            store, VM, lambda vms: vms[0]["status"].get("printableStatus") == "DataVolumeError"
        )
        assert store.list(VMI) == []
