"""Pools, snapshots, restores and clones of VMs."""

from typing import Any

import pytest
from controlled_store import NAMESPACE, until, until_gone, until_phase
from workload_kinds import (
    an_object,
    changed,
    condition_in,
    has_condition,
    phases_passed,
    running_cluster,
    until_status,
)

from perfscale.kube.resources import Resource
from perfscale.sim.controllers.kinds import (
    DATA_VOLUME,
    DEPLOYMENT,
    JOB,
    PVC,
    VM,
    VM_CLONE,
    VM_POOL,
    VM_RESTORE,
    VM_SNAPSHOT,
    VMI,
    VMIM,
    VOLUME_SNAPSHOT,
)

JSON = dict[str, Any]

LABELS = {"pool": "web"}
SOURCE = {"apiGroup": "kubevirt.io", "kind": "VirtualMachine", "name": "vm-1"}


def a_vm(name: str = "vm-1", strategy: str = "Halted") -> JSON:
    template: JSON = {"spec": {"domain": {"memory": {"guest": "64Mi"}}}}
    return an_object(VM, name, {"runStrategy": strategy, "template": template})


def a_pool(replicas: int) -> JSON:
    template: JSON = {
        "metadata": {"labels": LABELS},
        "spec": {"runStrategy": "Always", "template": {"spec": {"domain": {}}}},
    }
    spec = {
        "replicas": replicas,
        "selector": {"matchLabels": LABELS},
        "virtualMachineTemplate": template,
    }
    return an_object(VM_POOL, "web", spec)


def a_snapshot() -> JSON:
    return an_object(VM_SNAPSHOT, "snap", {"source": SOURCE})


def a_restore(target: str = "vm-1") -> JSON:
    spec = {"target": {**SOURCE, "name": target}, "virtualMachineSnapshotName": "snap"}
    return an_object(VM_RESTORE, "restore", spec)


async def test_a_pool_keeps_so_many_numbered_vms_ready() -> None:
    async with running_cluster() as cluster:
        store = cluster.store
        store.create(VM_POOL, a_pool(3))
        pool = await until_status(store, VM_POOL, readyReplicas=3, replicas=3)
        assert [vm["metadata"]["name"] for vm in store.list(VM)] == ["web-0", "web-1", "web-2"]
        assert store.list(VM)[0]["metadata"]["labels"] == LABELS
        assert pool["status"]["labelSelector"] == "pool=web"
        changed(store, VM_POOL, "web", replicas=1)
        await until_status(store, VM_POOL, readyReplicas=1, replicas=1)
        changed(store, VM_POOL, "web", replicas=2)
        await until_status(store, VM_POOL, readyReplicas=2, replicas=2)
        (scale, again) = [
            each for each in cluster.ground_truth.operations.records if each.operation == "scale"
        ]
        assert scale.effect_s is not None
        assert again.effect_s is not None
        store.delete(VM_POOL, NAMESPACE, "web")
        await until_gone(store, VM)
        await until_gone(store, VMI)


async def test_a_snapshot_is_ready_to_use_once_its_vm_is_there() -> None:
    async with running_cluster() as cluster:
        store = cluster.store
        store.create(VM_SNAPSHOT, a_snapshot())
        await until(
            store, VM_SNAPSHOT, lambda found: has_condition("Progressing", "False")(found[0])
        )
        store.create(VM, a_vm())
        snapshot = await until_status(store, VM_SNAPSHOT, phase="Succeeded", readyToUse=True)
        assert snapshot["status"]["creationTime"]
        assert condition_in(snapshot, "Ready")["status"] == "True"
        store.delete(VM_SNAPSHOT, NAMESPACE, "snap")
        await until_gone(store, VM_SNAPSHOT)


async def test_a_restore_waits_until_its_target_is_stopped() -> None:
    async with running_cluster() as cluster:
        store = cluster.store
        store.create(VM, a_vm(strategy="Always"))
        await until_phase(store, VMI, "Running")
        store.create(VM_SNAPSHOT, a_snapshot())
        await until_status(store, VM_SNAPSHOT, readyToUse=True)
        store.create(VM_RESTORE, a_restore())
        restore = await until_status(store, VM_RESTORE, complete=False)
        assert condition_in(restore, "Ready")["reason"] == "Waiting for target to be ready"
        changed(store, VM, "vm-1", runStrategy="Halted")
        restore = await until_status(store, VM_RESTORE, complete=True)
        assert restore["status"]["restoreTime"]


