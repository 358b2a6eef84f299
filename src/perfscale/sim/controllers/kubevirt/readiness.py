"""The conditions of a VMI that say whether its guest can be used, in KubeVirt's words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from perfscale.sim.controllers.objects import condition, condition_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from perfscale.sim.controllers.store import JSON

READINESS_GATE: Final = "kubevirt.io/virtual-machine-unpaused"
"""What keeps the pod of a paused VMI from being ready."""

GUEST_NOT_RUNNING: Final = "GuestNotRunning"
TERMINATING: Final = "PodTerminating"
GATED: Final = "ReadinessGatesNotReady"

_MESSAGES: Final[Mapping[str, str]] = {
    GUEST_NOT_RUNNING: "Guest VM is not reported as running",
    TERMINATING: "virt-launcher pod is terminating",
    GATED: (f'the status of pod readiness gate "{READINESS_GATE}" is not "True", but False'),
}


def ready(now: datetime) -> JSON:
    """Ready, since now."""
    return condition("Ready", holds=True, now=now)


def not_ready(reason: str, now: datetime) -> JSON:
    """Not ready, since now, for one of the reasons of this module."""
    return condition("Ready", holds=False, now=now, reason=reason, message=_MESSAGES[reason])


def paused(now: datetime) -> JSON:
    """Paused by a user, since now."""
    return condition(
        "Paused", holds=True, now=now, reason="PausedByUser", message="VMI was paused by user"
    )


def is_paused(vmi: JSON) -> bool:
    """Whether somebody has paused the VMI."""
    found = condition_of(vmi, "Paused")
    return found is not None and found.get("status") == "True"


def readiness_reason(vmi: JSON) -> str:
    """Why the VMI is not ready; empty where it is, or nothing says why."""
    found = condition_of(vmi, "Ready")
    if found is None or found.get("status") != "False":
        return ""
    return str(found.get("reason") or "")
