"""A VM: keeps at most one VMI of its own name, as its run strategy says."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from perfscale.sim.controllers.actions import Action, Create, Delete, Update, UpdateStatus
from perfscale.sim.controllers.kinds import VM, VMI
from perfscale.sim.controllers.kubevirt.vmi import FINALIZER as VMI_FINALIZER
from perfscale.sim.controllers.kubevirt.vmi import Phase, is_final
from perfscale.sim.controllers.objects import (
    condition,
    condition_of,
    controller_of,
    finalizers_of,
    is_deleting,
    is_ready,
    key_of,
    owner_reference,
    phase_of,
    uid_of,
    with_condition,
    with_finalizers,
    with_status,
)
from perfscale.sim.latency import Stage

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from perfscale.sim.controllers.actions import View
    from perfscale.sim.controllers.store import JSON

FINALIZER: Final = "kubevirt.io/virtualMachineControllerFinalize"


class RunStrategy(StrEnum):
    """The values of ``spec.runStrategy``."""

    ALWAYS = "Always"
    HALTED = "Halted"
    MANUAL = "Manual"
    RERUN_ON_FAILURE = "RerunOnFailure"
    ONCE = "Once"


_STARTS_BY_ITSELF: Final = frozenset(
    {RunStrategy.ALWAYS, RunStrategy.RERUN_ON_FAILURE, RunStrategy.ONCE}
)


class VmController:
    """Starts and stops the VMIs of VMs, and reports on them in the VM's status."""

    resource = VM
    owns = VMI

    def stage(self, obj: JSON) -> Stage | None:
        """Nothing is waited for; one that is deleted and released is not ours any more."""
        if is_deleting(obj) and FINALIZER not in finalizers_of(obj):
            return None
        return Stage.NOW

    def act(self, obj: JSON, view: View, now: datetime) -> Sequence[Action]:
        """What `reconcile` says of the VM and the VMI of its name."""
        is_creating = view.in_creation(uid_of(obj)) > 0
        return reconcile(obj, view.find(VMI, key_of(obj)), now, is_creating=is_creating)


def reconcile(
    vm: JSON, vmi: JSON | None, now: datetime, *, is_creating: bool = False
) -> tuple[Action, ...]:
    """What to write next for a VM.

    Args:
        vm: The VM.
        vmi: The VMI of the same name, whoever made it; None where there is none.
        now: The time that goes into new conditions.
        is_creating: Whether the VMI has been created, and only not been seen yet.

    Returns:
        At most one write of the VM itself: the watch brings it back with its new
        resourceVersion, and then the next one is decided.
    """
    own = vmi if vmi is not None and _is_owned(vm, vmi) else None
    if is_deleting(vm):
        if own is None:
            kept = (name for name in finalizers_of(vm) if name != FINALIZER)
            return (Update(VM, with_finalizers(vm, kept)),)
        deletion = () if is_deleting(own) else (Delete(VMI, own),)
        return (*deletion, *_report(vm, own, now))
    if FINALIZER not in finalizers_of(vm):
        return (Update(VM, with_finalizers(vm, [*finalizers_of(vm), FINALIZER])),)
    if vmi is not None and own is None:
        # A VMI of another owner has the name: leave it alone, and wait until it goes.
        return _report(vm, None, now)
    if is_creating:
        return ()
    return (*_start_or_stop(vm, own), *_report(vm, own, now))


def strategy_of(vm: JSON) -> RunStrategy:
    """The VM's run strategy; ``running: true`` means Always, and false Halted."""
    spec: JSON = vm.get("spec") or {}
    named = spec.get("runStrategy")
    if named:
        # A server without KubeVirt's webhooks lets any word pass; then nothing runs.
        return RunStrategy(named) if named in set(RunStrategy) else RunStrategy.HALTED
    return RunStrategy.ALWAYS if spec.get("running") else RunStrategy.HALTED


def _is_owned(vm: JSON, vmi: JSON) -> bool:
    owner = controller_of(vmi)
    return owner is not None and owner.get("uid") == uid_of(vm)


