"""Objects that take longer, and what their pods and events say of it."""

from __future__ import annotations

import time
from typing import Any

import pytest
from controlled_store import until_phase
from faulty_cluster import faulty
from pydantic import ValidationError

from perfscale.sim.controllers.kinds import EVENT, POD, VMI
from perfscale.sim.faults import Faults

EVENTS = {
    "unseen": set(),
    "scheduling": {"FailedScheduling"},
    "imagePull": {"Pulling", "Pulled"},
    "volumes": {"FailedAttachVolume", "SuccessfulAttachVolume"},
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
