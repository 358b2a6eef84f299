"""KubeVirt's kinds beside the VMI, with objects as its controllers write them."""

from typing import Any

import pytest
from readings import condition, read

KUBEVIRT = "kubevirt.io"


@pytest.mark.parametrize(
    ("spec", "status", "ready"),
    [
        ({"runStrategy": "Always"}, {"ready": True, "printableStatus": "Running"}, True),
        ({"runStrategy": "Always"}, {"printableStatus": "Stopped"}, False),
        ({"runStrategy": "RerunOnFailure"}, {"printableStatus": "Stopped"}, False),
        ({"runStrategy": "Once"}, {"printableStatus": "Stopped"}, False),
        ({"runStrategy": "Once"}, {"ready": True, "printableStatus": "Running"}, True),
        ({"runStrategy": "Halted"}, {"printableStatus": "Stopped"}, True),
        ({"runStrategy": "Manual"}, {"printableStatus": "Stopped"}, True),
        ({"runStrategy": "Manual"}, {"printableStatus": "Starting"}, False),
        ({"runStrategy": "Manual"}, {"ready": True, "printableStatus": "Running"}, True),
        ({"runStrategy": "WaitAsReceiver"}, {"printableStatus": "WaitingForReceiver"}, True),
        ({"running": True}, {"printableStatus": "Stopped"}, False),
        ({"running": False}, {"printableStatus": "Stopped"}, True),
        ({}, {"printableStatus": "Stopped"}, True),
        ({}, {}, False),
    ],
)
def test_when_a_vm_is_ready_depends_on_its_run_strategy(
    spec: dict[str, Any], status: dict[str, Any], ready: bool
) -> None:
    assert read(KUBEVIRT, "virtualmachines", {"spec": spec, "status": status}).ready is ready


@pytest.mark.parametrize("status", ["ErrorUnschedulable", "CrashLoopBackOff", "DataVolumeError"])
def test_what_may_heal_explains_a_vm_and_does_not_fail_it(status: str) -> None:
    document = {"spec": {"runStrategy": "Always"}, "status": {"printableStatus": status}}
    reading = read(KUBEVIRT, "virtualmachines", document)
    assert (reading.failure, reading.detail) == (None, status)


@pytest.mark.parametrize(
    ("spec", "status", "detail"),
    [
        ({"replicas": 3}, {"replicas": 3, "readyReplicas": 3}, None),
        ({"replicas": 3}, {"replicas": 3, "readyReplicas": 1}, "1 of 3 VMs are ready"),
        ({}, {"readyReplicas": 1}, None),
        (
            {"replicas": 3},
            {"conditions": [condition("ReplicaFailure", reason="FailedCreate", message="quota")]},
            "FailedCreate: quota",
        ),
    ],
)
def test_a_pool_is_ready_with_as_many_ready_vms_as_it_wants(
    spec: dict[str, Any], status: dict[str, Any], detail: str | None
) -> None:
    reading = read("pool.kubevirt.io", "virtualmachinepools", {"spec": spec, "status": status})
    assert (reading.ready, reading.failure) == (detail is None, None)
    if detail is not None:
        assert reading.detail == detail


@pytest.mark.parametrize("phase", ["Pending", "Scheduling", "PreparingTarget", "Running"])
def test_a_migration_on_its_way_is_neither_ready_nor_failed(phase: str) -> None:
    document = {"status": {"phase": phase}}
    reading = read(KUBEVIRT, "virtualmachineinstancemigrations", document)
    assert (reading.phase, reading.ready, reading.failure) == (phase, False, None)


SNAPSHOTS = ("snapshot.kubevirt.io", "virtualmachinesnapshots")
RESTORES = ("snapshot.kubevirt.io", "virtualmachinerestores")


def test_a_snapshot_is_ready_when_it_is_ready_to_use() -> None:
    working = {"phase": "InProgress", "readyToUse": False, "conditions": [condition("Progressing")]}
    assert not read(*SNAPSHOTS, {"status": working}).ready
    assert read(*SNAPSHOTS, {"status": {"phase": "Succeeded", "readyToUse": True}}).ready


def test_a_snapshot_that_failed_says_why() -> None:
    late = condition("Failure", reason="SnapshotDeadlineExceeded", message="after 5m0s")
    reading = read(*SNAPSHOTS, {"status": {"phase": "Failed", "conditions": [late]}})
    assert reading.failure == "it ended in phase Failed (SnapshotDeadlineExceeded: after 5m0s)"
    reading = read(*SNAPSHOTS, {"status": {"phase": "InProgress", "conditions": [late]}})
    assert reading.failure is not None


def test_the_error_of_a_snapshot_may_heal() -> None:
    status = {"phase": "InProgress", "error": {"message": "VolumeSnapshot a is missing"}}
    reading = read(*SNAPSHOTS, {"status": status})
    assert (reading.failure, reading.detail) == (None, "VolumeSnapshot a is missing")


def test_a_restore_is_ready_when_it_is_complete() -> None:
    waiting = condition("Ready", "False", reason="Waiting for target to be ready")
    reading = read(*RESTORES, {"status": {"complete": False, "conditions": [waiting]}})
    assert (reading.ready, reading.detail) == (False, "Waiting for target to be ready")
    assert read(*RESTORES, {"status": {"complete": True}}).ready
    failed = {"complete": False, "conditions": [condition("Failure", reason="TargetNotReady")]}
    assert read(*RESTORES, {"status": failed}).failure == (
        "its condition Failure is True (TargetNotReady)"
    )


@pytest.mark.parametrize(
    ("group", "plural", "ready", "working", "failed"),
    [
        ("clone.kubevirt.io", "virtualmachineclones", "Succeeded", "RestoreInProgress", "Failed"),
        ("export.kubevirt.io", "virtualmachineexports", "Ready", "Pending", "Skipped"),
        ("export.kubevirt.io", "virtualmachineexports", "Ready", "Pending", "Terminated"),
    ],
)
def test_a_clone_and_an_export_are_ready_in_one_phase(
    group: str, plural: str, ready: str, working: str, failed: str
) -> None:
    assert read(group, plural, {"status": {"phase": ready}}).ready
    reading = read(group, plural, {"status": {"phase": working}})
    assert (reading.ready, reading.failure) == (False, None)
    assert read(group, plural, {"status": {"phase": failed}}).failure is not None
    assert not read(group, plural, {}).ready
