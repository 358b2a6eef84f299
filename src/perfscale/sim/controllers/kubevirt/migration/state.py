"""What the steps of a migration change about its instance, each as often as one likes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from perfscale.sim.controllers.kubevirt.placement import node_address, place
from perfscale.sim.controllers.kubevirt.pod import pod_name
from perfscale.sim.controllers.kubevirt.readiness import GATED, is_paused, not_ready, ready
from perfscale.sim.controllers.kubevirt.vmi import NODE_LABEL
from perfscale.sim.controllers.objects import timestamp, uid_of, with_condition, with_status

if TYPE_CHECKING:
    from datetime import datetime

    from perfscale.sim.controllers.store import JSON

TARGET_LABEL: Final = "kubevirt.io/migrationTargetNodeName"
_CONFIGURATION: Final = {
    "allowAutoConverge": False,
    "allowPostCopy": False,
    "bandwidthPerMigration": "0",
    "completionTimeoutPerGiB": 150,
    "parallelMigrationsPerCluster": 5,
    "parallelOutboundMigrationsPerNode": 2,
    "progressTimeout": 150,
    "unsafeMigrationOverride": False,
}


def target_pod_uid(vmim: JSON) -> str:
    """The UID of the pod that an instance is migrated into."""
    return place(uid_of(vmim)).pod_uid


def plan_of(vmim: JSON, vmi: JSON, target: str) -> JSON:
    """From where to where an instance is migrated."""
    source_uid = place(uid_of(vmi)).pod_uid
    moved = _moving(vmi)
    # Where it has been migrated before, it is in the pod that it went to, or stayed in.
    before = moved.get("sourcePod") if moved.get("failed") else moved.get("targetPod")
    name = vmi["metadata"]["name"]
    return {
        "migrationUid": uid_of(vmim),
        "sourceNode": (vmi.get("status") or {}).get("nodeName"),
        "sourcePod": before or pod_name(name, source_uid),
        "targetNode": target,
        "targetPod": pod_name(name, target_pod_uid(vmim)),
    }


def _moving(vmi: JSON) -> JSON:
    moving: JSON = (vmi.get("status") or {}).get("migrationState") or {}
    return moving


def is_moved_by(vmi: JSON, vmim: JSON) -> bool:
    """Whether this migration is the instance's latest."""
    return _moving(vmi).get("migrationUid") == uid_of(vmim)


def _with(vmi: JSON, **changed: object) -> JSON:
    status: JSON = vmi.get("status") or {}
    return with_status(vmi, {**status, **changed})


def _labelled(vmi: JSON, key: str, value: str) -> JSON:
    metadata: JSON = vmi["metadata"]
    labels = {**(metadata.get("labels") or {}), key: value}
    return {**vmi, "metadata": {**metadata, "labels": labels}}


def _said(vmi: JSON, said: JSON) -> JSON:
    conditions = (vmi.get("status") or {}).get("conditions") or ()
    return _with(vmi, conditions=with_condition(conditions, said))


def given_target(vmi: JSON, vmim: JSON, target: str) -> JSON:
    """With a pod on the target node."""
    pods: JSON = (vmi.get("status") or {}).get("activePods") or {}
    return _with(vmi, activePods={**pods, target_pod_uid(vmim): target})


def handed_over(vmi: JSON, plan: JSON) -> JSON:
    """With what both nodes have to know."""
    moving = {**plan, "migrationConfiguration": _CONFIGURATION}
    return _with(_labelled(vmi, TARGET_LABEL, plan["targetNode"]), migrationState=moving)


def prepared(vmi: JSON, plan: JSON) -> JSON:
    """With a target that listens."""
    address = node_address(plan["targetNode"])
    moving = {
        **_moving(vmi),
        "targetNodeAddress": address,
        "targetDirectMigrationNodePorts": {"49152": 49152, "49153": 49153},
    }
    return _with(vmi, migrationState=moving)


def started(vmi: JSON, now: datetime) -> JSON:
    """With its memory on the way."""
    moving = {"startTimestamp": timestamp(now), "mode": "PreCopy", **_moving(vmi)}
    return _with(vmi, migrationState=moving)


def arrived(vmi: JSON, plan: JSON, now: datetime) -> JSON:
    """On the target node."""
    stamp = timestamp(now)
    moving = {
        "endTimestamp": stamp,
        "targetNodeDomainDetected": True,
        "targetNodeDomainReadyTimestamp": stamp,
        **_moving(vmi),
    }
    target = plan["targetNode"]
    return _with(_labelled(vmi, NODE_LABEL, target), migrationState=moving, nodeName=target)


def completed(vmi: JSON, now: datetime) -> JSON:
    """Completed; its pod is not ready yet."""
    changed = _with(vmi, migrationState={**_moving(vmi), "completed": True})
    return _said(changed, not_ready(GATED, now))


def ready_again(vmi: JSON, now: datetime) -> JSON:
    """Ready again, unless somebody has paused it."""
    return vmi if is_paused(vmi) else _said(vmi, ready(now))


def abort_requested(vmi: JSON) -> JSON:
    """With the wish that it stays where it is."""
    return _with(vmi, migrationState={**_moving(vmi), "abortRequested": True})


def failed(vmi: JSON, now: datetime) -> JSON:
    """Where it was, for good."""
    old = _moving(vmi)
    moving = {**old, "failed": True, "completed": True}
    moving.setdefault("endTimestamp", timestamp(now))
    if old.get("abortRequested"):
        moving["abortStatus"] = "Succeeded"
    return _with(vmi, migrationState=moving)
