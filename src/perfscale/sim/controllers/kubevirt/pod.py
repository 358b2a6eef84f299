"""A pod's life where there is neither scheduler nor kubelet to lead it.

Where the cluster has nodes, a pod gets one that has room for it, once its claims are bound.
Where it has none, only the status is written. A real API server removes a pod without a node
as soon as it is deleted; one that has a node stays until somebody, here this controller, says
that its containers have stopped. The pods of VMIs follow their VMIs, so of these it only ends
what others have deleted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from perfscale.sim.controllers.actions import Action, Bind, Delete, UpdateStatus
from perfscale.sim.controllers.kinds import NODE, POD, PVC
from perfscale.sim.controllers.kubevirt.placement import node_address, place
from perfscale.sim.controllers.objects import (
    condition,
    condition_of,
    controller_of,
    is_deleting,
    key_of,
    phase_of,
    timestamp,
    uid_of,
    with_condition,
    with_status,
)
from perfscale.sim.controllers.workloads.scheduling import (
    UnschedulableError,
    choose_node,
    unbound_claims,
)
from perfscale.sim.latency import Stage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from perfscale.kube.resources import Resource
    from perfscale.sim.controllers.actions import Follows, View
    from perfscale.sim.controllers.objects import Key
    from perfscale.sim.controllers.store import JSON

CONDITIONS: Final = ("PodScheduled", "Initialized", "ContainersReady", "Ready")


LAUNCHER_LABEL: Final = "kubevirt.io"
LAUNCHER: Final = "virt-launcher"
# A pod's name has a part of its UID at its end, and fits into 253 characters.
_SUFFIX_LENGTH: Final = 5
_LONGEST_VMI_NAME: Final = 253 - len(f"{LAUNCHER}--") - _SUFFIX_LENGTH


def pod_name(vmi_name: str, pod_uid: str) -> str:
    """The name of a VMI's pod with this UID."""
    return f"{LAUNCHER}-{vmi_name[:_LONGEST_VMI_NAME]}-{pod_uid[:_SUFFIX_LENGTH]}"


def is_launcher(pod: JSON) -> bool:
    """Whether a VMI runs in the pod."""
    return (pod["metadata"].get("labels") or {}).get(LAUNCHER_LABEL) == LAUNCHER


class PodController:
    """Gives pods their nodes, starts them, and ends deleted ones.

    The containers of a job's pod end by themselves; all others run for ever.
    """

    resource = POD
    owns = None

    @property
    def follows(self) -> Mapping[Resource, Follows]:
        """What may give a pod that waits its place."""
        return {
            POD: lambda obj, view: view.facts.woken(obj),
            NODE: lambda _, view: tuple(view.facts.waiting),
            PVC: _pods_with,
        }

    def stage(self, obj: JSON) -> Stage | None:
        """A pod waits for a node, to be started, to end, and once deleted, to be stopped."""
        if is_deleting(obj):
            return Stage.POD_STOPPING
        if is_launcher(obj):
            return None
        if phase_of(obj) in ("", "Pending"):
            return Stage.POD_STARTING if is_scheduled(obj) else Stage.POD_SCHEDULING
        return Stage.POD_WORKING if phase_of(obj) == "Running" and is_of_job(obj) else None

    def act(self, obj: JSON, view: View, now: datetime) -> Sequence[Action]:
        """Write the pod as it is one step further."""
        stage = self.stage(obj)
        if stage is Stage.POD_STOPPING:
            # What a kubelet sends once the containers have stopped.
            return (Delete(POD, obj, grace_period_s=0),)
        if stage is Stage.POD_SCHEDULING:
            return _scheduled(obj, view, now)
        status = _succeeded(obj, now) if stage is Stage.POD_WORKING else running(obj, now)
        return (UpdateStatus(POD, with_status(obj, status)),)


def is_of_job(pod: JSON) -> bool:
    """Whether the pod's containers end by themselves."""
    owner = controller_of(pod)
    return owner is not None and owner.get("kind") == "Job"


def is_scheduled(pod: JSON) -> bool:
    """Whether the pod has a node, or has been let go without one."""
    if (pod.get("spec") or {}).get("nodeName"):
        return True
    scheduled = condition_of(pod, "PodScheduled")
    return scheduled is not None and scheduled.get("status") == "True"


def _pods_with(claim: JSON, view: View) -> list[Key]:
    return [key for kind, key in view.facts.consumers(key_of(claim)) if kind == POD.kind]


def _scheduled(pod: JSON, view: View, now: datetime) -> tuple[Action, ...]:
    if not view.facts.nodes:
        return _report(pod, condition("PodScheduled", holds=True, now=now))
    try:
        if unbound_claims(pod, view):
            return ()
        return (Bind(pod, choose_node(pod, view)),)
    except UnschedulableError as error:
        said = condition(
            "PodScheduled", holds=False, now=now, reason="Unschedulable", message=str(error)
        )
        return _report(pod, said)


def _report(pod: JSON, said: JSON) -> tuple[Action, ...]:
    old: JSON = pod.get("status") or {}
    before = condition_of(pod, said["type"]) or {}
    if all(before.get(key) == said.get(key) for key in ("status", "reason", "message")):
        return ()
    conditions = with_condition(old.get("conditions") or (), said)
    status = {**old, "phase": "Pending", "conditions": conditions}
    return (UpdateStatus(POD, with_status(pod, status)),)


def _succeeded(pod: JSON, now: datetime) -> JSON:
    old: JSON = pod["status"]
    conditions = old.get("conditions") or ()
    for name in ("Ready", "ContainersReady"):
        ended = condition(name, holds=False, now=now, reason="PodCompleted")
        conditions = with_condition(conditions, ended)
    return {**old, "phase": "Succeeded", "conditions": conditions}


def running(pod: JSON, now: datetime) -> JSON:
    """The status of a pod whose containers run and are ready."""
    placement = place(uid_of(pod))
    old: JSON = pod.get("status") or {}
    node = pod["spec"].get("nodeName")
    conditions = old.get("conditions") or []
    for name in CONDITIONS:
        conditions = with_condition(conditions, condition(name, holds=True, now=now))
    return {
        **old,
        "phase": "Running",
        "conditions": conditions,
        "hostIP": node_address(node) if node else placement.node_ip,
        "podIP": placement.pod_ip,
        "podIPs": [{"ip": placement.pod_ip}],
        "startTime": timestamp(now),
        "containerStatuses": [
            _container(container, _started(old, container["name"]) or timestamp(now))
            for container in pod["spec"].get("containers") or ()
        ],
    }


def _started(status: JSON, name: str) -> str | None:
    """When a container started that runs already though its pod is not ready."""
    for each in status.get("containerStatuses") or ():
        if each.get("name") == name:
            started: str | None = ((each.get("state") or {}).get("running") or {}).get("startedAt")
            return started
    return None


def _container(container: JSON, started: str) -> JSON:
    return {
        "name": container["name"],
        "image": container.get("image", ""),
        "imageID": "",
        "ready": True,
        "started": True,
        "restartCount": 0,
        "state": {"running": {"startedAt": started}},
    }
