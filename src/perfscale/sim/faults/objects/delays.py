"""Objects that take longer than others, and what their pods and events say of it."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from perfscale.config import format_duration
from perfscale.errors import ApiError
from perfscale.sim.controllers.events import Said, event_about
from perfscale.sim.controllers.kinds import EVENT, POD, VMI
from perfscale.sim.controllers.kubevirt.pod import LAUNCHER, is_launcher, is_scheduled
from perfscale.sim.controllers.objects import (
    condition,
    condition_of,
    controller_of,
    phase_of,
    timestamp,
    uid_of,
    with_condition,
    with_status,
)
from perfscale.sim.faults.model.objects import DELAYED

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from perfscale.kube.resources import Resource
    from perfscale.sim.controllers.actions import Controller
    from perfscale.sim.faults.model import ObjectFault
    from perfscale.sim.faults.objects.selection import FaultSelection
    from perfscale.sim.latency import Stage
    from perfscale.sim.storage.records import JSON, StoredChange
    from perfscale.sim.storage.store import Store

_UNSCHEDULABLE: Final = "0/10 nodes are available: 10 Insufficient memory."


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
        self.stage, self.act = controller.stage, controller.act

    @property
    def resource(self) -> Resource:
        """The kind."""
        return self._controller.resource

    @property
    def owns(self) -> Resource | None:
        """The kind of the objects it makes."""
        return self._controller.owns

    def delay_s(self, obj: JSON, stage: Stage) -> float:
        """By how many seconds an object stays in a stage longer than is drawn."""
        if stage not in self._stages.values() or is_launcher(obj):
            return 0.0
        faults = self._selection.of(self.resource, obj, "delayed")
        return sum(each.by for each in faults if self._stages[each.cause or ""] is stage)


class PodDelays:
    """Lets the pods of delayed objects say why, as a kubelet and a scheduler do.

    Args:
        store: Where the pods are.
        selection: Which objects.
        now: The clock that conditions and events are stamped by.
    """

    def __init__(
        self, store: Store, selection: FaultSelection, now: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._selection = selection
        self._now = now
        self._begun: dict[str, str] = {}

    def on_pod(self, change: StoredChange) -> None:
        """Let a pod of an object that is delayed say so, when that begins and when it ends."""
        pod, uid = change.obj, change.record.uid
        if change.type == "DELETED":
            self._begun.pop(uid, None)
            return
        for fault in self._faults_of(pod):
            step = f"{fault.cause}: {_step(pod, fault)}"
            if self._begun.get(uid) == step or step.endswith(": "):
                continue
            self._begun[uid] = step
            # Its namespace may be going.
            with suppress(ApiError):
                self._write(pod, fault, is_over=phase_of(pod) == "Running")

    def _faults_of(self, pod: JSON) -> list[ObjectFault]:
        if not is_launcher(pod):
            return list(self._selection.of(POD, pod, "delayed"))
        owner = controller_of(pod)
        if owner is None:
            return []
        vmi = {"metadata": {**pod["metadata"], "name": owner["name"]}}
        return list(self._selection.of(VMI, vmi, "delayed"))

    def _write(self, pod: JSON, fault: ObjectFault, *, is_over: bool) -> None:
        now = self._now()
        for component, said in _said(pod, fault, is_over=is_over):
            self._store.create(EVENT, event_about(POD, pod, said, now, component=component))
        if is_over:
            return
        current = self._store.get(POD, pod["metadata"]["namespace"], pod["metadata"]["name"])
        if uid_of(current) == uid_of(pod):
            changed = with_status(current, _status(current, fault, now))
            self._store.update(POD, changed, subresource="status")


def _step(pod: JSON, fault: ObjectFault) -> str:
    """How far a delay has got, as its pod shows: begun, over, or empty for not yet."""
    if phase_of(pod) == "Running":
        return "over"
    if phase_of(pod) not in ("", "Pending"):
        return ""
    # The pod of an instance gets its node at once; another's has a scheduler.
    begins = is_launcher(pod) or fault.cause == "scheduling" or is_scheduled(pod)
    return "begun" if begins else ""


def _said(pod: JSON, fault: ObjectFault, *, is_over: bool) -> list[tuple[str, Said]]:
    """The events of a delay that begins, or is over."""
    containers = pod["spec"].get("containers") or [{}]
    image, took = containers[0].get("image") or LAUNCHER, format_duration(fault.by)
    pulled = f'Successfully pulled image "{image}" in {took} ({took} including waiting).'
    attached = 'AttachVolume.Attach succeeded for volume "pvc-simulated"'
    failed = 'Multi-Attach error for volume "pvc-simulated": it is in use by another pod'
    attacher = "attachdetach-controller"
    events = {
        ("scheduling", False): (
            "default-scheduler",
            Said("Warning", "FailedScheduling", _UNSCHEDULABLE),
        ),
        ("imagePull", False): ("kubelet", Said("Normal", "Pulling", f'Pulling image "{image}"')),
        ("imagePull", True): ("kubelet", Said("Normal", "Pulled", pulled)),
        ("volumes", False): (attacher, Said("Warning", "FailedAttachVolume", failed)),
        ("volumes", True): (attacher, Said("Normal", "SuccessfulAttachVolume", attached)),
    }
    found = events.get((fault.cause or "", is_over))
    return [] if found is None else [found]


def _status(pod: JSON, fault: ObjectFault, now: datetime) -> JSON:
    """The status of a pod whose delay begins."""
    old: JSON = pod.get("status") or {}
    if fault.cause == "scheduling":
        scheduled = condition(
            "PodScheduled", holds=False, now=now, reason="Unschedulable", message=_UNSCHEDULABLE
        )
    else:
        scheduled = condition_of(pod, "PodScheduled") or condition(
            "PodScheduled", holds=True, now=now
        )
    status = {
        **old,
        "phase": "Pending",
        "conditions": with_condition(old.get("conditions") or (), scheduled),
    }
    if fault.cause == "guest" and not is_launcher(pod):
        running = {"running": {"startedAt": timestamp(now)}}
        status["containerStatuses"] = [
            {"name": each["name"], "ready": False, "restartCount": 0, "state": running}
            for each in pod["spec"].get("containers") or ()
        ]
    return status
