"""Snapshots of VMs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from perfscale.sim.controllers.actions import Action, Update, UpdateStatus
from perfscale.sim.controllers.kinds import VM, VM_SNAPSHOT, VMI
from perfscale.sim.controllers.objects import (
    Key,
    condition,
    finalizers_of,
    is_deleting,
    key_of,
    phase_of,
    timestamp,
    uid_of,
    with_finalizers,
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

_FINAL_PHASES: Final = ("Succeeded", "Failed")
FINALIZER: Final = "snapshot.kubevirt.io/vmsnapshot-protection"


def source_of(obj: JSON) -> Key:
    """The VM that something is a copy of."""
    source: JSON = (obj.get("spec") or {}).get("source") or {}
    return Key(key_of(obj).namespace, source.get("name") or "")


class VmSnapshotController:
    """Makes snapshots of VMs ready to use; one of a VM that is not there waits for it."""

    resource = VM_SNAPSHOT
    owns = None

    @property
    def follows(self) -> Mapping[Resource, Follows]:
        """The VM that a snapshot is of."""
        return {VM: _snapshots_of}

    def stage(self, obj: JSON) -> Stage | None:
        """The time that copying takes; none before a write of the finalizer."""
        is_held = FINALIZER in finalizers_of(obj)
        if is_deleting(obj):
            return Stage.NOW if is_held else None
        if phase_of(obj) in _FINAL_PHASES:
            # Restores have to know what it is of: it must not become a gist.
            return Stage.NOW
        return Stage.VM_SNAPSHOT if is_held and phase_of(obj) else Stage.NOW

    def act(self, obj: JSON, view: View, now: datetime) -> Sequence[Action]:
        """Write it one step further."""
        finalizers = finalizers_of(obj)
        if is_deleting(obj):
            kept = (each for each in finalizers if each != FINALIZER)
            return (Update(VM_SNAPSHOT, with_finalizers(obj, kept)),)
        if FINALIZER not in finalizers:
            return (Update(VM_SNAPSHOT, with_finalizers(obj, [*finalizers, FINALIZER])),)
        if phase_of(obj) in _FINAL_PHASES:
            return ()
        status = _status(obj, view, now)
        if status == obj.get("status"):
            return ()
        return (UpdateStatus(VM_SNAPSHOT, with_status(obj, status)),)

    def failed(self, obj: JSON, reason: str, message: str, now: datetime) -> JSON:
        """Its status once it has failed."""
        old: JSON = obj.get("status") or {}
        failure = condition("Failure", holds=True, now=now, reason=reason, message=message)
        return {
            **old,
            "phase": "Failed",
            "readyToUse": False,
            "error": {"message": message, "time": timestamp(now)},
            "conditions": with_conditions(old, [failure, _ready(now, holds=False)]),
        }


def _ready(now: datetime, *, holds: bool) -> JSON:
    reason = "Operation complete" if holds else "Not ready"
    return condition("Ready", holds=holds, now=now, reason=reason)


def _progressing(now: datetime, reason: str, *, holds: bool) -> JSON:
    return condition("Progressing", holds=holds, now=now, reason=reason)


def _status(snapshot: JSON, view: View, now: datetime) -> JSON:
    old: JSON = snapshot.get("status") or {}
    key = source_of(snapshot)
    vm = view.find(VM, key)
    if vm is None:
        said = [
            _progressing(now, "Source does not exist", holds=False),
            _ready(now, holds=False),
        ]
        return {**old, "phase": "", "readyToUse": False, "conditions": with_conditions(old, said)}
    if not phase_of(snapshot):
        said = [_progressing(now, "Source locked and operation in progress", holds=True)]
        return {
            **old,
            "phase": "InProgress",
            "readyToUse": False,
            "sourceUID": uid_of(vm),
            "conditions": with_conditions(old, [*said, _ready(now, holds=False)]),
        }
    is_online = view.find(VMI, key) is not None
    done = [_progressing(now, "Operation complete", holds=False), _ready(now, holds=True)]
    return {
        **old,
        "phase": "Succeeded",
        "readyToUse": True,
        "creationTime": timestamp(now),
        "virtualMachineSnapshotContentName": f"vmsnapshot-content-{uid_of(snapshot)}",
        "indications": ["Online", "NoGuestAgent"] if is_online else [],
        "conditions": with_conditions(old, done),
    }


def _snapshots_of(vm: JSON, view: View) -> Iterable[Key]:
    if vm.get("status"):
        return  # only a VM that has just been created is waited for
    key = key_of(vm)
    for snapshot in view.all(VM_SNAPSHOT):
        if source_of(snapshot) == key:
            yield key_of(snapshot)
