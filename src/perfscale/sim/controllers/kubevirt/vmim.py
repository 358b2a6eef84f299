"""A live migration: through its phases to Succeeded, if the VMI is running.

The VMI itself is left as it is: that it changed its node would be one more write, and
nothing that waits for migrations reads it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from perfscale.sim.controllers.actions import Action, Update, UpdateStatus
from perfscale.sim.controllers.kinds import VMI, VMIM
from perfscale.sim.controllers.kubevirt.vmi import Phase
from perfscale.sim.controllers.objects import (
    Key,
    entered,
    finalizers_of,
    is_deleting,
    phase_of,
    with_finalizers,
    with_status,
)
from perfscale.sim.latency import Stage

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from perfscale.sim.controllers.actions import View
    from perfscale.sim.controllers.store import JSON

FINALIZER: Final = "kubevirt.io/migrationJobFinalize"

_PHASES: Final = (
    "",
    "Pending",
    "Scheduling",
    "Scheduled",
    "PreparingTarget",
    "TargetReady",
    "Running",
    "Succeeded",
)
_UNFINISHED: Final = frozenset(_PHASES[:-1])


class VmimController:
    """Moves migrations through their phases."""

    resource = VMIM
    owns = None

    def stage(self, obj: JSON) -> Stage | None:
        """One wait between two phases; none before a write of the finalizer."""
        is_held = FINALIZER in finalizers_of(obj)
        if is_deleting(obj):
            return Stage.NOW if is_held else None
        if phase_of(obj) not in _UNFINISHED:
            return None
        return Stage.MIGRATION_STEP if is_held else Stage.NOW

    def act(self, obj: JSON, view: View, now: datetime) -> Sequence[Action]:
        """Write the migration as it is one step further."""
        finalizers = finalizers_of(obj)
        if is_deleting(obj):
            kept = (name for name in finalizers if name != FINALIZER)
            return (Update(VMIM, with_finalizers(obj, kept)),)
        if FINALIZER not in finalizers:
            return (Update(VMIM, with_finalizers(obj, [*finalizers, FINALIZER])),)
        phase = _next_phase(obj, view)
        return (UpdateStatus(VMIM, with_status(obj, entered(obj, phase, now))),)


def _next_phase(vmim: JSON, view: View) -> str:
    key = Key(vmim["metadata"]["namespace"], (vmim.get("spec") or {}).get("vmiName") or "")
    vmi = view.find(VMI, key)
    if vmi is None or phase_of(vmi) != Phase.RUNNING:
        return "Failed"
    return _PHASES[_PHASES.index(phase_of(vmim)) + 1]
