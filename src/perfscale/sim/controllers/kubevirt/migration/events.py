"""The events of a migration, as ``kubectl describe`` shows them.

https://github.com/kubevirt/kubevirt/tree/main/pkg/virt-controller/watch/migration
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from perfscale.sim.controllers.actions import Create
from perfscale.sim.controllers.events import Said, event_about
from perfscale.sim.controllers.kinds import EVENT, VMIM

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from perfscale.sim.controllers.store import JSON

_NORMAL: Final = "Normal"
_WARNING: Final = "Warning"
_OF_PHASE: Final[Mapping[str, tuple[str, str, str]]] = {
    "Scheduling": (_NORMAL, "SuccessfulCreate", "Created migration target pod {pod}"),
    "PreparingTarget": (
        *(_NORMAL, "SuccessfulHandOver"),
        "Migration target pod is ready for preparation by virt-handler.",
    ),
    "Succeeded": (_NORMAL, "SuccessfulMigration", "Source node reported migration succeeded"),
    "Failed": (_WARNING, "FailedMigration", "{why}"),
}
"""What is said when a phase is entered."""
_ABORTED: Final = (_NORMAL, "SuccessfulAbortMigration", "Migration aborted by user")


def entered(
    vmim: JSON, phase: str, now: datetime, *, pod: str = "", why: str = ""
) -> tuple[Create, ...]:
    """The event of a phase that a migration enters; most have none."""
    said = _OF_PHASE.get(phase)
    return () if said is None else (_event(vmim, said, now, pod=pod, why=why),)


def aborted(vmim: JSON, now: datetime) -> Create:
    """The event of a migration that is given up because somebody deletes it."""
    return _event(vmim, _ABORTED, now)


def _event(vmim: JSON, said: tuple[str, str, str], now: datetime, **texts: str) -> Create:
    kind, reason, text = said
    # One of each: written twice, it is refused.
    event = event_about(
        VMIM,
        vmim,
        Said(kind, reason, text.format_map(texts)),
        now,
        component="virtualmachineinstance-controller",
    )
    return Create(EVENT, event)