def _start_or_stop(vm: JSON, vmi: JSON | None) -> tuple[Action, ...]:
    strategy = strategy_of(vm)
    if vmi is None:
        return (Create(VMI, _vmi_of(vm)),) if strategy in _STARTS_BY_ITSELF else ()
    if is_deleting(vmi):
        return ()
    ended_wrongly = {
        RunStrategy.ALWAYS: is_final(vmi),
        RunStrategy.RERUN_ON_FAILURE: phase_of(vmi) == Phase.FAILED,
        RunStrategy.HALTED: True,
    }
    return (Delete(VMI, vmi),) if ended_wrongly.get(strategy, False) else ()


def _vmi_of(vm: JSON) -> JSON:
    template: JSON = (vm.get("spec") or {}).get("template") or {}
    of_template: JSON = template.get("metadata") or {}
    name = vm["metadata"]["name"]
    metadata: JSON = {
        "name": name,
        "namespace": vm["metadata"]["namespace"],
        # Labels of the VM itself stay with the VM.
        "labels": {**(of_template.get("labels") or {}), "vm.kubevirt.io/name": name},
        "finalizers": [VMI_FINALIZER],
        "ownerReferences": [owner_reference(VM, vm)],
    }
    if annotations := of_template.get("annotations"):
        metadata["annotations"] = dict(annotations)
    return {
        "apiVersion": VMI.api_version,
        "kind": VMI.kind,
        "metadata": metadata,
        "spec": template.get("spec") or {},
    }


def _report(vm: JSON, vmi: JSON | None, now: datetime) -> tuple[Action, ...]:
    old: JSON = vm.get("status") or {}
    status: JSON = {
        **old,
        "created": vmi is not None,
        "ready": vmi is not None and is_ready(vmi) and not is_deleting(vmi),
        "printableStatus": _printable_status(vm, vmi),
        "conditions": _conditions(old.get("conditions") or (), vmi, now),
        "runStrategy": str(strategy_of(vm)),
        "observedGeneration": vm["metadata"].get("generation", 1),
        "desiredGeneration": vm["metadata"].get("generation", 1),
    }
    return () if status == old else (UpdateStatus(VM, with_status(vm, status)),)


def _conditions(old: Sequence[JSON], vmi: JSON | None, now: datetime) -> list[JSON]:
    """The VM's: whether it is ready, and what the scheduler says of its VMI while it cannot run."""
    kept = (each for each in old if each.get("type") != "PodScheduled")
    said = with_condition(kept, _ready(vmi, now))
    unscheduled = _unscheduled(vmi)
    return said if unscheduled is None else [*said, unscheduled]


def _unscheduled(vmi: JSON | None) -> JSON | None:
    found = None if vmi is None else condition_of(vmi, "PodScheduled")
    return found if found is not None and found.get("status") == "False" else None


def _ready(vmi: JSON | None, now: datetime) -> JSON:
    if vmi is None:
        return condition(
            "Ready", holds=False, now=now, reason="VMINotExists", message="VMI does not exist"
        )
    return condition_of(vmi, "Ready") or condition(
        "Ready",
        holds=False,
        now=now,
        reason="GuestNotRunning",
        message="Guest VM is not reported as running",
    )


def _printable_status(vm: JSON, vmi: JSON | None) -> str:
    if is_deleting(vm):
        return "Terminating"
    if vmi is None:
        return "Starting" if strategy_of(vm) in _STARTS_BY_ITSELF else "Stopped"
    if is_deleting(vmi):
        return "Stopping"
    if is_final(vmi):
        # Always and RerunOnFailure delete it; otherwise the VM has run its course.
        return "Stopped"
    paused = condition_of(vmi, "Paused")
    if paused is not None and paused.get("status") == "True":
        return "Paused"
    return "Running" if phase_of(vmi) == Phase.RUNNING else _start_of(vmi)


def _start_of(vmi: JSON) -> str:
    unscheduled = _unscheduled(vmi)
    is_refused = unscheduled is not None and unscheduled.get("reason") == "Unschedulable"
    return "ErrorUnschedulable" if is_refused else "Starting"
