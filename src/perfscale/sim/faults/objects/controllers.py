"""Controllers whose objects may fail, or stay in a phase."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from perfscale.sim.controllers.actions import Action, Update, UpdateStatus
from perfscale.sim.controllers.objects import (
    condition,
    entered,
    is_deleting,
    phase_of,
    with_condition,
    with_status,
)
from perfscale.sim.latency import Stage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
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
        if fault is None:
            return stage
        if fault.fault == "stuck":
            return None
        return Stage.FAILING if stage is None else stage

    def act(self, obj: JSON, view: View, now: datetime) -> Sequence[Action]:
        """What the controller writes, or the object's failure."""
        fault = self._fault_of(obj)
        if fault is not None and fault.fault == "fails":
            # A fault in a new object's phase happens before any controller has changed it.
            kind = Update if self.resource.plural == "virtualmachineinstances" else UpdateStatus
            status = _explained(entered(obj, "Failed", now), fault, _FAILED, now)
            return (kind(self.resource, with_status(obj, status)),)
        return [self._explain(action, now) for action in self._controller.act(obj, view, now)]

    def _fault_of(self, obj: JSON) -> ObjectFault | None:
        if is_deleting(obj):
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
        status = _explained(action.obj["status"], fault, _STUCK, now)
        return replace(action, obj=with_status(action.obj, status))


def _explained(
    status: JSON, fault: ObjectFault, defaults: Mapping[str, str], now: datetime
) -> JSON:
    kind = "PodScheduled" if fault.fault == "stuck" and fault.phase in _UNSCHEDULED else "Ready"
    said = condition(
        kind,
        holds=False,
        now=now,
        reason=fault.reason or defaults["reason"],
        message=fault.message or defaults["message"],
    )
    return {**status, "conditions": with_condition(status.get("conditions") or (), said)}
