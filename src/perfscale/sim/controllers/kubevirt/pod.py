"""A pod's life where there is neither scheduler nor kubelet to lead it.

Only the status is written. A real API server lets nobody but a scheduler set a pod's
``spec.nodeName``, and removes a pod without one as soon as it is deleted; a pod that has
one stays until somebody, here this controller, says that its containers have stopped. The
pods of VMIs follow their VMIs, so of these it only ends what others have deleted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from perfscale.sim.controllers.actions import Action, Delete, UpdateStatus
from perfscale.sim.controllers.kinds import POD
from perfscale.sim.controllers.kubevirt.placement import place
from perfscale.sim.controllers.objects import (
    condition,
    is_deleting,
    phase_of,
    timestamp,
    uid_of,
    with_condition,
    with_status,
)
from perfscale.sim.latency import Stage

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from perfscale.sim.controllers.actions import View
    from perfscale.sim.controllers.store import JSON

CONDITIONS: Final = ("PodScheduled", "Initialized", "ContainersReady", "Ready")


LAUNCHER_LABEL: Final = "kubevirt.io"
LAUNCHER: Final = "virt-launcher"


def is_launcher(pod: JSON) -> bool:
    """Whether a VMI runs in the pod."""
    return (pod["metadata"].get("labels") or {}).get(LAUNCHER_LABEL) == LAUNCHER


class PodController:
    """Starts pods, whose containers then run for ever, and ends deleted ones."""

    resource = POD
    owns = None

    def stage(self, obj: JSON) -> Stage | None:
        """A pod waits to be started, and once it is deleted, to be stopped."""
        if is_deleting(obj):
            return Stage.POD_STOPPING
        if is_launcher(obj):
            return None
        return Stage.POD_STARTING if phase_of(obj) in ("", "Pending") else None

    def act(self, obj: JSON, view: View, now: datetime) -> Sequence[Action]:
        """Write the pod as running, or report that it has stopped."""
        del view
        if is_deleting(obj):
            # What a kubelet sends once the containers have stopped.
            return (Delete(POD, obj, grace_period_s=0),)
        return (UpdateStatus(POD, _running(obj, now)),)


def _running(pod: JSON, now: datetime) -> JSON:
    placement = place(uid_of(pod))
    old: JSON = pod.get("status") or {}
    conditions = old.get("conditions") or []
    for name in CONDITIONS:
        conditions = with_condition(conditions, condition(name, holds=True, now=now))
    status = {
        **old,
        "phase": "Running",
        "conditions": conditions,
        "hostIP": placement.node_ip,
        "podIP": placement.pod_ip,
        "podIPs": [{"ip": placement.pod_ip}],
        "startTime": timestamp(now),
        "containerStatuses": [
            _container(container, now) for container in pod["spec"].get("containers") or ()
        ],
    }
    return with_status(pod, status)


def _container(container: JSON, now: datetime) -> JSON:
    return {
        "name": container["name"],
        "image": container.get("image", ""),
        "imageID": "",
        "ready": True,
        "started": True,
        "restartCount": 0,
        "state": {"running": {"startedAt": timestamp(now)}},
    }
