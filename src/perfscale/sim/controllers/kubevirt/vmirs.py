"""A replica set of VMIs: keeps as many of them alive as its spec says.

Its deletion is not its own business: the VMIs name it as their owner, and the garbage
collector removes them after it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from perfscale.sim.controllers.actions import Action, Create, Delete, UpdateStatus
from perfscale.sim.controllers.kinds import VMI, VMIRS
from perfscale.sim.controllers.kubevirt.vmi import FINALIZER as VMI_FINALIZER
from perfscale.sim.controllers.kubevirt.vmi import is_final
from perfscale.sim.controllers.objects import (
    is_deleting,
    is_ready,
    owner_reference,
    uid_of,
    with_status,
)
from perfscale.sim.controllers.workloads.replicas import (
    MAX_CHANGES_AT_ONCE,
    least_useful,
    new_suffix,
    replicas_of,
)
from perfscale.sim.latency import Stage

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Collection, Sequence
    from datetime import datetime

    from perfscale.sim.controllers.actions import View
    from perfscale.sim.controllers.store import JSON


class VmirsController:
    """Creates and deletes the VMIs of replica sets, and counts them in the status.

    Args:
        rng: Where the suffixes of the VMIs' names come from.
    """

    resource = VMIRS
    owns = VMI

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng

    def stage(self, obj: JSON) -> Stage | None:
        """Nothing is waited for, and there is nothing to do for one that is deleted."""
        return None if is_deleting(obj) else Stage.NOW

    def act(self, obj: JSON, view: View, now: datetime) -> Sequence[Action]:
        """What `reconcile` decides for the replica set and its VMIs."""
        del now
        uid = uid_of(obj)
        return reconcile(obj, view.owned(VMI, uid), view.in_creation(uid), self._suffix)

    def _suffix(self) -> str:
        return new_suffix(self._rng)


def reconcile(
    vmirs: JSON, vmis: Collection[JSON], in_creation: int, new_suffix: Callable[[], str]
) -> tuple[Action, ...]:
    """What to write next for a replica set.

    Args:
        vmirs: The replica set.
        vmis: The VMIs that it owns, in whatever phase.
        in_creation: How many more it has created that are not among `vmis` yet; without
            them it would make too many.
        new_suffix: Makes the end of a new VMI's name.
    """
    remaining = [vmi for vmi in vmis if not is_deleting(vmi)]
    ended = [vmi for vmi in remaining if is_final(vmi)]
    active = [vmi for vmi in remaining if not is_final(vmi)]
    status = _report(vmirs, active)
    if vmirs["spec"].get("paused"):
        return status
    missing = replicas_of(vmirs) - len(active) - in_creation
    created = [
        Create(VMI, _vmi_of(vmirs, new_suffix())) for _ in range(min(missing, MAX_CHANGES_AT_ONCE))
    ]
    surplus = least_useful(active)[: max(-missing, 0)]
    deleted = [Delete(VMI, vmi) for vmi in [*ended, *surplus][:MAX_CHANGES_AT_ONCE]]
    return (*created, *deleted, *status)


def _vmi_of(vmirs: JSON, suffix: str) -> JSON:
    template: JSON = vmirs["spec"].get("template") or {}
    of_template: JSON = template.get("metadata") or {}
    metadata: JSON = {
        # KubeVirt puts nothing between the two.
        "name": f"{vmirs['metadata']['name']}{suffix}",
        "namespace": vmirs["metadata"]["namespace"],
        "labels": dict(of_template.get("labels") or {}),
        "finalizers": [VMI_FINALIZER],
        "ownerReferences": [owner_reference(VMIRS, vmirs)],
    }
    if annotations := of_template.get("annotations"):
        metadata["annotations"] = dict(annotations)
    return {
        "apiVersion": VMI.api_version,
        "kind": VMI.kind,
        "metadata": metadata,
        "spec": template.get("spec") or {},
    }


def _report(vmirs: JSON, active: Collection[JSON]) -> tuple[Action, ...]:
    old: JSON = vmirs.get("status") or {}
    labels: JSON = (vmirs["spec"].get("selector") or {}).get("matchLabels") or {}
    status = {
        **old,
        "replicas": len(active),
        "readyReplicas": sum(map(is_ready, active)),
        "labelSelector": ",".join(f"{key}={value}" for key, value in sorted(labels.items())),
    }
    return () if status == old else (UpdateStatus(VMIRS, with_status(vmirs, status)),)
