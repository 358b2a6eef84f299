from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from perfscale.sim.controllers.actions import Update
from perfscale.sim.controllers.cache import Cache
from perfscale.sim.controllers.kubevirt.vmi import FINALIZER, OLD_FINALIZER, VmiController
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
    """A new VMI after each of its steps, one second apart, until it runs."""
    seen = [vmi()]
    for second in range(4):
        seen.append(step(seen[-1], NOW + timedelta(seconds=second)))
    return seen


def test_a_new_vmi_goes_through_every_phase_to_running() -> None:
    assert [obj["status"]["phase"] for obj in life()[1:]] == [
        "Pending",
        "Scheduling",
        "Scheduled",
        "Running",
    ]


def test_every_phase_has_its_own_wait_and_a_running_vmi_none() -> None:
    assert [VmiController().stage(obj) for obj in life()] == [
        Stage.NOW,
        Stage.VMI_PENDING,
        Stage.VMI_SCHEDULING,
        Stage.VMI_SCHEDULED,
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


def test_a_vmi_has_a_node_once_it_is_scheduled_and_an_address_once_it_runs() -> None:
    _, _, scheduling, scheduled, running = (obj.get("status", {}) for obj in life())
    assert "nodeName" not in scheduling
    assert scheduled["nodeName"].startswith("node")
    assert list(scheduled["activePods"].values()) == [scheduled["nodeName"]]
    assert "interfaces" not in scheduled
    assert running["interfaces"][0]["ipAddress"].startswith("10.")


def test_a_running_vmi_is_ready_since_then_and_can_be_migrated() -> None:
    status = life()[-1]["status"]
    conditions = {condition["type"]: condition for condition in status["conditions"]}
    assert conditions["Ready"]["status"] == "True"
    assert conditions["Ready"]["lastTransitionTime"] == "2026-03-01T12:00:03Z"
    assert conditions["LiveMigratable"]["status"] == "True"
    assert status["migrationMethod"] == "BlockMigration"
    assert status["qosClass"] == "Burstable"


def test_a_vmi_is_not_ready_before_it_runs() -> None:
    for obj in life()[1:-1]:
        (ready,) = obj["status"]["conditions"]
        assert (ready["type"], ready["status"]) == ("Ready", "False")
        assert ready["lastTransitionTime"] == "2026-03-01T12:00:00Z"


@pytest.mark.parametrize("phase", [None, "Pending", "Scheduling", "Scheduled", "Running"])
def test_a_deleted_vmi_succeeds_and_then_is_let_go(phase: str | None) -> None:
    deleted = vmi(phase, deletionTimestamp="2026-03-01T12:00:00Z", finalizers=[FINALIZER])
    assert VmiController().stage(deleted) is Stage.VMI_STOPPING
    ended = step(deleted)
    assert ended["status"]["phase"] == "Succeeded"
    assert ended["metadata"]["finalizers"] == [FINALIZER]
    assert VmiController().stage(ended) is Stage.VMI_FINALIZING
    assert step(ended)["metadata"]["finalizers"] == []


def test_an_ended_vmi_is_not_ready_any_more() -> None:
    running = life()[-1]
    running["metadata"]["deletionTimestamp"] = "2026-03-01T12:01:00Z"
    ended = step(running, NOW + timedelta(minutes=1))
    ready = next(each for each in ended["status"]["conditions"] if each["type"] == "Ready")
    assert (ready["status"], ready["lastTransitionTime"]) == ("False", "2026-03-01T12:01:00Z")


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
