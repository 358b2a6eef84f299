from datetime import UTC, datetime
from typing import Any

import pytest

from perfscale.sim.controllers.actions import Action, Create, Delete, Update, UpdateStatus
from perfscale.sim.controllers.kinds import VM
from perfscale.sim.controllers.kubevirt.vm import FINALIZER, VmController, reconcile
from perfscale.sim.controllers.objects import owner_reference
from perfscale.sim.latency import Stage

JSON = dict[str, Any]

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def vm(spec: JSON | None = None, status: JSON | None = None, **metadata: object) -> JSON:
    template = {
        "metadata": {"labels": {"from": "template"}, "annotations": {"note": "kept"}},
        "spec": {"domain": {"memory": "64Mi"}},
    }
    made: JSON = {
        "metadata": {
            "namespace": "load",
            "name": "vm-1",
            "uid": "vm-uid",
            "labels": {"from": "vm"},
            "finalizers": [FINALIZER],
            **metadata,
        },
        "spec": {**({"running": True} if spec is None else spec), "template": template},
    }
    if status is not None:
        made["status"] = status
    return made


def vmi(phase: str = "Running", *, ready: bool = True, **metadata: object) -> JSON:
    conditions = [{"type": "Ready", "status": "True" if ready else "False"}]
    return {
        "metadata": {
            "namespace": "load",
            "name": "vm-1",
            "uid": "vmi-uid",
            "ownerReferences": [owner_reference(VM, vm())],
            **metadata,
        },
        "status": {"phase": phase, "conditions": conditions},
    }


def created(actions: tuple[Action, ...]) -> list[JSON]:
    return [action.obj for action in actions if isinstance(action, Create)]


def deleted(actions: tuple[Action, ...]) -> list[JSON]:
    return [action.obj for action in actions if isinstance(action, Delete)]


def status(actions: tuple[Action, ...]) -> JSON:
    (written,) = (action.obj for action in actions if isinstance(action, UpdateStatus))
    result: JSON = written["status"]
    return result


def test_a_new_vm_is_held_before_anything_is_made_for_it() -> None:
    (action,) = reconcile(vm(finalizers=["a/b"]), None, NOW)
    assert isinstance(action, Update)
    assert action.obj["metadata"]["finalizers"] == ["a/b", FINALIZER]


def test_the_vmi_of_a_vm_has_its_name_and_is_owned_by_it() -> None:
    (made,) = created(reconcile(vm(), None, NOW))
    assert (made["metadata"]["namespace"], made["metadata"]["name"]) == ("load", "vm-1")
    assert made["metadata"]["ownerReferences"] == [
        {
            "apiVersion": "kubevirt.io/v1",
            "kind": "VirtualMachine",
            "name": "vm-1",
            "uid": "vm-uid",
            "controller": True,
            "blockOwnerDeletion": True,
        }
    ]


def test_the_vmi_has_the_labels_of_the_template_and_none_of_the_vm() -> None:
    (made,) = created(reconcile(vm(), None, NOW))
    assert made["metadata"]["labels"] == {"from": "template", "vm.kubevirt.io/name": "vm-1"}
    assert made["metadata"]["annotations"] == {"note": "kept"}
    assert made["spec"] == {"domain": {"memory": "64Mi"}}


@pytest.mark.parametrize(
    ("spec", "starts"),
    [
        ({"running": True}, True),
        ({"running": False}, False),
        ({"runStrategy": "Always"}, True),
        ({"runStrategy": "RerunOnFailure"}, True),
        ({"runStrategy": "Once"}, True),
        ({"runStrategy": "Manual"}, False),
        ({"runStrategy": "Halted"}, False),
        ({"runStrategy": "Sometimes"}, False),
        ({}, False),
    ],
)
def test_a_vm_starts_by_itself_where_its_run_strategy_says_so(spec: JSON, *, starts: bool) -> None:
    actions = reconcile(vm(spec), None, NOW)
    assert bool(created(actions)) is starts
    assert status(actions)["printableStatus"] == ("Starting" if starts else "Stopped")


