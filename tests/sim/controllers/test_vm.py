from datetime import UTC, datetime
from typing import Any

import pytest

from perfscale.sim.controllers.actions import Action, Create, Delete, Update, UpdateStatus
from perfscale.sim.controllers.kinds import VM, VMI
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
    # A VM that starts says so only once its VMI is there.
    assert status(actions)["printableStatus"] == "Stopped"


@pytest.mark.parametrize(
    ("strategy", "phase", "stops"),
    [
        ("Halted", "Running", True),
        ("Manual", "Running", False),
        ("Always", "Running", False),
        ("Always", "Succeeded", True),
        ("Always", "Failed", True),
        ("RerunOnFailure", "Failed", True),
        ("RerunOnFailure", "Succeeded", True),
        ("Manual", "Succeeded", False),
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


def test_the_status_follows_the_vmi_and_has_no_field_that_is_false() -> None:
    without = status(reconcile(vm(), None, NOW))
    assert without.keys().isdisjoint({"created", "ready", "observedGeneration"})
    assert without["conditions"][0]["reason"] == "VMINotExists"
    starting = status(reconcile(vm(), vmi("Scheduling", ready=False), NOW))
    assert (starting["created"], "ready" in starting) == (True, False)
    assert (starting["observedGeneration"], starting["desiredGeneration"]) == (1, 1)
    assert starting["printableStatus"] == "Starting"
    running = status(reconcile(vm(), vmi(ready=False), NOW))
    assert (running["printableStatus"], "ready" in running) == ("Running", False)
    ready = status(reconcile(vm(), vmi(), NOW))
    assert (ready["created"], ready["ready"]) == (True, True)
    assert ready["conditions"][0]["status"] == "True"


def test_a_vmi_without_readiness_makes_a_vm_say_that_it_is_missing() -> None:
    new = vmi("Pending")
    del new["status"]["conditions"]
    (ready,) = status(reconcile(vm(), new, NOW))["conditions"]
    assert (ready["status"], ready["reason"]) == ("False", "VMIConditionMissing")


def test_some_starts_are_not_seen_before_the_vmi_runs() -> None:
    stopped = vm(status=status(reconcile(vm(), None, NOW)))
    seen = [
        bool(reconcile(stopped, vmi("Scheduling", ready=False, uid=f"uid-{number}"), NOW))
        for number in range(500)
    ]
    assert 0.1 < 1 - sum(seen) / len(seen) < 0.3


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
    assert "created" not in status(reconcile(vm(), foreign, NOW))
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


def with_condition(obj: JSON, kind: str, state: str = "True", **more: str) -> JSON:
    said = {"type": kind, "status": state, **more}
    old = obj["status"]
    return {**obj, "status": {**old, "conditions": [*old["conditions"], said]}}


def types(reported: JSON) -> list[str]:
    return [each["type"] for each in reported["conditions"]]


def test_conditions_of_the_vmi_are_copied_and_stay_when_it_is_gone() -> None:
    paused = with_condition(with_condition(vmi(), "LiveMigratable"), "Paused")
    copied = status(reconcile(vm(), paused, NOW))
    assert types(copied) == ["Ready", "LiveMigratable", "Paused"]
    resumed = status(reconcile(vm(status=copied), with_condition(vmi(), "LiveMigratable"), NOW))
    assert types(resumed) == ["Ready", "LiveMigratable"]
    halted = {"runStrategy": "Halted"}
    stopped = status(reconcile(vm(halted, status=copied), None, NOW))
    assert types(stopped) == ["Ready", "LiveMigratable", "Paused"]
    assert stopped["conditions"][0]["reason"] == "VMINotExists"
    assert "created" not in stopped


def test_a_vm_whose_vmi_has_ended_is_stopped_before_the_vmi_is_gone() -> None:
    going = vmi("Succeeded", ready=False, deletionTimestamp="x", finalizers=["f", FINALIZER])
    actions = reconcile(vm({"runStrategy": "Halted"}), going, NOW)
    reported = status(actions)
    assert (reported["printableStatus"], reported["created"]) == ("Stopped", True)
    (release,) = (each for each in actions if isinstance(each, Update))
    assert release.resource == VMI
    assert release.obj["metadata"]["finalizers"] == ["f"]


def test_the_vmi_of_a_vm_has_a_finalizer_of_each_of_them() -> None:
    (made,) = created(reconcile(vm(), None, NOW))
    assert made["metadata"]["finalizers"] == [
        "kubevirt.io/foregroundDeleteVirtualMachine",
        "kubevirt.io/virtualMachineControllerFinalize",
    ]


@pytest.mark.parametrize(
    ("conditions", "shown"),
    [
        ([("Paused", "True", "")], "Paused"),
        ([("PodScheduled", "False", "Unschedulable")], "ErrorUnschedulable"),
        ([("Synchronized", "False", "ErrImagePull")], "ErrImagePull"),
        ([("Synchronized", "False", "ImagePullBackOff")], "ImagePullBackOff"),
        (
            [("PodScheduled", "False", "Unschedulable"), ("Synchronized", "False", "ErrImagePull")],
            "ErrorUnschedulable",
        ),
        ([("Synchronized", "False", "FailedCreate")], "Starting"),
    ],
)
def test_what_keeps_a_vmi_from_running_is_shown_before_that_it_starts(
    conditions: list[tuple[str, str, str]], shown: str
) -> None:
    starting = vmi("Scheduling", ready=False)
    for kind, state, reason in conditions:
        starting = with_condition(starting, kind, state, reason=reason)
    assert status(reconcile(vm(), starting, NOW))["printableStatus"] == shown


def test_a_vm_migrates_from_the_start_to_the_end_of_its_vmis_migration() -> None:
    moving = vmi()
    moving["status"]["migrationState"] = {"migrationUid": "m"}
    assert status(reconcile(vm(), moving, NOW))["printableStatus"] == "Running"
    moving["status"]["migrationState"]["startTimestamp"] = "x"
    assert status(reconcile(vm(), moving, NOW))["printableStatus"] == "Migrating"
    moving["status"]["migrationState"]["endTimestamp"] = "x"
    assert status(reconcile(vm(), moving, NOW))["printableStatus"] == "Running"


def test_a_template_that_changes_while_the_vm_runs_requires_a_restart() -> None:
    template = vm()["spec"]["template"]["spec"]
    running = {**vmi(), "spec": template}
    assert "RestartRequired" not in types(status(reconcile(vm(generation=2), running, NOW)))
    changed = vm(generation=3)
    changed["spec"]["template"]["spec"] = {"domain": {"memory": "128Mi"}}
    reported = status(reconcile(changed, running, NOW))
    assert "RestartRequired" in types(reported)
    stopped = status(reconcile({**changed, "status": reported}, None, NOW))
    assert "RestartRequired" not in types(stopped)
