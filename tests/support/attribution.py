"""What a cluster says of slow objects, made up for tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from perfscale.engine.attribution.documents import read_event, read_object, read_pod
from perfscale.engine.attribution.evidence import Evidence
from perfscale.engine.attribution.times import ServerClock
from perfscale.results import (
    AttributedObject,
    AttributionCounts,
    AttributionResult,
    ClockOffset,
    WaitCause,
)
from perfscale.results import Segment as _Segment

JSON = dict[str, Any]

STARTED = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
CLOCK = ServerClock(STARTED, ClockOffset(-0.01, 0.01))
POD_UID, VMI_UID, VM_UID = "pod-uid", "vmi-uid", "vm-uid"


def stamp(at_s: float) -> str:
    """The server's timestamp of a moment, in seconds since the run's start."""
    whole = (STARTED + timedelta(seconds=at_s)).replace(microsecond=0)
    return whole.isoformat().replace("+00:00", "Z")


def condition(kind: str, at_s: float, *, holds: bool = True, **said: str) -> JSON:
    return {
        "type": kind,
        "status": str(holds),
        "lastTransitionTime": stamp(at_s),
        **said,
    }


def pod(
    created_s: float,
    *conditions: JSON,
    started_s: float | None = None,
    waiting: str | None = None,
    claims: tuple[str, ...] = (),
) -> JSON:
    state: JSON = {"waiting": {"reason": waiting or "ContainerCreating"}}
    if started_s is not None:
        state = {"running": {"startedAt": stamp(started_s)}}
    volumes = [{"name": each, "persistentVolumeClaim": {"claimName": each}} for each in claims]
    return {
        "metadata": {"name": "pod", "uid": POD_UID, "creationTimestamp": stamp(created_s)},
        "spec": {"volumes": volumes},
        "status": {
            "phase": "Pending" if started_s is None else "Running",
            "conditions": list(conditions),
            "containerStatuses": [{"name": "main", "state": state}],
        },
    }


def instance(created_s: float, *conditions: JSON, **phases_s: float) -> JSON:
    return {
        "metadata": {"name": "vmi", "uid": VMI_UID, "creationTimestamp": stamp(created_s)},
        "status": {
            "phase": list(phases_s)[-1] if phases_s else "Pending",
            "conditions": list(conditions),
            "phaseTransitionTimestamps": [
                {"phase": phase, "phaseTransitionTimestamp": stamp(at_s)}
                for phase, at_s in phases_s.items()
            ],
        },
    }


def machine(created_s: float, *, failures: int = 0) -> JSON:
    return {
        "metadata": {"name": "vmi", "uid": VM_UID, "creationTimestamp": stamp(created_s)},
        "status": {"startFailure": {"consecutiveFailCount": failures}},
    }


def event(
    of: str, reason: str, at_s: float, message: str = "", *, last_s: float | None = None
) -> JSON:
    return {
        "metadata": {"uid": f"{of}/{reason}/{at_s}/{message}"},
        "involvedObject": {"kind": "Pod", "name": "pod", "uid": of},
        "type": "Normal",
        "reason": reason,
        "message": message,
        "firstTimestamp": stamp(at_s),
        "lastTimestamp": stamp(at_s if last_s is None else last_s),
    }


def evidence(
    kind: str,
    obj: JSON | None,
    *events: JSON,
    vmi: JSON | None = None,
    pods: tuple[JSON, ...] = (),
    looked_s: float = 1000.0,
    unread: dict[str, str] | None = None,
) -> Evidence:
    """What was seen of an object of a kind: of an instance, it is its own."""
    found = Evidence(looked_s=looked_s, first_looked_s=looked_s, looks=1)
    found.object = None if obj is None else read_object(kind, obj)
    found.expects_instance = kind.startswith("VirtualMachine")
    found.expects_pod = True
    if kind == "VirtualMachineInstance":
        vmi = obj
    found.instance = None if vmi is None else read_object("VirtualMachineInstance", vmi)
    for each in pods:
        seen = read_pod(each)
        found.pods[seen.uid] = seen
    for each in events:
        uid, about, kept = read_event(each)
        found.events[uid] = (about, kept)
    found.unread = unread or {}
    return found


def slow(name: str, *segments: tuple[WaitCause, float], **fields: Any) -> AttributedObject:
    """A slow object that was sent at 1 s and waited for these causes, so many seconds each."""
    made, at_s = list[_Segment](), 1.0
    for cause, lasted_s in segments:
        made.append(
            _Segment(
                cause=cause, began_s=at_s, ended_s=at_s + lasted_s, precision_s=0.5, source="a test"
            )
        )
        at_s += lasted_s
    known: dict[str, Any] = {
        "kind": "VirtualMachineInstance",
        "namespace": "density-1",
        "name": name,
        "uid": f"uid-of-{name}",
        "workload": "density",
        "iteration": 1,
        "ready": True,
    }
    return AttributedObject(**(known | fields), sent_s=1.0, until_s=at_s, segments=tuple(made))


def attribution(*objects: AttributedObject, requests: int = 7) -> AttributionResult:
    return AttributionResult(objects=objects, counts=AttributionCounts(limit=20, requests=requests))
