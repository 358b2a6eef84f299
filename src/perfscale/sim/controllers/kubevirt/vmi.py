"""A VMI's life as KubeVirt's virt-controller and virt-handler write it.

Pending, Scheduling, Scheduled, Running, then ready, then its guest's agent connected; and when
it is deleted, Succeeded (or Failed, where it had no node yet) and the end of its finalizers.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from perfscale.sim.controllers.actions import Action, Update
from perfscale.sim.controllers.kinds import VM, VMI
from perfscale.sim.controllers.kubevirt.placement import place
from perfscale.sim.controllers.kubevirt.readiness import (
    GATED,
    GUEST_NOT_RUNNING,
    TERMINATING,
    is_paused,
    not_ready,
    paused,
    readiness_reason,
    ready,
)
from perfscale.sim.controllers.objects import (
    Key,
    condition,
    condition_of,
    controller_of,
    entered,
    finalizers_of,
    is_deleting,
    is_ready,
    phase_of,
    uid_of,
    with_condition,
    with_finalizers,
    with_status,
)
from perfscale.sim.latency import Stage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from perfscale.sim.controllers.actions import View
    from perfscale.sim.controllers.store import JSON

FINALIZER: Final = "kubevirt.io/foregroundDeleteVirtualMachine"
# Its name before KubeVirt qualified it; found on objects that older clients wrote.
OLD_FINALIZER: Final = "foregroundDeleteVirtualMachine"
# The one by which a VM keeps its VMI until it has seen how it ended.
VM_FINALIZER: Final = "kubevirt.io/virtualMachineControllerFinalize"
NODE_LABEL: Final = "kubevirt.io/nodeName"
AGENT_CONNECTED: Final = "AgentConnected"


class Phase(StrEnum):
    """The values of ``status.phase`` that the simulation uses."""

    PENDING = "Pending"
    SCHEDULING = "Scheduling"
    SCHEDULED = "Scheduled"
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"


FINAL_PHASES: Final = frozenset({Phase.SUCCEEDED, Phase.FAILED})
_WITHOUT_NODE: Final = frozenset({"", Phase.PENDING, Phase.SCHEDULING})

_NEXT: Final[Mapping[str, Phase]] = {
    "": Phase.PENDING,
    Phase.PENDING: Phase.SCHEDULING,
    Phase.SCHEDULING: Phase.SCHEDULED,
    Phase.SCHEDULED: Phase.RUNNING,
}
_WAITS: Final[Mapping[str, Stage]] = {
    "": Stage.NOW,
    Phase.PENDING: Stage.VMI_PENDING,
    Phase.SCHEDULING: Stage.VMI_SCHEDULING,
    Phase.SCHEDULED: Stage.VMI_SCHEDULED,
}


def is_final(vmi: JSON) -> bool:
    """Whether the VMI has ended, one way or the other."""
    return phase_of(vmi) in FINAL_PHASES


def has_run(vmi: JSON) -> bool:
    """Whether the VMI runs, or did before it ended."""
    return condition_of(vmi, "LiveMigratable") is not None


def accepted(vmi: JSON, now: datetime) -> JSON:
    """The VMI as KubeVirt's mutating webhook hands it on: held, and Pending already."""
    if phase_of(vmi):
        return _held(vmi)
    status = {**entered(vmi, Phase.PENDING, now), "guestOSInfo": {}, "runtimeUser": 107}
    return with_status(_held(vmi), status)


class VmiController:
    """Moves VMIs through their phases, and lets deleted ones go."""

    resource = VMI
    owns = None

    def stage(self, obj: JSON) -> Stage | None:
        """The wait that belongs to the VMI's phase, or to its deletion."""
        if is_deleting(obj):
            return _stage_of_deletion(obj) if _is_held(obj) else None
        phase = phase_of(obj)
        return _stage_of_running(obj) if phase == Phase.RUNNING else _WAITS.get(phase)

    def act(self, obj: JSON, view: View, now: datetime) -> Sequence[Action]:
        """Write the VMI as it is one step further."""
        stage = self.stage(obj)
        if stage is None:
            return ()
        changed = _gone_on(obj, view, now) if is_deleting(obj) else _grown(obj, stage, now)
        return () if changed is obj else (Update(VMI, changed),)


def _stage_of_running(vmi: JSON) -> Stage | None:
    if is_paused(vmi):
        return None
    if readiness_reason(vmi) == GUEST_NOT_RUNNING:
        return Stage.VMI_STARTED
    connects = is_ready(vmi) and condition_of(vmi, AGENT_CONNECTED) is None
    return Stage.VMI_BOOTING if connects else None


def _stage_of_deletion(vmi: JSON) -> Stage:
    phase = phase_of(vmi)
    if phase == Phase.SUCCEEDED and readiness_reason(vmi) == TERMINATING:
        return Stage.VMI_FINALIZING
    if phase in FINAL_PHASES:
        return Stage.VMI_RELEASING
    if phase in _WITHOUT_NODE:
        return Stage.VMI_ABANDONING
    return Stage.VMI_STOPPING if readiness_reason(vmi) == TERMINATING else Stage.NOW


