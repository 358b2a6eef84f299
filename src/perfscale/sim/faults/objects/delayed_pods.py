"""What the pods of delayed objects say of it, and when.

A pod comes to its node, its volumes and its images in this order, and to the start of its
containers after these. So its delays follow each other, and what it takes anyway comes last.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from perfscale.config import format_duration
from perfscale.errors import ApiError, NotFoundError
from perfscale.sim.controllers.events import Said, event_about
from perfscale.sim.controllers.kinds import EVENT, POD, VMI
from perfscale.sim.controllers.kubevirt.placement import place
from perfscale.sim.controllers.kubevirt.pod import LAUNCHER, is_launcher, is_scheduled
from perfscale.sim.controllers.objects import (
    condition,
    controller_of,
    is_deleting,
    phase_of,
    uid_of,
    with_condition,
    with_status,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from perfscale.sim.faults.objects.selection import FaultSelection
    from perfscale.sim.storage.records import JSON, StoredChange
    from perfscale.sim.storage.store import Store

_UNSCHEDULABLE: Final = "0/10 nodes are available: 10 Insufficient memory."
_MULTI_ATTACH: Final = 'Multi-Attach error for volume "pvc-simulated": it is in use by another pod'
_ATTACHED: Final = 'AttachVolume.Attach succeeded for volume "pvc-simulated"'
_SCHEDULER: Final = "default-scheduler"
_ATTACHER: Final = "attachdetach-controller"
_KUBELET: Final = "kubelet"


class _Step(NamedTuple):
    """What is written of a pod once it has been delayed by so many seconds.

    Attributes:
        after_s: How long after the step before it.
        events: What is said, and by which component.
        scheduled: The condition that it gets; None if its scheduler writes that itself.
    """

    after_s: float
    events: tuple[tuple[str, Said], ...]
    scheduled: bool | None = None

    @property
    def is_on_node(self) -> bool:
        """Whether a pod without a node has not come to this yet."""
        return self.scheduled is None


@dataclass(slots=True)
class _Course:
    """What is still to be written of a pod."""

    namespace: str
    name: str
    uid: str
    steps: deque[_Step]
    timer: asyncio.TimerHandle | None = None

    def cancel(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None


class DelayedPods:
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
        self._loop = asyncio.get_running_loop()
        self._courses: dict[str, _Course] = {}
        self._stop_listening = store.listen(self._on_pod, POD)

    def close(self) -> None:
        """Stop, and cancel what was to come."""
        self._stop_listening()
        for course in self._courses.values():
            course.cancel()
        self._courses.clear()

    def _on_pod(self, change: StoredChange) -> None:
        pod, uid = change.obj, change.record.uid
        if change.type == "DELETED" or is_deleting(pod):
            if (course := self._courses.pop(uid, None)) is not None:
                course.cancel()
            return
        if change.type == "ADDED":
            if not (steps := deque(self._steps_of(pod))):
                return
            metadata = pod["metadata"]
            self._courses[uid] = _Course(metadata["namespace"], metadata["name"], uid, steps)
        if (course := self._courses.get(uid)) is not None:
            self._go_on(course)

    def _go_on(self, course: _Course) -> None:
        """Take the steps that are due; one that is not gets a timer.

        What is written can come back here before it returns: each step looks at the pod anew.
        """
        while course.steps and (pod := self._pod_of(course)) is not None:
            step, is_past = course.steps[0], phase_of(pod) not in ("", "Pending")
            if is_past:
                course.cancel()  # it is not kept waiting for a clock that is a little late
            if course.timer is not None or (step.is_on_node and not is_scheduled(pod)):
                return
            if step.after_s > 0 and not is_past:
                course.timer = self._loop.call_later(step.after_s, self._ring, course)
                return
            self._take(course, pod)

    def _ring(self, course: _Course) -> None:
        course.timer = None
        if (pod := self._pod_of(course)) is not None:
            self._take(course, pod)
            self._go_on(course)

    def _pod_of(self, course: _Course) -> JSON | None:
        with suppress(NotFoundError):
            pod = self._store.get(POD, course.namespace, course.name)
            if uid_of(pod) == course.uid:
                return pod
        return None

    def _take(self, course: _Course, pod: JSON) -> None:
        step, now = course.steps.popleft(), self._now()
        # Its namespace may be going.
        with suppress(ApiError):
            for component, said in step.events:
                self._store.create(EVENT, event_about(POD, pod, said, now, component=component))
            if step.scheduled is not None and phase_of(pod) in ("", "Pending"):
                self._write_scheduled(pod, now, scheduled=step.scheduled)

    def _write_scheduled(self, pod: JSON, now: datetime, *, scheduled: bool) -> None:
        old: JSON = pod.get("status") or {}
        said = (
            condition("PodScheduled", holds=True, now=now)
            if scheduled
            else condition(
                "PodScheduled", holds=False, now=now, reason="Unschedulable", message=_UNSCHEDULABLE
            )
        )
        conditions = with_condition(old.get("conditions") or (), said)
        changed = with_status(pod, {**old, "phase": "Pending", "conditions": conditions})
        owner = controller_of(pod)
        if scheduled and owner is not None:
            changed = {**changed, "spec": {**pod["spec"], "nodeName": place(owner["uid"]).node}}
        self._store.update(POD, changed, subresource="binding")

    def _steps_of(self, pod: JSON) -> Iterator[_Step]:
        by_cause = self._delays_of(pod)
        if not by_cause:
            return
        if "scheduling" in by_cause:
            said = Said("Warning", "FailedScheduling", _UNSCHEDULABLE)
            yield _Step(0.0, ((_SCHEDULER, said),), scheduled=False)
        if is_launcher(pod):
            # It has no scheduler of its own.
            yield _Step(by_cause.get("scheduling", 0.0), (), scheduled=True)
        yield from _steps_on_node(pod, by_cause)

    def _delays_of(self, pod: JSON) -> Mapping[str, float]:
        """By how many seconds each cause delays what the pod is for."""
        resource, obj = POD, pod
        if is_launcher(pod):
            owner = controller_of(pod)
            # Others are those that an instance moves to, which nothing delays.
            if owner is None or uid_of(pod) != place(owner["uid"]).pod_uid:
                return {}
            resource, obj = VMI, {"metadata": {**pod["metadata"], "name": owner["name"]}}
        found: defaultdict[str, float] = defaultdict(float)
        for fault in self._selection.of(resource, obj, "delayed"):
            found[fault.cause or ""] += fault.by
        return found


def _steps_on_node(pod: JSON, by_cause: Mapping[str, float]) -> Iterator[_Step]:
    containers = pod["spec"].get("containers") or [{}]
    image = containers[0].get("image") or LAUNCHER
    pull_s = by_cause.get("imagePull")
    if (attach_s := by_cause.get("volumes")) is not None:
        yield _Step(0.0, ((_ATTACHER, Said("Warning", "FailedAttachVolume", _MULTI_ATTACH)),))
        attached = (_ATTACHER, Said("Normal", "SuccessfulAttachVolume", _ATTACHED))
        # What a kubelet says first once everything is mounted, of an image that it has.
        present = f'Container image "{image}" already present on machine'
        begun = ((_KUBELET, Said("Normal", "Pulled", present)),) if pull_s is None else ()
        yield _Step(attach_s, (attached, *begun))
    if pull_s is not None:
        took = format_duration(pull_s)
        pulled = f'Successfully pulled image "{image}" in {took} ({took} including waiting).'
        yield _Step(0.0, ((_KUBELET, Said("Normal", "Pulling", f'Pulling image "{image}"')),))
        yield _Step(pull_s, ((_KUBELET, Said("Normal", "Pulled", pulled)),))
