"""Objects that take longer than others, each for a reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perfscale.sim.controllers.actions import UpdateStatus
from perfscale.sim.controllers.kinds import POD
from perfscale.sim.controllers.kubevirt.pod import is_launcher, running
from perfscale.sim.controllers.objects import (
    condition,
    is_deleting,
    is_ready,
    phase_of,
    with_condition,
    with_status,
)
from perfscale.sim.faults.model.objects import DELAYED
from perfscale.sim.latency import Stage

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from perfscale.kube.resources import Resource
    from perfscale.sim.controllers.actions import Action, Controller, View
    from perfscale.sim.faults.objects.selection import FaultSelection
    from perfscale.sim.storage.records import JSON


class DelayedController:
    """The rules of a controller, some of whose objects wait longer.

    Args:
        controller: The controller.
        selection: Which objects.
    """

    def __init__(self, controller: Controller, selection: FaultSelection) -> None:
        self._controller = controller
        self._selection = selection
        self._stages = DELAYED[controller.resource.plural]

    @property
    def resource(self) -> Resource:
        """The kind."""
        return self._controller.resource

    @property
    def owns(self) -> Resource | None:
        """The kind of the objects it makes."""
        return self._controller.owns

    def stage(self, obj: JSON) -> Stage | None:
        """What the object waits for; of a pod that has started, this may be to be ready."""
        return Stage.NOW if self._is_starting(obj) else self._controller.stage(obj)

    def act(self, obj: JSON, view: View, now: datetime) -> Sequence[Action]:
        """What the controller writes; a pod whose program is slow starts without being ready."""
        if self._is_starting(obj):
            return (UpdateStatus(POD, with_status(obj, running(obj, now))),)
        starts = self.stage(obj) is Stage.POD_STARTING
        actions = self._controller.act(obj, view, now)
        if starts and self._delay_s(obj, Stage.NOW):
            return [
                UpdateStatus(POD, with_status(each.obj, _not_ready(each.obj["status"], now)))
                for each in actions
                if isinstance(each, UpdateStatus)
            ]
        return actions

    def delay_s(self, obj: JSON, stage: Stage) -> float:
        """By how many seconds an object stays in a stage longer than is drawn."""
        if stage not in self._stages.values() or is_launcher(obj):
            return 0.0
        return self._delay_s(obj, stage)

    def _delay_s(self, obj: JSON, stage: Stage) -> float:
        faults = self._selection.of(self.resource, obj, "delayed")
        return sum(each.by for each in faults if self._stages[each.cause or ""] is stage)

    def _is_starting(self, obj: JSON) -> bool:
        """Whether the containers of a pod run, and what runs in them is not ready yet."""
        return (
            self.resource == POD
            and phase_of(obj) == "Running"
            and not (is_ready(obj) or is_launcher(obj) or is_deleting(obj))
            and self._delay_s(obj, Stage.NOW) > 0
        )


def _not_ready(status: JSON, now: datetime) -> JSON:
    """The status of a pod whose containers have all started, and none is ready."""
    conditions = status["conditions"]
    for kind in ("ContainersReady", "Ready"):
        conditions = with_condition(
            conditions, condition(kind, holds=False, now=now, reason="ContainersNotReady")
        )
    containers = [{**each, "ready": False} for each in status["containerStatuses"]]
    return {**status, "conditions": conditions, "containerStatuses": containers}
