from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from perfscale.sim.controllers.actions import Update
from perfscale.sim.controllers.cache import Cache
from perfscale.sim.controllers.kinds import VM
from perfscale.sim.controllers.kubevirt.vmi import (
    FINALIZER,
    OLD_FINALIZER,
    VM_FINALIZER,
    VmiController,
    accepted,
)
from perfscale.sim.latency import Stage

JSON = dict[str, Any]

NOW = datetime(2026, 3, 1, 12, 0, 0, 700_000, tzinfo=UTC)


def vmi(phase: str | None = None, **metadata: object) -> JSON:
    made: JSON = {
        "metadata": {"namespace": "load", "name": "vmi-1", "uid": "uid-1", **metadata},
        "spec": {"domain": {}},
    }
    if phase is not None:
        made["status"] = {"phase": phase}
    return made


def step(obj: JSON, now: datetime = NOW) -> JSON:
    (action,) = VmiController().act(obj, Cache(lambda: 0.0), now)
    assert isinstance(action, Update)
    return action.obj


def life() -> list[JSON]:
    """A new VMI after each of its steps, one second apart, until its agent is connected."""
    seen = [vmi()]
    for second in range(6):
        seen.append(step(seen[-1], NOW + timedelta(seconds=second)))
    return seen


def test_a_new_vmi_goes_through_every_phase_to_running() -> None:
    assert [obj["status"]["phase"] for obj in life()[1:]] == [
        "Pending",
        "Scheduling",
        "Scheduled",
        *["Running"] * 3,
    ]


def test_every_step_has_its_own_wait_and_a_booted_vmi_none() -> None:
    assert [VmiController().stage(obj) for obj in life()] == [
        Stage.NOW,
        Stage.VMI_PENDING,
        Stage.VMI_SCHEDULING,
        Stage.VMI_SCHEDULED,
        Stage.VMI_STARTED,
        Stage.VMI_BOOTING,
        None,
    ]


def test_transitions_are_recorded_in_whole_seconds() -> None:
    assert life()[-1]["status"]["phaseTransitionTimestamps"] == [
        {"phase": "Pending", "phaseTransitionTimestamp": "2026-03-01T12:00:00Z"},
        {"phase": "Scheduling", "phaseTransitionTimestamp": "2026-03-01T12:00:01Z"},
        {"phase": "Scheduled", "phaseTransitionTimestamp": "2026-03-01T12:00:02Z"},
        {"phase": "Running", "phaseTransitionTimestamp": "2026-03-01T12:00:03Z"},
    ]


def test_a_new_vmi_is_held_by_the_finalizer_from_its_first_phase_on() -> None:
    assert all(obj["metadata"]["finalizers"] == [FINALIZER] for obj in life()[1:])


def test_finalizers_of_others_are_kept() -> None:
    assert step(vmi(finalizers=["a/b"]))["metadata"]["finalizers"] == ["a/b", FINALIZER]


def test_a_vmi_has_a_node_once_it_is_scheduled_and_an_address_once_it_is_ready() -> None:
    _, pending, scheduling, scheduled, running, usable, _ = (
        obj.get("status", {}) for obj in life()
    )
    assert "activePods" not in pending
    assert "nodeName" not in scheduling
    assert list(scheduling["activePods"].values()) == [""]
    assert scheduled["nodeName"].startswith("node")
    assert list(scheduled["activePods"].values()) == [scheduled["nodeName"]]
    assert "interfaces" not in running
    assert usable["interfaces"][0]["ipAddress"].startswith("10.")


def test_a_vmi_has_the_label_of_its_node_from_scheduled_on() -> None:
    labels = [obj["metadata"].get("labels", {}).get("kubevirt.io/nodeName") for obj in life()]
    assert labels[:3] == [None, None, None]
    assert set(labels[3:]) == {life()[-1]["status"]["nodeName"]}


def readiness(obj: JSON) -> tuple[str, str] | None:
    ready = condition(obj, "Ready")
    return None if ready is None else (ready["status"], ready.get("reason", ""))


def condition(obj: JSON, kind: str) -> JSON | None:
    conditions = obj.get("status", {}).get("conditions", [])
    return next((each for each in conditions if each["type"] == kind), None)


def test_a_vmi_runs_before_it_is_ready_and_is_ready_before_its_agent_is_connected() -> None:
    starting = ("False", "GuestNotRunning")
    assert [readiness(obj) for obj in life()] == [
        None,
        None,
        *[starting] * 3,
        *[("True", "")] * 2,
    ]
    assert [condition(obj, "AgentConnected") is not None for obj in life()] == [
        *[False] * 6,
        True,
    ]


def test_a_running_vmi_can_be_migrated() -> None:
    running = life()[4]
    for kind in ("LiveMigratable", "StorageLiveMigratable"):
        found = condition(running, kind)
        assert found is not None
        assert found["status"] == "True"
    assert running["status"]["migrationMethod"] == "BlockMigration"
    assert running["status"]["qosClass"] == "Burstable"