@pytest.mark.parametrize(
    ("strategy", "phase", "stops"),
    [
        ("Halted", "Running", True),
        ("Manual", "Running", False),
        ("Always", "Running", False),
        ("Always", "Succeeded", True),
        ("Always", "Failed", True),
        ("RerunOnFailure", "Failed", True),
        ("RerunOnFailure", "Succeeded", False),
        ("Once", "Failed", False),
    ],
)
def test_a_vmi_is_deleted_where_the_run_strategy_wants_none_or_a_new_one(
    strategy: str, phase: str, *, stops: bool
) -> None:
    assert bool(deleted(reconcile(vm({"runStrategy": strategy}), vmi(phase), NOW))) is stops


def test_a_vmi_that_is_going_is_not_deleted_again() -> None:
    going = vmi(deletionTimestamp="x")
    actions = reconcile(vm({"running": False}), going, NOW)
    assert deleted(actions) == []
    assert status(actions)["printableStatus"] == "Stopping"
    assert status(actions)["ready"] is False


def test_the_status_follows_the_vmi() -> None:
    without = status(reconcile(vm(), None, NOW))
    assert (without["created"], without["ready"]) == (False, False)
    assert without["conditions"][0]["reason"] == "VMINotExists"
    starting = status(reconcile(vm(), vmi("Scheduling", ready=False), NOW))
    assert (starting["created"], starting["ready"]) == (True, False)
    assert starting["printableStatus"] == "Starting"
    running = status(reconcile(vm(), vmi(), NOW))
    assert (running["created"], running["ready"]) == (True, True)
    assert running["printableStatus"] == "Running"
    assert running["conditions"][0]["status"] == "True"


def test_nothing_is_written_when_nothing_has_changed() -> None:
    reported = status(reconcile(vm(), vmi(), NOW))
    assert reconcile(vm(status=reported), vmi(), NOW) == ()


def test_a_vmi_that_is_on_its_way_is_not_created_again() -> None:
    assert reconcile(vm(), None, NOW, is_creating=True) == ()


def test_a_deleted_vm_takes_its_vmi_with_it_and_goes_last() -> None:
    deletion = vm(deletionTimestamp="x")
    first = reconcile(deletion, vmi(), NOW)
    assert [obj["metadata"]["uid"] for obj in deleted(first)] == ["vmi-uid"]
    assert status(first)["printableStatus"] == "Terminating"
    waiting = vm(status=status(first), deletionTimestamp="x")
    assert not any(
        isinstance(action, Update | Delete)
        for action in reconcile(waiting, vmi(deletionTimestamp="x"), NOW)
    )
    (last,) = reconcile(deletion, None, NOW)
    assert isinstance(last, Update)
    assert last.obj["metadata"]["finalizers"] == []


def test_a_vmi_of_somebody_else_with_the_vms_name_is_left_alone() -> None:
    foreign = vmi(ownerReferences=[])
    assert created(reconcile(vm(), foreign, NOW)) == []
    assert status(reconcile(vm(), foreign, NOW))["created"] is False
    assert deleted(reconcile(vm({"running": False}), foreign, NOW)) == []
    (release,) = reconcile(vm(deletionTimestamp="x"), foreign, NOW)
    assert isinstance(release, Update)


def test_a_vm_that_somebody_else_still_holds_is_left_alone() -> None:
    assert VmController().stage(vm(deletionTimestamp="x", finalizers=["a/b"])) is None
    assert VmController().stage(vm(deletionTimestamp="x")) is Stage.NOW


def test_a_vm_says_what_the_scheduler_says_of_its_vmi_until_it_has_a_node() -> None:
    refused = {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": "0/10 nodes are available: 10 Insufficient memory.",
    }
    stuck = vmi("Scheduling", ready=False)
    stuck["status"]["conditions"].append(refused)
    reported = status(reconcile(vm(), stuck, NOW))
    assert reported["printableStatus"] == "ErrorUnschedulable"
    assert refused in reported["conditions"]
    started = status(reconcile(vm(status=reported), vmi(), NOW))
    assert started["printableStatus"] == "Running"
    assert [each["type"] for each in started["conditions"]] == ["Ready"]
