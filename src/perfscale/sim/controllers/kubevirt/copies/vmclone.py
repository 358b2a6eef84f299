"""Clones of VMs. Of their snapshots and restores there are no more than the names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from perfscale.sim.controllers.actions import Action, UpdateStatus
from perfscale.sim.controllers.kinds import VM, VM_CLONE
from perfscale.sim.controllers.kubevirt.copies.vmrestore import copied_vm
from perfscale.sim.controllers.kubevirt.copies.vmsnapshot import source_of
from perfscale.sim.controllers.objects import (
    Key,
    condition,
    entered,
    is_deleting,
    key_of,
    phase_of,
    timestamp,
    uid_of,
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

_NEXT: Final[Mapping[str, str]] = {
    "": "SnapshotInProgress",
    "SnapshotInProgress": "CreatingTargetVM",
    "CreatingTargetVM": "RestoreInProgress",
    "RestoreInProgress": "Succeeded",
}


class VmCloneController:
    """Moves clones through their phases, and makes the new VMs, stopped."""

    resource = VM_CLONE
    owns = None

    @property
    def follows(self) -> Mapping[Resource, Follows]:
        """The VM that is cloned."""
        return {VM: _clones_of}

    def stage(self, obj: JSON) -> Stage | None:
        """A wait between two phases."""
        if is_deleting(obj) or phase_of(obj) not in _NEXT:
            return None
        return Stage.VM_CLONE_STEP if phase_of(obj) else Stage.NOW

    def act(self, obj: JSON, view: View, now: datetime) -> Sequence[Action]:
        """Write it one step further."""
        source, phase = view.find(VM, source_of(obj)), phase_of(obj)
        if source is None:
            # A source may come later; once the snapshot is made, it is not needed any more.
            return () if not phase else (self._write(obj, self.failed(obj, *_GONE, now)),)
        target = _target_name(obj)
        status = {**_status(obj, _NEXT[phase], now), "targetName": target}
        key = Key(key_of(obj).namespace, target)
        is_missing = phase == "SnapshotInProgress" and view.find(VM, key) is None
        made = (copied_vm(source, target),) if is_missing else ()
        return (*made, self._write(obj, status))

    def failed(self, obj: JSON, reason: str, message: str, now: datetime) -> JSON:
        """Its status once it has failed."""
        status = entered(obj, "Failed", now)
        failure = condition("Failure", holds=True, now=now, reason=reason, message=message)
        return {**status, "conditions": with_conditions(status, [failure])}

    def _write(self, clone: JSON, status: JSON) -> Action:
        return UpdateStatus(VM_CLONE, with_status(clone, status))


_GONE: Final = ("SourceDoesNotExist", "the source of the clone does not exist")


def _target_name(clone: JSON) -> str:
    target: JSON = clone["spec"].get("target") or {}
    named: str | None = target.get("name")
    return named or f"clone-{source_of(clone).name}-{uid_of(clone)[-5:]}"


def _status(clone: JSON, phase: str, now: datetime) -> JSON:
    old: JSON = clone.get("status") or {}
    is_done = phase == "Succeeded"
    uid = uid_of(clone)
    said = [
        condition("Progressing", holds=not is_done, now=now, reason=phase),
        condition("Ready", holds=is_done, now=now, reason=phase),
    ]
    return {
        **old,
        "phase": phase,
        "creationTime": old.get("creationTime") or timestamp(now),
        "snapshotName": f"tmp-snapshot-{uid}",
        "restoreName": f"tmp-restore-{uid}",
        "conditions": with_conditions(old, said),
    }


def _clones_of(vm: JSON, view: View) -> Iterable[Key]:
    if vm.get("status"):
        return  # only a VM that has just been created is waited for
    key = key_of(vm)
    for clone in view.all(VM_CLONE):
        if source_of(clone) == key and not phase_of(clone):
            yield key_of(clone)
