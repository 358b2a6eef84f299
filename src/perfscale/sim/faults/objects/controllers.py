"""Controllers whose objects may fail, or stay in a phase."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from perfscale.sim.controllers.actions import Action, Failing, Update, UpdateStatus
from perfscale.sim.controllers.kinds import POD
from perfscale.sim.controllers.kubevirt.pod import is_launcher
from perfscale.sim.controllers.kubevirt.readiness import GUEST_NOT_RUNNING, not_ready
from perfscale.sim.controllers.objects import (
    condition,
    condition_of,
    entered,
    is_deleting,
    phase_of,
    with_condition,
    with_status,
)
from perfscale.sim.latency import Stage

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from perfscale.kube.resources import Resource
    from perfscale.sim.controllers.actions import Controller, View
    from perfscale.sim.controllers.store import JSON
    from perfscale.sim.faults.model import ObjectFault
    from perfscale.sim.faults.objects.selection import FaultSelection

# In these a scheduler has not found a node: KubeVirt copies the pod's condition.
_UNSCHEDULED: Final = frozenset({"", "Pending", "Scheduling"})
_STUCK: Final = {
    "reason": "Unschedulable",
    "message": "0/10 nodes are available: 10 Insufficient memory.",
}
_IMAGE_TROUBLES: Final = frozenset({"ErrImagePull", "ImagePullBackOff"})
_FAILED: Final = {"reason": "Failed", "message": "the simulation let it fail"}


class FaultyController:
    """The rules of a controller, but for the objects that a fault happens to.

    Args:
        controller: The controller.
        selection: Which objects the faults happen to.
    """

    def __init__(self, controller: Controller, selection: FaultSelection) -> None:
        self._controller = controller
        self._selection = selection

    @property
    def resource(self) -> Resource:
        """The kind."""
        return self._controller.resource

    @property
    def owns(self) -> Resource | None:
        """The kind of the objects it makes."""
        return self._controller.owns

    def stage(self, obj: JSON) -> Stage | None:
        """What the object waits for; nothing, where it is stuck."""
        stage = self._controller.stage(obj)
        fault = self._fault_of(obj)
        if fault is None or stage is Stage.VMI_STARTED:
            return stage
        if fault.fault == "stuck":
            if fault.phase is None:
                return None  # its kind has no place to say why
            return None if _is_explained(obj, fault) else Stage.NOW
        return Stage.FAILING if phase_of(obj) == "Running" or stage is None else stage

    def act(self, obj: JSON, view: View, now: datetime) -> Sequence[Action]:
        """What the controller writes, or the object's failure."""
        fault = self._fault_of(obj)
        if fault is not None and self.stage(obj) is not Stage.VMI_STARTED:
            return (self._write(obj, fault, now),)
        return [self._explain(action, now) for action in self._controller.act(obj, view, now)]

    def _write(self, obj: JSON, fault: ObjectFault, now: datetime) -> Action:
        kind = Update if self.resource.plural == "virtualmachineinstances" else UpdateStatus
        if fault.fault == "fails" and isinstance(self._controller, Failing):
            reason = fault.reason or _FAILED["reason"]
            message = fault.message or _FAILED["message"]
            status = self._controller.failed(obj, reason, message, now)
        elif fault.fault == "fails":
            status = _explained(entered(obj, "Failed", now), fault, now)
        elif fault.fault == "ends":
            status = entered(obj, "Succeeded", now)
            ended = not_ready(GUEST_NOT_RUNNING, now)
            status["conditions"] = with_condition(status.get("conditions") or (), ended)
        else:
            # It was created in the phase that it is stuck in, before any controller saw it.
            status = _explained(obj.get("status") or {}, fault, now)
        return kind(self.resource, with_status(obj, status))

    def _fault_of(self, obj: JSON) -> ObjectFault | None:
        follows_its_vmi = self.resource is POD and is_launcher(obj)
        if is_deleting(obj) or follows_its_vmi:
            return None
        return self._selection.in_phase(self.resource, obj, phase_of(obj))

    def _explain(self, action: Action, now: datetime) -> Action:
        """Let an object that gets stuck in the phase that is being written say so."""
        if not isinstance(action, Update | UpdateStatus) or is_deleting(action.obj):
            return action
        phase = phase_of(action.obj)
        fault = self._selection.in_phase(self.resource, action.obj, phase)
        if fault is None or fault.fault != "stuck":
            return action
        status = _explained(action.obj["status"], fault, now)
        return replace(action, obj=with_status(action.obj, status))


def _kind_of(fault: ObjectFault) -> str:
    if fault.fault != "stuck" or fault.phase not in _UNSCHEDULED:
        return "Ready"
    # What keeps a pod from its image, KubeVirt copies under another name.
    return "Synchronized" if fault.reason in _IMAGE_TROUBLES else "PodScheduled"


def _is_explained(obj: JSON, fault: ObjectFault) -> bool:
    found = condition_of(obj, _kind_of(fault))
    reason = fault.reason or _STUCK["reason"]
    return found is not None and (found["status"], found.get("reason")) == ("False", reason)


def _explained(status: JSON, fault: ObjectFault, now: datetime) -> JSON:
    defaults = _STUCK if fault.fault == "stuck" else _FAILED
    said = condition(
        _kind_of(fault),
        holds=False,
        now=now,
        reason=fault.reason or defaults["reason"],
        message=fault.message or defaults["message"],
    )
    return {**status, "conditions": with_condition(status.get("conditions") or (), said)}
