"""A VMI's life as KubeVirt's virt-controller and virt-handler write it.

Unset, Pending, Scheduling, Scheduled, Running; and when it is deleted, Succeeded, then the
end of its finalizer. There is no virt-launcher pod behind it: what a client sees of a VMI
does not depend on one.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from perfscale.sim.controllers.actions import Action, Update
from perfscale.sim.controllers.kinds import VMI
from perfscale.sim.controllers.kubevirt.placement import place
from perfscale.sim.controllers.objects import (
    condition,
    entered,
    finalizers_of,
    is_deleting,
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


class Phase(StrEnum):
    """The values of ``status.phase`` that the simulation uses."""

    PENDING = "Pending"
    SCHEDULING = "Scheduling"
    SCHEDULED = "Scheduled"
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"


FINAL_PHASES: Final = frozenset({Phase.SUCCEEDED, Phase.FAILED})

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


class VmiController:
    """Moves VMIs through their phases, and lets deleted ones go."""

    resource = VMI
    owns = None

    def stage(self, obj: JSON) -> Stage | None:
        """The wait that belongs to the VMI's phase, or to its deletion."""
        if not is_deleting(obj):
            return _WAITS.get(phase_of(obj))
        if not _is_held(obj):
            return None
        return Stage.VMI_FINALIZING if is_final(obj) else Stage.VMI_STOPPING

    def act(self, obj: JSON, view: View, now: datetime) -> Sequence[Action]:
        """Write the VMI as it is one step further."""
        del view
        stage = self.stage(obj)
        if stage is None:
            return ()
        if stage is Stage.VMI_FINALIZING:
            return (Update(VMI, _released(obj)),)
        if stage is Stage.VMI_STOPPING:
            return (Update(VMI, _in_phase(obj, Phase.SUCCEEDED, now)),)
        return (Update(VMI, _in_phase(_held(obj), _NEXT[phase_of(obj)], now)),)


def _is_held(vmi: JSON) -> bool:
    return any(name in (FINALIZER, OLD_FINALIZER) for name in finalizers_of(vmi))


def _held(vmi: JSON) -> JSON:
    # In KubeVirt a webhook adds the finalizer as the VMI is created. Here the first write
    # does: a VMI deleted before that is gone at once, and its write comes back 404.
    if _is_held(vmi):
        return vmi
    return with_finalizers(vmi, [*finalizers_of(vmi), FINALIZER])


def _released(vmi: JSON) -> JSON:
    kept = (name for name in finalizers_of(vmi) if name not in (FINALIZER, OLD_FINALIZER))
    return with_finalizers(vmi, kept)


def _in_phase(vmi: JSON, phase: Phase, now: datetime) -> JSON:
    status = entered(vmi, phase, now)
    if phase is Phase.PENDING:
        status |= _accepted(now)
    elif phase is Phase.SCHEDULED:
        status |= _scheduled(vmi)
    elif phase is Phase.RUNNING:
        status |= _running(vmi, now)
    elif phase in FINAL_PHASES:
        status |= _ended(vmi, now)
    return with_status(vmi, status)


def _accepted(now: datetime) -> JSON:
    return {
        "conditions": [_not_ready(now)],
        "guestOSInfo": {},
        "qosClass": "Burstable",
        "runtimeUser": 107,
    }


def _scheduled(vmi: JSON) -> JSON:
    placement = place(uid_of(vmi))
    return {
        "nodeName": placement.node,
        "activePods": {placement.pod_uid: placement.node},
    }


def _running(vmi: JSON, now: datetime) -> JSON:
    address = place(uid_of(vmi)).pod_ip
    conditions = (vmi.get("status") or {}).get("conditions") or ()
    conditions = with_condition(conditions, condition("Ready", holds=True, now=now))
    conditions = with_condition(conditions, condition("LiveMigratable", holds=True, now=now))
    return {
        "conditions": conditions,
        "interfaces": [
            {
                "name": "default",
                "ipAddress": address,
                "ipAddresses": [address],
                "infoSource": "domain",
                "queueCount": 1,
            }
        ],
        # An ephemeral container disk can be migrated without shared storage.
        "migrationMethod": "BlockMigration",
        "migrationTransport": "Unix",
    }


def _ended(vmi: JSON, now: datetime) -> JSON:
    conditions = (vmi.get("status") or {}).get("conditions") or ()
    return {"conditions": with_condition(conditions, _not_ready(now))}


def _not_ready(now: datetime) -> JSON:
    return condition(
        "Ready",
        holds=False,
        now=now,
        reason="GuestNotRunning",
        message="Guest VM is not reported as running",
    )
