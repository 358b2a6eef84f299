"""A live migration, as virt-controller and virt-handler lead it from one node to another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from perfscale.sim.controllers.actions import Action, Delete, Revise, Update, UpdateStatus
from perfscale.sim.controllers.kinds import NODE, VMI, VMIM
from perfscale.sim.controllers.kubevirt.migration import events, state
from perfscale.sim.controllers.kubevirt.migration.queue import FINAL_PHASES, vmi_of
from perfscale.sim.controllers.kubevirt.placement import NODE_NAMES, place
from perfscale.sim.controllers.kubevirt.vmi import Phase, is_final
from perfscale.sim.controllers.objects import (
    condition,
    condition_of,
    entered,
    finalizers_of,
    is_deleting,
    key_of,
    phase_of,
    uid_of,
    with_condition,
    with_finalizers,
    with_status,
)
from perfscale.sim.latency import Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from perfscale.kube.resources import Resource
    from perfscale.sim.controllers.actions import Follows, View
    from perfscale.sim.controllers.store import JSON

FINALIZER: Final = "kubevirt.io/migrationJobFinalize"
ABORT_REQUESTED: Final = "migrationAbortRequested"

_NEXT: Final[Mapping[str, str]] = {
    "": "Pending",
    "Pending": "Scheduling",
    "Scheduling": "Scheduled",
    "Scheduled": "PreparingTarget",
    "PreparingTarget": "TargetReady",
    "TargetReady": "Running",
    "Running": "Succeeded",
}
_WAITS: Final[Mapping[str, Stage]] = {
    "": Stage.MIGRATION_ACCEPTING,
    "Pending": Stage.NOW,
    "Scheduling": Stage.MIGRATION_SCHEDULING,
    "Scheduled": Stage.MIGRATION_STEP,
    "PreparingTarget": Stage.MIGRATION_STEP,
    "TargetReady": Stage.MIGRATION_STEP,
    "Running": Stage.MIGRATION_COPYING,
}


class VmimController:
    """Moves migrations through their phases, so many at a time."""

    resource = VMIM
    owns = None

    @property
    def follows(self) -> Mapping[Resource, Follows]:
        """What a migration waits for: its instance, another's end, a node."""
        return {
            VMI: lambda vmi, view: view.facts.migrations.of(key_of(vmi)),
            VMIM: lambda _, view: view.facts.migrations.woken(),
            NODE: lambda _, view: view.facts.migrations.woken(),
        }

    def stage(self, obj: JSON) -> Stage | None:
        """The wait that belongs to the migration's phase, or to its end."""
        phase, is_held = phase_of(obj), FINALIZER in finalizers_of(obj)
        if is_deleting(obj):
            is_aborting = condition_of(obj, ABORT_REQUESTED) is not None
            is_waited_for = is_aborting and phase not in FINAL_PHASES
            return (Stage.MIGRATION_ABORTING if is_waited_for else Stage.NOW) if is_held else None
        if phase in FINAL_PHASES:
            # It goes with its instance.
            return Stage.MIGRATION_RELEASING if is_held and phase == "Succeeded" else Stage.NOW
        return _WAITS[phase] if is_held else Stage.NOW

    def act(self, obj: JSON, view: View, now: datetime) -> Sequence[Action]:
        """Write the migration and its instance as they are one step further."""
        vmi, phase = view.find(VMI, vmi_of(obj)), phase_of(obj)
        is_held = FINALIZER in finalizers_of(obj)
        if phase in FINAL_PHASES:
            if is_held:
                return (*_ended(obj, vmi, now), Update(VMIM, _released(obj)))
            return (Delete(VMIM, obj),) if vmi is None and not is_deleting(obj) else ()
        if is_deleting(obj):
            return _aborted(obj, vmi, now)
        if not is_held:
            # Where there is no webhook that has done so.
            return (Update(VMIM, with_finalizers(obj, [*finalizers_of(obj), FINALIZER])),)
        if vmi is None or is_deleting(vmi) or is_final(vmi):
            return _failed(obj, now, "The VMI of the migration is gone, or has ended")
        return _step(obj, vmi, view, now)


def _in_phase(vmim: JSON, phase: str, now: datetime, **changed: object) -> Action:
    return UpdateStatus(VMIM, with_status(vmim, {**entered(vmim, phase, now), **changed}))


def _failed(vmim: JSON, now: datetime, why: str) -> Sequence[Action]:
    return (_in_phase(vmim, "Failed", now), *events.entered(vmim, "Failed", now, why=why))


