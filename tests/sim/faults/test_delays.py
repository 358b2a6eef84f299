"""Objects that take longer, and what their pods and events say of it."""

from __future__ import annotations

import time
from typing import Any

import pytest
from controlled_store import until, until_phase
from faulty_cluster import faulty
from pydantic import ValidationError
from simulated_api import manifest

from perfscale.sim.controllers.kinds import EVENT, POD, VMI, VMIM
from perfscale.sim.controllers.objects import condition_of, is_ready, phase_of
from perfscale.sim.faults import Faults
from perfscale.sim.storage.records import StoredChange

EVENTS = {
    "unseen": set(),
    "scheduling": {"FailedScheduling"},
    "imagePull": {"Pulling", "Pulled"},
    "volumes": {"FailedAttachVolume", "SuccessfulAttachVolume", "Pulled"},
    "launcherStart": set(),
    "guest": set(),
}


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({}, "needs the key cause"),
        ({"cause": "unseen", "resources": ["pods"]}, "pods are delayed by scheduling, imagePull"),
        ({"cause": "guest", "resources": ["secrets"]}, "secrets cannot be delayed"),
        ({"cause": "weather"}, "weather"),
        ({"cause": "guest", "by": "0s"}, "a duration"),
    ],
)
def test_what_cannot_be_delayed_is_refused(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Faults.model_validate({"objects": [{"fault": "delayed", **keys}]})


def test_other_faults_take_no_cause() -> None:
    with pytest.raises(ValidationError, match="does not take this key"):
        Faults.model_validate({"objects": [{"fault": "held", "cause": "guest"}]})


@pytest.mark.parametrize("cause", list(EVENTS))
async def test_a_delayed_instance_runs_in_the_end_and_its_events_say_why_it_was_late(
    cause: str,
) -> None:
    fault = {"fault": "delayed", "cause": cause, "by": "300ms"}
    async with faulty(objects=[fault]) as api:
        began_s = time.monotonic()
        assert await api.create("late") == 201
        await until_phase(api.store, VMI, "Running")
        assert time.monotonic() - began_s >= 0.3
        found = {event["reason"] for event in api.store.list(EVENT)}
        assert found == EVENTS[cause]
        [pod] = api.store.list(POD)
        assert pod["status"]["phase"] == "Running"


async def test_the_delays_of_an_instance_follow_each_other() -> None:
    causes = ("imagePull", "volumes", "scheduling", "volumes")
    faults = [{"fault": "delayed", "cause": cause, "by": "200ms"} for cause in causes]
    async with faulty(objects=faults) as api:
        said: list[str] = []
        api.store.listen(lambda change: said.append(change.obj["reason"]), EVENT)
        began_s = time.monotonic()
        assert await api.create("late") == 201
        await until_phase(api.store, VMI, "Running")
        assert time.monotonic() - began_s >= 0.8
        assert said == [
            "FailedScheduling",
            "FailedAttachVolume",
            "SuccessfulAttachVolume",
            "Pulling",
            "Pulled",
        ]


async def test_a_pod_that_is_not_scheduled_yet_has_no_node_and_one_that_is_has() -> None:
    fault = {"fault": "delayed", "cause": "scheduling", "by": "300ms"}
    then = {"fault": "delayed", "cause": "launcherStart", "by": "300ms"}
    async with faulty(objects=[fault, then]) as api:
        seen: list[tuple[str, str | None]] = []

        def note(change: StoredChange) -> None:
            pod = change.obj
            scheduled = condition_of(pod, "PodScheduled")
            if scheduled is not None and pod["status"]["phase"] == "Pending":
                seen.append((scheduled["status"], pod["spec"].get("nodeName")))

        api.store.listen(note, POD)
        assert await api.create("late") == 201
        await until_phase(api.store, VMI, "Running")
        [pod] = api.store.list(POD)
        assert seen == [("False", None), ("True", pod["spec"]["nodeName"])]


async def test_a_pod_whose_program_is_slow_runs_before_it_is_ready() -> None:
    fault = {"fault": "delayed", "cause": "guest", "by": "300ms", "resources": ["pods"]}
    async with faulty(objects=[fault]) as api:
        seen: list[tuple[str, bool]] = []
        api.store.listen(
            lambda change: seen.append((phase_of(change.obj), is_ready(change.obj))), POD
        )
        api.store.create(POD, manifest(POD, "late"))
        await until(api.store, POD, lambda pods: all(is_ready(pod) for pod in pods))
        assert seen[-2:] == [("Running", False), ("Running", True)]


async def test_the_pod_that_an_instance_moves_to_is_not_delayed() -> None:
    fault = {"fault": "delayed", "cause": "imagePull", "by": "300ms"}
    async with faulty(objects=[fault]) as api:
        assert await api.create("late") == 201
        await until(api.store, VMI, lambda vmis: all(is_ready(vmi) for vmi in vmis))
        api.store.create(VMIM, {**manifest(VMIM, "move"), "spec": {"vmiName": "late"}})
        await until_phase(api.store, VMIM, "Succeeded")
        pulled = [each for each in api.store.list(EVENT) if each["reason"] == "Pulled"]
        assert len(pulled) == 1
