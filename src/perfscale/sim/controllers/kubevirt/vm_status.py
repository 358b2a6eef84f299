"""The status of a VM: mostly copied from its VMI, a write later."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

from perfscale.sim.controllers.kubevirt.readiness import is_paused
from perfscale.sim.controllers.kubevirt.run_strategy import (
    BACKS_OFF,
    STARTS_ONCE,
    Plan,
    strategy_of,
)
from perfscale.sim.controllers.kubevirt.vmi import Phase, is_final
from perfscale.sim.controllers.objects import (
    condition,
    condition_of,
    is_deleting,
    is_ready,
    phase_of,
    spec_digest,
    uid_of,
    with_condition,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from perfscale.sim.controllers.store import JSON

RESTART_REQUIRED: Final = "RestartRequired"
_OWN_CONDITIONS: Final = frozenset({"Ready", RESTART_REQUIRED})
_STARTING: Final = frozenset({"", Phase.PENDING, Phase.SCHEDULING, Phase.SCHEDULED})
_IMAGE_TROUBLES: Final = frozenset({"ErrImagePull", "ImagePullBackOff"})
# Of 100 VMs that were started under load, KubeVirt let 18 go from Stopped to Running.
_UNSEEN_STARTS: Final = (2, 11)


def status_of(vm: JSON, vmi: JSON | None, plan: Plan, now: datetime, waits: str = "") -> JSON:
    """The VM's status; the old one where there is nothing new to say.

    Args:
        vm: The VM.
        vmi: Its VMI, if it has one.
        plan: What becomes of it.
        now: The time that goes into new conditions.
        waits: What it shows while its data volumes are not filled; empty for nothing.
    """
    old: JSON = vm.get("status") or {}
    if old and not plan.requests and vmi is not None and _is_start_unseen(vmi):
        return old
    said: JSON = {
        "created": vmi is not None or None,
        "ready": (vmi is not None and is_ready(vmi)) or None,
        "printableStatus": printable_status(vm, vmi, plan.failure, waits),
        "conditions": _conditions(vm, vmi, now),
        "stateChangeRequests": list(plan.requests) or None,
        "startFailure": plan.failure,
    }
    if vmi is not None or strategy_of(vm) not in STARTS_ONCE:
        said["runStrategy"] = str(strategy_of(vm))
    if vmi is not None:
        generation = vm["metadata"].get("generation", 1)
        said |= {"observedGeneration": generation, "desiredGeneration": generation}
    # As in Go: what is false or empty is not there at all.
    return {key: value for key, value in {**old, **said}.items() if value is not None}


def printable_status(vm: JSON, vmi: JSON | None, failure: JSON | None, waits: str = "") -> str:
    """What kubectl shows: the first of KubeVirt's list that holds."""
    if is_deleting(vm):
        return "Terminating"
    if vmi is None or is_final(vmi):
        if waits:
            return waits
        backs_off = failure is not None and strategy_of(vm) in BACKS_OFF
        return "CrashLoopBackOff" if backs_off else "Stopped"
    return "Stopping" if is_deleting(vmi) else _status_of_living(vmi)


def _status_of_living(vmi: JSON) -> str:
    if _is_migrating(vmi):
        return "Migrating"
    if is_paused(vmi):
        return "Paused"
    if phase_of(vmi) == Phase.RUNNING:
        return "Running"
    return trouble_of(vmi) or ("Starting" if phase_of(vmi) in _STARTING else "Unknown")


def trouble_of(vmi: JSON) -> str:
    """What keeps a VMI from running, as its VM shows it; empty where nothing does."""
    if _reason_against(vmi, "PodScheduled") == "Unschedulable":
        return "ErrorUnschedulable"
    reason = _reason_against(vmi, "Synchronized")
    return reason if reason in _IMAGE_TROUBLES else ""


def _reason_against(vmi: JSON, kind: str) -> str:
    found = condition_of(vmi, kind)
    if found is None or found.get("status") != "False":
        return ""
    return str(found.get("reason") or "")


def _is_migrating(vmi: JSON) -> bool:
    migration: JSON = (vmi.get("status") or {}).get("migrationState") or {}
    return bool(migration.get("startTimestamp")) and not migration.get("endTimestamp")


def _is_start_unseen(vmi: JSON) -> bool:
    """Whether the VM's controller is too busy to see its VMI before it runs."""
    if phase_of(vmi) not in _STARTING or is_deleting(vmi) or trouble_of(vmi):
        return False
    unseen, of_all = _UNSEEN_STARTS
    return zlib.crc32(uid_of(vmi).encode()) % of_all < unseen


def _conditions(vm: JSON, vmi: JSON | None, now: datetime) -> list[JSON]:
    """The VMI's conditions, copied, and the VM's own; those of a VMI that is gone stay."""
    old: Sequence[JSON] = (vm.get("status") or {}).get("conditions") or ()
    if vmi is None:
        kept = (each for each in old if each.get("type") != RESTART_REQUIRED)
        missing = condition(
            "Ready", holds=False, now=now, reason="VMINotExists", message="VMI does not exist"
        )
        return with_condition(kept, missing)
    copied: Sequence[JSON] = (vmi.get("status") or {}).get("conditions") or ()
    said = [each for each in old if each.get("type") in _OWN_CONDITIONS]
    said = with_condition(said, condition_of(vmi, "Ready") or _unknown_readiness(now))
    said = [each for each in said if each.get("type") != RESTART_REQUIRED]
    if _needs_restart(vm, vmi):
        said = [*said, _kept(old, _restart_required(now))]
    return [*said, *(each for each in copied if each.get("type") not in _OWN_CONDITIONS)]


def _kept(old: Sequence[JSON], made: JSON) -> JSON:
    """The condition as it was, if it was there."""
    return next((each for each in old if each.get("type") == made["type"]), made)


def _unknown_readiness(now: datetime) -> JSON:
    return condition(
        "Ready",
        holds=False,
        now=now,
        reason="VMIConditionMissing",
        message="VMI is missing the Ready condition",
    )


def _restart_required(now: datetime) -> JSON:
    return condition(
        RESTART_REQUIRED,
        holds=True,
        now=now,
        message="a non-live-updatable field was changed in the template spec",
    )


def _needs_restart(vm: JSON, vmi: JSON) -> bool:
    """Whether the VMI was made from another template than the VM has now."""
    if vm["metadata"].get("generation", 1) == 1 or is_final(vmi):
        return False
    template: JSON = (vm.get("spec") or {}).get("template") or {}
    return spec_digest(template) != spec_digest(vmi)
