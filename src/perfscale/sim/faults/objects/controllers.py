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
    from perfscale.sim.faults.objects.fates import Fates

# In these a scheduler has not found a node: KubeVirt copies the pod's condition.
_UNSCHEDULED: Final = frozenset({"", "Pending", "Scheduling"})
_STUCK: Final = {
    "reason": "Unschedulable",
    "message": "0/10 nodes are available: 10 Insufficient memory.",
}
_FAILED: Final = {"reason": "Failed", "message": "the simulation let it fail"}


class FatefulController:
    """The rules of a controller, but for the objects that have another fate.

    Args:
        controller: The controller.
        fates: What befalls objects.
    """

    def __init__(self, controller: Controller, fates: Fates) -> None:
        self._controller = controller
        self._fates = fates

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
        fate = self._fate(obj)
        if fate is None:
            return stage
        if fate.fault == "stuck":
            return None
        return Stage.FAILING if stage is None else stage

    def act(self, obj: JSON, view: View, now: datetime) -> Sequence[Action]:
        """What the controller writes, or the object's failure."""
        fate = self._fate(obj)
        if fate is not None and fate.fault == "fails":
            # A fault in a new object's phase strikes before any controller has touched it.
            kind = Update if self.resource.plural == "virtualmachineinstances" else UpdateStatus
            status = _explained(entered(obj, "Failed", now), fate, _FAILED, now)
            return (kind(self.resource, with_status(obj, status)),)
        return [self._explain(action, now) for action in self._controller.act(obj, view, now)]

    def _fate(self, obj: JSON) -> ObjectFault | None:
        if is_deleting(obj):
            return None
        return self._fates.in_phase(self.resource, obj, phase_of(obj))

    def _explain(self, action: Action, now: datetime) -> Action:
        """Let an object that gets stuck in the phase that is being written say so."""
        if not isinstance(action, Update | UpdateStatus) or is_deleting(action.obj):
            return action
        phase = phase_of(action.obj)
        fate = self._fates.in_phase(self.resource, action.obj, phase)
        if fate is None or fate.fault != "stuck":
            return action
        status = _explained(action.obj["status"], fate, _STUCK, now)
        return replace(action, obj=with_status(action.obj, status))


def _explained(status: JSON, fate: ObjectFault, defaults: Mapping[str, str], now: datetime) -> JSON:
    kind = "PodScheduled" if fate.fault == "stuck" and fate.phase in _UNSCHEDULED else "Ready"
    said = condition(
        kind,
        holds=False,
        now=now,
        reason=fate.reason or defaults["reason"],
        message=fate.message or defaults["message"],
    )
    return {**status, "conditions": with_condition(status.get("conditions") or (), said)}
