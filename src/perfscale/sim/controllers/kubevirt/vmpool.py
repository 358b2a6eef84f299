"""A pool of VMs: keeps as many as its spec says, numbered from 0."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perfscale.sim.controllers.actions import Action, Create, Delete, UpdateStatus
from perfscale.sim.controllers.kinds import VM, VM_POOL
from perfscale.sim.controllers.objects import condition, is_deleting, is_ready, uid_of, with_status
from perfscale.sim.controllers.workloads.replicas import (
    MAX_CHANGES_AT_ONCE,
    child_from,
    least_useful,
    replicas_of,
    with_conditions,
)
from perfscale.sim.latency import Stage

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from datetime import datetime

    from perfscale.sim.controllers.actions import View
    from perfscale.sim.controllers.store import JSON


class VmPoolController:
    """Creates and deletes the VMs of pools, and counts them in the status."""

    resource = VM_POOL
    owns = VM

    def stage(self, obj: JSON) -> Stage | None:
        """Nothing is waited for."""
        return None if is_deleting(obj) else Stage.NOW

    def act(self, obj: JSON, view: View, now: datetime) -> Sequence[Action]:
        """Create what is missing, delete what is too much, and count."""
        uid = uid_of(obj)
        owned = view.owned(VM, uid)
        vms = [vm for vm in owned if not is_deleting(vm)]
        report = _report(obj, vms, now)
        if obj["spec"].get("paused"):
            return report
        missing = replicas_of(obj) - len(vms) - view.in_creation(uid)
        numbers = _free_numbers(obj, owned)
        wanted = 0 if view.in_creation(uid) else min(missing, MAX_CHANGES_AT_ONCE)
        created = [_vm(obj, next(numbers)) for _ in range(wanted)]
        surplus = least_useful(vms)[: min(max(-missing, 0), MAX_CHANGES_AT_ONCE)]
        return (*created, *(Delete(VM, vm) for vm in surplus), *report)

    def failed(self, obj: JSON, reason: str, message: str, now: datetime) -> JSON:
        """Its status when no VM can be created."""
        old: JSON = obj.get("status") or {}
        failure = condition("ReplicaFailure", holds=True, now=now, reason=reason, message=message)
        return {**old, "conditions": with_conditions(old, [failure])}


def _free_numbers(pool: JSON, vms: Collection[JSON]) -> Iterator[int]:
    """The numbers that no VM of the pool has, not even one that is going."""
    prefix = f"{pool['metadata']['name']}-"
    taken = {vm["metadata"]["name"].removeprefix(prefix) for vm in vms}
    number = 0
    while True:
        if str(number) not in taken:
            yield number
        number += 1


def _vm(pool: JSON, number: int) -> Create:
    template: JSON = pool["spec"].get("virtualMachineTemplate") or {}
    spec: JSON = template.get("spec") or {}
    made = [
        {**each, "metadata": {**each["metadata"], "name": f"{each['metadata']['name']}-{number}"}}
        for each in spec.get("dataVolumeTemplates") or ()
    ]
    numbered = {"dataVolumeTemplates": made} if made else {}
    name = f"{pool['metadata']['name']}-{number}"
    return child_from(VM_POOL, pool, template, name, child=VM, spec=numbered)


def _report(pool: JSON, vms: Collection[JSON], now: datetime) -> tuple[Action, ...]:
    old: JSON = pool.get("status") or {}
    labels: JSON = (pool["spec"].get("selector") or {}).get("matchLabels") or {}
    is_paused = bool(pool["spec"].get("paused"))
    conditions = []
    if is_paused or old.get("conditions"):
        paused = condition("ReplicaPaused", holds=is_paused, now=now, reason="Paused")
        conditions = with_conditions(old, [paused])
    status = {
        **old,
        "replicas": len(vms),
        "readyReplicas": sum(map(is_ready, vms)),
        "labelSelector": ",".join(f"{key}={value}" for key, value in sorted(labels.items())),
        **({"conditions": conditions} if conditions else {}),
    }
    return () if status == old else (UpdateStatus(VM_POOL, with_status(pool, status)),)
