"""Restores of VMs from their snapshots."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perfscale.sim.controllers.actions import Action, Create, UpdateStatus
from perfscale.sim.controllers.kinds import VM, VM_RESTORE, VM_SNAPSHOT, VMI
from perfscale.sim.controllers.objects import (
    Key,
    condition,
    is_deleting,
    key_of,
    phase_of,
    timestamp,
    with_status,
)
from perfscale.sim.controllers.workloads.replicas import with_conditions
from perfscale.sim.latency import Stage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from perfscale.kube.resources import Resource
    from perfscale.sim.controllers.actions import Follows, View
    from perfscale.sim.controllers.store import JSON


def _target_of(restore: JSON) -> Key:
    target: JSON = (restore.get("spec") or {}).get("target") or {}
    return Key(key_of(restore).namespace, target.get("name") or "")


def _snapshot_of(restore: JSON) -> Key:
    name = (restore.get("spec") or {}).get("virtualMachineSnapshotName") or ""
    return Key(key_of(restore).namespace, name)


def copied_vm(vm: JSON, name: str) -> Create:
    """The creation of a stopped VM like another one."""
    spec = {key: value for key, value in vm["spec"].items() if key != "running"}
    metadata = {
        "name": name,
        "namespace": vm["metadata"]["namespace"],
        "labels": dict(vm["metadata"].get("labels") or {}),
    }
    typed = {"apiVersion": VM.api_version, "kind": VM.kind}
    return Create(VM, {**typed, "metadata": metadata, "spec": {**spec, "runStrategy": "Halted"}})


class VmRestoreController:
    """Restores VMs that are stopped; a target that does not exist is made, stopped."""

    resource = VM_RESTORE
    owns = None

    @property
    def follows(self) -> Mapping[Resource, Follows]:
        """What a restore waits for: its snapshot, and that its target is stopped."""
        return {
            VM_SNAPSHOT: lambda each, view: _waiting(view, snapshot=key_of(each)),
            VMI: _waiting_for_stop,
        }

    def stage(self, obj: JSON) -> Stage | None:
        """The time that copying takes."""
        if is_deleting(obj) or (obj.get("status") or {}).get("complete"):
            return None
        return Stage.VM_RESTORE if "complete" in (obj.get("status") or {}) else Stage.NOW

    def act(self, obj: JSON, view: View, now: datetime) -> Sequence[Action]:
        """Write it as begun, then as complete, or say what it waits for."""
        old: JSON = obj.get("status") or {}
        waits_for = _missing(obj, view)
        target = view.find(VM, _target_of(obj))
        is_begun = "complete" in old
        made: tuple[Action, ...] = ()
        if waits_for or not is_begun:
            status = _status(old, now, complete=False, reason=waits_for or "Restoring")
        else:
            status = _status(old, now, complete=True, reason="Operation complete")
            if target is None:
                made = self._target(obj, view)
        return (*made, *(() if status == old else (_written(obj, status),)))

    def _target(self, restore: JSON, view: View) -> tuple[Action, ...]:
        snapshot = view.find(VM_SNAPSHOT, _snapshot_of(restore)) or {}
        source = (snapshot.get("spec") or {}).get("source") or {}
        vm = view.find(VM, Key(_target_of(restore).namespace, source.get("name") or ""))
        return () if vm is None else (copied_vm(vm, _target_of(restore).name),)

    def failed(self, obj: JSON, reason: str, message: str, now: datetime) -> JSON:
        """Its status once it has failed."""
        old: JSON = obj.get("status") or {}
        failure = condition("Failure", holds=True, now=now, reason=reason, message=message)
        return {**old, "complete": False, "conditions": with_conditions(old, [failure])}


def _missing(restore: JSON, view: View) -> str:
    """What the restore waits for, in words; empty where it can go on."""
    snapshot = view.find(VM_SNAPSHOT, _snapshot_of(restore))
    if snapshot is None:
        return "VMSnapshot does not exist"
    if phase_of(snapshot) != "Succeeded":
        return "VMSnapshot not ready"
    if view.find(VMI, _target_of(restore)) is not None:
        return "Waiting for target to be ready"
    return ""


def _status(old: JSON, now: datetime, *, complete: bool, reason: str) -> JSON:
    said = [
        condition("Progressing", holds=not complete, now=now, reason=reason),
        condition("Ready", holds=complete, now=now, reason=reason),
    ]
    status = {**old, "complete": complete, "conditions": with_conditions(old, said)}
    return {**status, "restoreTime": timestamp(now)} if complete else status


def _written(restore: JSON, status: JSON) -> Action:
    return UpdateStatus(VM_RESTORE, with_status(restore, status))


def _waiting_for_stop(vmi: JSON, view: View) -> Iterable[Key]:
    # As long as it is there, its restores have to wait.
    key = key_of(vmi)
    return () if view.find(VMI, key) is not None else _waiting(view, target=key)


def _waiting(
    view: View, *, snapshot: Key | None = None, target: Key | None = None
) -> Iterable[Key]:
    for restore in view.all(VM_RESTORE):
        if (restore.get("status") or {}).get("complete"):
            continue
        if snapshot == _snapshot_of(restore) or target == _target_of(restore):
            yield key_of(restore)
