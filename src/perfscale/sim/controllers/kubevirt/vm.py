"""A VM: keeps at most one VMI of its own name, as its run strategy says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from perfscale.sim.controllers.actions import Action, Create, Delete, Update, UpdateStatus
from perfscale.sim.controllers.kinds import DATA_VOLUME, VM, VMI
from perfscale.sim.controllers.kubevirt.run_strategy import (
    Plan,
    RunStrategy,
    is_backing_off,
    plan,
    requests_of,
    strategy_of,
)
from perfscale.sim.controllers.kubevirt.vm_status import status_of
from perfscale.sim.controllers.kubevirt.vm_volumes import (
    NO_VOLUMES,
    Volumes,
    vm_of,
    volumes_of,
)
from perfscale.sim.controllers.kubevirt.vmi import FINALIZER as VMI_FINALIZER
from perfscale.sim.controllers.kubevirt.vmi import VM_FINALIZER, is_final
from perfscale.sim.controllers.objects import (
    controller_of,
    finalizers_of,
    is_deleting,
    key_of,
    owner_reference,
    uid_of,
    with_finalizers,
    with_status,
)
from perfscale.sim.latency import BACK_OFFS, Stage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from perfscale.kube.resources import Resource
    from perfscale.sim.controllers.actions import Follows, View
    from perfscale.sim.controllers.store import JSON

FINALIZER: Final = VM_FINALIZER
# Of the API machinery: the owner goes, and what it owns stays.
_ORPHAN: Final = "orphan"


class VmController:
    """Starts and stops the VMIs of VMs, and reports on them in the VM's status."""

    resource = VM
    owns = VMI

    @property
    def follows(self) -> Mapping[Resource, Follows]:
        """The data volumes that a VM has made, and that its instance waits for."""
        return {DATA_VOLUME: lambda volume, _: vm_of(volume)}

    def stage(self, obj: JSON) -> Stage | None:
        """Nothing is waited for but a start after one that failed.

        One that is deleted and released is not ours any more.
        """
        if is_deleting(obj):
            return Stage.NOW if FINALIZER in finalizers_of(obj) else None
        if not is_backing_off(obj):
            return Stage.NOW
        failures = obj["status"]["startFailure"].get("consecutiveFailCount", 1)
        return BACK_OFFS[min(failures, len(BACK_OFFS)) - 1]

    def act(self, obj: JSON, view: View, now: datetime) -> Sequence[Action]:
        """What `reconcile` decides for the VM and the VMI of its name."""
        return reconcile(
            obj,
            view.find(VMI, key_of(obj)),
            now,
            is_creating=view.in_creation(uid_of(obj)) > 0,
            may_start=self.stage(obj) in BACK_OFFS,
            volumes=volumes_of(obj, view),
        )


def reconcile(
    vm: JSON,
    vmi: JSON | None,
    now: datetime,
    *,
    is_creating: bool = False,
    may_start: bool = False,
    volumes: Volumes = NO_VOLUMES,
) -> tuple[Action, ...]:
    """What to write next for a VM.

    Args:
        vm: The VM.
        vmi: The VMI of the same name, whoever made it; None where there is none.
        now: The time that goes into new conditions.
        is_creating: Whether the VMI has been created, and only not been seen yet.
        may_start: Whether it has waited long enough since a start that failed.
        volumes: What its data volumes allow.

    Returns:
        At most one write of the VM itself: the watch brings it back with its new
        resourceVersion, and then the next one is decided.
    """
    own = vmi if vmi is not None and _is_owned(vm, vmi) else None
    if is_deleting(vm):
        return _end(vm, own, now)
    if FINALIZER not in finalizers_of(vm):
        return (Update(VM, with_finalizers(vm, [*finalizers_of(vm), FINALIZER])),)
    if is_creating or volumes.missing:
        return () if is_creating else volumes.missing
    if strategy_of(vm) is RunStrategy.HALTED and _is_to_start(vm, own):
        return (Update(VM, _always(vm)),)
    planned = plan(vm, own, may_start=may_start)
    if vmi is not None and own is None:
        # A VMI of another owner has the name: leave it alone, and wait until it goes.
        return _report(vm, None, planned, now)
    may_be_made = planned.starts and volumes.ready
    starting = (Create(VMI, _vmi_of(vm, planned)),) if may_be_made else ()
    stopping = (Delete(VMI, own),) if planned.stops and own is not None else ()
    return (*starting, *stopping, *_let_go(own), *_report(vm, own, planned, now, volumes.shown))


def _is_owned(vm: JSON, vmi: JSON) -> bool:
    owner = controller_of(vmi)
    return owner is not None and owner.get("uid") == uid_of(vm)


def _end(vm: JSON, own: JSON | None, now: datetime) -> tuple[Action, ...]:
    """What to write of a VM that is being deleted: it goes after its VMI."""
    if own is None or _ORPHAN in finalizers_of(vm):
        kept = (name for name in finalizers_of(vm) if name != FINALIZER)
        return (Update(VM, with_finalizers(vm, kept)),)
    deletion = () if is_deleting(own) else (Delete(VMI, own),)
    planned = Plan(False, False, False, requests_of(vm), None)
    return (*deletion, *_let_go(own), *_report(vm, own, planned, now))


def _let_go(vmi: JSON | None) -> tuple[Action, ...]:
    """Take the VM's finalizer from a VMI that has ended and is being deleted."""
    if vmi is None or not (is_deleting(vmi) and is_final(vmi)):
        return ()
    finalizers = finalizers_of(vmi)
    if FINALIZER not in finalizers:
        return ()
    kept = (name for name in finalizers if name != FINALIZER)
    return (Update(VMI, with_finalizers(vmi, kept)),)


def _is_to_start(vm: JSON, own: JSON | None) -> bool:
    requested = any(request.get("action") == "Start" for request in requests_of(vm))
    return own is None and requested


def _always(vm: JSON) -> JSON:
    spec = vm["spec"]
    if spec.get("running") is not None:
        return {**vm, "spec": {**spec, "running": True}}
    return {**vm, "spec": {**spec, "runStrategy": str(RunStrategy.ALWAYS)}}


def _vmi_of(vm: JSON, planned: Plan) -> JSON:
    template: JSON = (vm.get("spec") or {}).get("template") or {}
    of_template: JSON = template.get("metadata") or {}
    name = vm["metadata"]["name"]
    metadata: JSON = {
        "name": name,
        "namespace": vm["metadata"]["namespace"],
        # Labels of the VM itself stay with the VM.
        "labels": {**(of_template.get("labels") or {}), "vm.kubevirt.io/name": name},
        "finalizers": [VMI_FINALIZER, FINALIZER],
        "ownerReferences": [owner_reference(VM, vm)],
    }
    if annotations := of_template.get("annotations"):
        metadata["annotations"] = dict(annotations)
    spec: JSON = template.get("spec") or {}
    return {
        "apiVersion": VMI.api_version,
        "kind": VMI.kind,
        "metadata": metadata,
        "spec": {**spec, "startStrategy": "Paused"} if planned.starts_paused else spec,
    }


def _report(
    vm: JSON, vmi: JSON | None, planned: Plan, now: datetime, waits: str = ""
) -> tuple[Action, ...]:
    old: JSON = vm.get("status") or {}
    status = status_of(vm, vmi, planned, now, waits)
    return () if status == old else (UpdateStatus(VM, with_status(vm, status)),)