def test_a_vmi_that_starts_paused_stays_so_and_is_not_ready() -> None:
    paused = vmi("Scheduled")
    paused = step({**paused, "spec": {"startStrategy": "Paused"}})
    assert paused["status"]["phase"] == "Running"
    assert readiness(paused) == ("False", "ReadinessGatesNotReady")
    assert VmiController().stage(paused) is None


def deleted(phase: str | None, conditions: list[JSON] | None = None) -> JSON:
    made = vmi(phase, deletionTimestamp="2026-03-01T12:00:00Z", finalizers=[FINALIZER])
    if conditions is not None:
        made["status"]["conditions"] = conditions
    return made


@pytest.mark.parametrize("phase", ["Scheduled", "Running"])
def test_a_deleted_vmi_is_not_ready_first_then_succeeds_and_is_let_go(phase: str) -> None:
    obj = deleted(phase, [{"type": "Ready", "status": "True"}])
    assert VmiController().stage(obj) is Stage.NOW
    stopping = step(obj)
    assert (stopping["status"]["phase"], readiness(stopping)) == (
        phase,
        ("False", "PodTerminating"),
    )
    assert VmiController().stage(stopping) is Stage.VMI_STOPPING
    ended = step(stopping)
    assert ended["status"]["phase"] == "Succeeded"
    assert ended["metadata"]["finalizers"] == [FINALIZER]
    assert VmiController().stage(ended) is Stage.VMI_FINALIZING
    assert step(ended)["metadata"]["finalizers"] == []


@pytest.mark.parametrize("phase", [None, "Pending", "Scheduling"])
def test_a_vmi_that_is_deleted_before_it_has_a_node_fails(phase: str | None) -> None:
    assert VmiController().stage(deleted(phase)) is Stage.VMI_ABANDONING
    ended = step(deleted(phase))
    assert ended["status"]["phase"] == "Failed"
    assert readiness(ended) == ("False", "PodTerminating")
    assert VmiController().stage(ended) is Stage.VMI_RELEASING
    assert step(ended)["metadata"]["finalizers"] == []


@pytest.mark.parametrize("phase", ["Failed", "Succeeded"])
def test_a_vmi_that_had_ended_before_its_deletion_goes_at_once(phase: str) -> None:
    assert VmiController().stage(deleted(phase)) is Stage.VMI_RELEASING


def test_the_finalizer_of_a_vm_is_left_to_the_vm_that_is_there() -> None:
    owner = {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", "name": "vm-1", "uid": "u"}
    reference = {**owner, "controller": True}
    ended = deleted("Succeeded")
    ended["metadata"]["finalizers"] = [FINALIZER, VM_FINALIZER]
    ended["metadata"]["ownerReferences"] = [reference]
    cache = Cache(lambda: 0.0)
    (alone,) = VmiController().act(ended, cache, NOW)
    assert isinstance(alone, Update)
    assert alone.obj["metadata"]["finalizers"] == []
    cache.apply(VM, "ADDED", {"metadata": {"namespace": "load", "name": "vm-1", "uid": "u"}})
    (kept,) = VmiController().act(ended, cache, NOW)
    assert isinstance(kept, Update)
    assert kept.obj["metadata"]["finalizers"] == [VM_FINALIZER]


def test_a_new_vmi_is_pending_and_held_once_it_is_admitted() -> None:
    made = accepted(vmi(finalizers=["a/b"]), NOW)
    assert made["status"]["phase"] == "Pending"
    assert [each["phase"] for each in made["status"]["phaseTransitionTimestamps"]] == ["Pending"]
    assert made["metadata"]["finalizers"] == ["a/b", FINALIZER]


def test_the_finalizer_of_older_clients_is_removed_too() -> None:
    ended = vmi("Succeeded", deletionTimestamp="x", finalizers=[OLD_FINALIZER, "a/b"])
    assert step(ended)["metadata"]["finalizers"] == ["a/b"]


def test_a_deleted_vmi_that_only_others_hold_is_left_alone() -> None:
    held = vmi("Running", deletionTimestamp="x", finalizers=["a/b"])
    assert VmiController().stage(held) is None


@pytest.mark.parametrize("phase", ["Failed", "Succeeded", "Unknown"])
def test_a_vmi_that_ended_or_is_out_of_reach_is_left_alone(phase: str) -> None:
    assert VmiController().stage(vmi(phase)) is None
    assert VmiController().act(vmi(phase), Cache(lambda: 0.0), NOW) == ()


def test_a_step_changes_no_object_that_others_share() -> None:
    for obj in life()[:-1]:
        before = repr(obj)
        step(obj)
        assert repr(obj) == before