def _gone_on(vmi: JSON, view: View, now: datetime) -> JSON:
    """A VMI that is being deleted, one step further: not ready, ended, without finalizer."""
    if is_final(vmi):
        return _released(vmi, view)
    conditions = with_condition(_conditions(vmi), not_ready(TERMINATING, now))
    if phase_of(vmi) in _WITHOUT_NODE:
        return with_status(vmi, entered(vmi, Phase.FAILED, now) | {"conditions": conditions})
    if readiness_reason(vmi) == TERMINATING:
        return with_status(vmi, entered(vmi, Phase.SUCCEEDED, now))
    return with_status(vmi, {**(vmi.get("status") or {}), "conditions": conditions})


def _is_held(vmi: JSON) -> bool:
    return any(name in (FINALIZER, OLD_FINALIZER, VM_FINALIZER) for name in finalizers_of(vmi))


def _held(vmi: JSON) -> JSON:
    if FINALIZER in finalizers_of(vmi) or OLD_FINALIZER in finalizers_of(vmi):
        return vmi
    return with_finalizers(vmi, [*finalizers_of(vmi), FINALIZER])


def _released(vmi: JSON, view: View) -> JSON:
    """Without its finalizers; a VM that is there removes its own itself."""
    owner = controller_of(vmi)
    dropped = {FINALIZER, OLD_FINALIZER}
    if owner is None or view.find(VM, Key(vmi["metadata"]["namespace"], owner["name"])) is None:
        dropped.add(VM_FINALIZER)
    kept = [name for name in finalizers_of(vmi) if name not in dropped]
    return vmi if len(kept) == len(finalizers_of(vmi)) else with_finalizers(vmi, kept)


def _grown(vmi: JSON, stage: Stage, now: datetime) -> JSON:
    """A VMI that nobody deletes, one step further."""
    if stage is Stage.VMI_STARTED:
        return with_status(vmi, made_ready(vmi, now))
    if stage is Stage.VMI_BOOTING:
        return with_status(vmi, _booted(vmi, now))
    phase = _NEXT[phase_of(vmi)]
    if phase is Phase.PENDING:
        # Only where no webhook has: on a server that has the kind, and no KubeVirt.
        return accepted(vmi, now)
    status = entered(vmi, phase, now)
    if phase is Phase.SCHEDULING:
        return with_status(vmi, status | _scheduling(vmi, now))
    if phase is Phase.RUNNING:
        return with_status(vmi, status | _running(vmi, now))
    node = place(uid_of(vmi)).node
    labels = {**(vmi["metadata"].get("labels") or {}), NODE_LABEL: node}
    labelled = {**vmi, "metadata": {**vmi["metadata"], "labels": labels}}
    return with_status(labelled, status | _scheduled(vmi, node))


def _scheduling(vmi: JSON, now: datetime) -> JSON:
    return {
        "conditions": with_condition(_conditions(vmi), not_ready(GUEST_NOT_RUNNING, now)),
        "qosClass": "Burstable",
        "activePods": {place(uid_of(vmi)).pod_uid: ""},
    }


def _scheduled(vmi: JSON, node: str) -> JSON:
    volumes = (vmi.get("spec") or {}).get("volumes") or ()
    return {
        "nodeName": node,
        "activePods": {place(uid_of(vmi)).pod_uid: node},
        "volumeStatus": [{"name": each.get("name", ""), "target": ""} for each in volumes],
        "migrationTransport": "Unix",
    }


def _running(vmi: JSON, now: datetime) -> JSON:
    conditions = _conditions(vmi)
    for kind in ("LiveMigratable", "StorageLiveMigratable"):
        conditions = with_condition(conditions, condition(kind, holds=True, now=now))
    if (vmi.get("spec") or {}).get("startStrategy") == "Paused":
        conditions = with_condition(conditions, paused(now))
        conditions = with_condition(conditions, not_ready(GATED, now))
    return {
        "conditions": conditions,
        # An ephemeral container disk can be migrated without shared storage.
        "migrationMethod": "BlockMigration",
    }


def made_ready(vmi: JSON, now: datetime) -> JSON:
    """The status of a running VMI whose pod is ready: its network has an address."""
    address = place(uid_of(vmi)).pod_ip
    status: JSON = vmi.get("status") or {}
    interface = {
        "name": "default",
        "ipAddress": address,
        "ipAddresses": [address],
        "infoSource": "domain",
        "queueCount": 1,
    }
    return {
        **status,
        "conditions": with_condition(_conditions(vmi), ready(now)),
        "interfaces": status.get("interfaces") or [interface],
    }


def _booted(vmi: JSON, now: datetime) -> JSON:
    status: JSON = vmi.get("status") or {}
    connected = condition(AGENT_CONNECTED, holds=True, now=now)
    return {
        **status,
        "conditions": with_condition(_conditions(vmi), connected),
        "interfaces": [
            {**each, "infoSource": "domain, guest-agent", "interfaceName": "eth0"}
            for each in status.get("interfaces") or ()
        ],
        "guestOSInfo": {"id": "simulated", "name": "Simulated Linux", "version": "1"},
    }


def _conditions(vmi: JSON) -> Sequence[JSON]:
    return (vmi.get("status") or {}).get("conditions") or ()