def _released(vmim: JSON) -> JSON:
    return with_finalizers(vmim, (each for each in finalizers_of(vmim) if each != FINALIZER))


def _step(vmim: JSON, vmi: JSON, view: View, now: datetime) -> Sequence[Action]:
    phase = phase_of(vmim)
    following = _NEXT[phase]
    if phase == "":
        return (_in_phase(vmim, following, now),)
    if phase == "Pending":
        return _begun(vmim, vmi, view, now)
    plan: JSON = (vmim.get("status") or {})["migrationState"]
    if phase == "Scheduling":
        return (_in_phase(vmim, following, now),)
    changes: Mapping[str, Sequence[Callable[[JSON], JSON]]] = {
        "Scheduled": (lambda obj: state.handed_over(obj, plan),),
        "PreparingTarget": (lambda obj: state.prepared(obj, plan),),
        "TargetReady": (lambda obj: state.started(obj, now),),
        "Running": (
            lambda obj: state.arrived(obj, plan, now),
            lambda obj: state.completed(obj, now),
        ),
    }
    revised = [_revised(vmim, vmi, each, is_first=phase == "Scheduled") for each in changes[phase]]
    said = events.entered(vmim, following, now)
    return (*revised, _in_phase(vmim, following, now), *said)


def _revised(
    vmim: JSON, vmi: JSON, change: Callable[[JSON], JSON], *, is_first: bool = False
) -> Revise:
    """A change of the instance, as long as it is this migration's."""

    def changed(obj: JSON) -> JSON | None:
        is_ours = is_first or state.is_moved_by(obj, vmim)
        return change(obj) if is_ours and not is_final(obj) else None

    return Revise(VMI, vmi, changed)


def _begun(vmim: JSON, vmi: JSON, view: View, now: datetime) -> Sequence[Action]:
    """The target pod, if the instance runs, a node takes it, and it is this one's turn."""
    source = (vmi.get("status") or {}).get("nodeName")
    if phase_of(vmi) != Phase.RUNNING or source is None:
        return ()
    target = _target(vmim, source, view)
    if target is None or not view.facts.migrations.takes(vmim, source):
        return ()
    plan = state.plan_of(vmim, vmi, target)
    given = _revised(vmim, vmi, lambda obj: state.given_target(obj, vmim, target), is_first=True)
    said = events.entered(vmim, "Scheduling", now, pod=plan["targetPod"])
    return (given, _in_phase(vmim, "Scheduling", now, migrationState=plan), *said)


def _target(vmim: JSON, source: str, view: View) -> str | None:
    selector: JSON = (vmim.get("spec") or {}).get("addedNodeSelector") or {}
    nodes = view.facts.nodes
    if not nodes:
        # A server without nodes: instances are on made up ones.
        first = NODE_NAMES.index(place(uid_of(vmim)).node)
        names = (*NODE_NAMES[first:], *NODE_NAMES[:first])
        return next(name for name in names if name != source)
    fitting = [
        name
        for name, node in nodes.items()
        if name != source
        and node.is_open
        and all(node.labels.get(key) == value for key, value in selector.items())
    ]
    return min(fitting, key=lambda name: (view.facts.pods_on(name), name), default=None)


def _ended(vmim: JSON, vmi: JSON | None, now: datetime) -> Sequence[Action]:
    """What is left to do to the instance once the migration is over."""
    if vmi is None:
        return ()
    if phase_of(vmim) == "Succeeded":
        return (_revised(vmim, vmi, lambda obj: state.ready_again(obj, now)),)
    return (_revised(vmim, vmi, lambda obj: state.failed(obj, now)),)


def _aborted(vmim: JSON, vmi: JSON | None, now: datetime) -> Sequence[Action]:
    """Have the instance stay where it is, then give up."""
    has_begun = phase_of(vmim) not in ("", "Pending")
    if vmi is None or is_final(vmi) or not has_begun:
        return _failed(vmim, now, "The migration was deleted")
    if condition_of(vmim, ABORT_REQUESTED) is not None:
        failed = _revised(vmim, vmi, lambda obj: state.failed(obj, now))
        return (failed, *_failed(vmim, now, "Source node reported migration aborted"))
    requested = condition(ABORT_REQUESTED, holds=True, now=now)
    old: JSON = vmim.get("status") or {}
    conditions = with_condition(old.get("conditions") or (), requested)
    return (
        _revised(vmim, vmi, state.abort_requested),
        UpdateStatus(VMIM, with_status(vmim, {**old, "conditions": conditions})),
        events.aborted(vmim, now),
    )
