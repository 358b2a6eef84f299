"""Replica sets, and the replication controllers that came before them: so many equal pods."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perfscale.sim.controllers.actions import Action, Delete, UpdateStatus
from perfscale.sim.controllers.kinds import POD
from perfscale.sim.controllers.objects import (
    is_deleting,
    is_ready,
    uid_of,
    with_status,
)
from perfscale.sim.controllers.workloads.replicas import (
    MAX_CHANGES_AT_ONCE,
    active,
    child_from,
    failed_status,
    generation_of,
    least_useful,
    new_suffix,
    replicas_of,
)
from perfscale.sim.latency import Stage

if TYPE_CHECKING:
    import random
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from perfscale.kube.resources import Resource
    from perfscale.sim.controllers.actions import View
    from perfscale.sim.controllers.store import JSON


class ReplicaSetController:
    """Keeps as many pods as the spec says.

    Args:
        resource: Replica sets or replication controllers.
        names: Where the suffixes of the pods' names come from.
    """

    owns = POD

    def __init__(self, resource: Resource, names: random.Random) -> None:
        self.resource = resource
        self._names = names

    def stage(self, obj: JSON) -> Stage | None:
        """Nothing is waited for."""
        return None if is_deleting(obj) else Stage.NOW

    def act(self, obj: JSON, view: View, now: datetime) -> Sequence[Action]:
        """Create what is missing, delete what is too much, and count."""
        del now
        uid = uid_of(obj)
        owned = view.owned(POD, uid)
        pods = active(owned)
        missing = replicas_of(obj) - len(pods) - view.in_creation(uid)
        created = [
            child_from(
                self.resource,
                obj,
                obj["spec"].get("template") or {},
                f"{obj['metadata']['name']}-{new_suffix(self._names)}",
            )
            for _ in range(min(missing, MAX_CHANGES_AT_ONCE))
        ]
        surplus = least_useful(pods)[: min(max(-missing, 0), MAX_CHANGES_AT_ONCE)]
        return (
            *created,
            *(Delete(POD, pod) for pod in surplus),
            *self._report(obj, pods, sum(map(is_deleting, owned))),
        )

    def failed(self, obj: JSON, reason: str, message: str, now: datetime) -> JSON:
        """Its status when no pod can be created."""
        return failed_status(obj, reason, message, now)

    def _report(self, obj: JSON, pods: Collection[JSON], going: int) -> tuple[Action, ...]:
        old: JSON = obj.get("status") or {}
        ready = sum(map(is_ready, pods))
        status = {
            **old,
            "observedGeneration": generation_of(obj),
            "replicas": len(pods),
            "fullyLabeledReplicas": len(pods),
            "readyReplicas": ready,
            "availableReplicas": ready,
            "terminatingReplicas": going,
        }
        return () if status == old else (UpdateStatus(self.resource, with_status(obj, status)),)