async def test_a_restore_to_a_new_name_makes_a_stopped_vm() -> None:
    async with running_cluster() as cluster:
        store = cluster.store
        store.create(VM, a_vm())
        store.create(VM_SNAPSHOT, a_snapshot())
        store.create(VM_RESTORE, a_restore("copy"))
        await until_status(store, VM_RESTORE, complete=True)
        copy = store.get(VM, NAMESPACE, "copy")
        assert copy["spec"]["template"] == store.get(VM, NAMESPACE, "vm-1")["spec"]["template"]
        assert copy["spec"]["runStrategy"] == "Halted"


async def test_a_clone_goes_through_its_phases_to_a_new_vm() -> None:
    async with running_cluster() as cluster:
        store = cluster.store
        seen = phases_passed(store, VM_CLONE)
        store.create(VM, a_vm())
        target = {**SOURCE, "name": "twin"}
        store.create(VM_CLONE, an_object(VM_CLONE, "clone", {"source": SOURCE, "target": target}))
        clone = await until_status(store, VM_CLONE, phase="Succeeded", targetName="twin")
        assert store.get(VM, NAMESPACE, "twin")["spec"]["runStrategy"] == "Halted"
    assert seen == ["", "SnapshotInProgress", "CreatingTargetVM", "RestoreInProgress", "Succeeded"]
    assert clone["status"]["snapshotName"]


@pytest.mark.parametrize(
    ("resource", "spec", "phase", "kind", "status"),
    [
        (VM_POOL, {"virtualMachineTemplate": {}}, None, "ReplicaFailure", "True"),
        (VM_SNAPSHOT, {"source": SOURCE}, "InProgress", "Failure", "True"),
        (VM_RESTORE, a_restore()["spec"], None, "Failure", "True"),
        (VM_CLONE, {"source": SOURCE}, "SnapshotInProgress", "Failure", "True"),
        (DATA_VOLUME, {"source": {"blank": {}}}, "ImportInProgress", "Running", "False"),
        (DEPLOYMENT, {"template": {}}, None, "Progressing", "False"),
        (JOB, {"template": {}}, None, "Failed", "True"),
    ],
)
async def test_a_fault_lets_objects_of_a_kind_fail_in_its_own_words(
    resource: Resource, spec: JSON, phase: str | None, kind: str, status: str
) -> None:
    fault = {"fault": "fails", "resources": [resource.plural], "message": "out of luck"}
    if phase is not None:
        fault["phase"] = phase
    async with running_cluster(objects=[fault]) as cluster:
        cluster.store.create(VM, a_vm())
        cluster.store.create(resource, an_object(resource, "made", spec))

        def has_failed(objects: list[JSON]) -> bool:
            conditions = (objects[0].get("status") or {}).get("conditions") or ()
            return any(each.get("message") == "out of luck" for each in conditions)

        (failed,) = await until(cluster.store, resource, has_failed)
    said = condition_in(failed, kind)
    assert (said["status"], said["message"]) == (status, "out of luck")


async def test_a_fault_loses_claims_and_fails_snapshots_of_volumes() -> None:
    faults = [
        {"fault": "fails", "resources": ["persistentvolumeclaims"], "phase": "Pending"},
        {"fault": "fails", "resources": ["volumesnapshots"], "message": "out of luck"},
    ]
    async with running_cluster(objects=faults) as cluster:
        store = cluster.store
        store.create(PVC, an_object(PVC, "data", {}))
        await until_phase(store, PVC, "Lost")
        source = {"source": {"persistentVolumeClaimName": "data"}}
        store.create(VOLUME_SNAPSHOT, an_object(VOLUME_SNAPSHOT, "snap", source))
        snapshot = await until_status(store, VOLUME_SNAPSHOT, readyToUse=False)
    assert snapshot["status"]["error"]["message"] == "out of luck"


async def test_ground_truth_tells_when_a_migration_has_succeeded() -> None:

    async with running_cluster() as cluster:
        store = cluster.store
        store.create(VMI, an_object(VMI, "vmi-1", {"domain": {}}))
        await until_phase(store, VMI, "Running")
        made = store.create(VMIM, an_object(VMIM, "move", {"vmiName": "vmi-1"}))
        await until_phase(store, VMIM, "Succeeded")
        (record,) = cluster.ground_truth.operations.records
    assert (record.operation, record.uid) == ("migrate", made["metadata"]["uid"])
    assert record.effect_s is not None
    times = [record.milestones_s[each] for each in ("Pending", "Scheduling", "Running")]
    assert times == sorted(times)
    assert times[-1] <= record.effect_s
