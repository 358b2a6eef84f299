"""The events of a migration, as ``kubectl describe`` shows them.

https://github.com/kubevirt/kubevirt/tree/main/pkg/virt-controller/watch/migration
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from perfscale.sim.controllers.actions import Create
from perfscale.sim.controllers.kinds import EVENT, VMIM
from perfscale.sim.controllers.objects import timestamp, uid_of

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
    metadata = vmim["metadata"]
    # One of each: written twice, it is refused.
    digest = hashlib.sha1(f"{uid_of(vmim)}/{reason}".encode(), usedforsecurity=False)
    about = {
        "apiVersion": VMIM.api_version,
        "kind": VMIM.kind,
        "name": metadata["name"],
        "namespace": metadata["namespace"],
        "uid": uid_of(vmim),
        "resourceVersion": metadata.get("resourceVersion", ""),
    }
    event: JSON = {
        "apiVersion": EVENT.api_version,
        "kind": EVENT.kind,
        "metadata": {
            "name": f"{metadata['name']}.{digest.hexdigest()[:16]}",
            "namespace": metadata["namespace"],
        },
        "involvedObject": about,
        "type": kind,
        "reason": reason,
        "message": text.format_map(texts),
        "source": {"component": "virtualmachineinstance-controller"},
        "firstTimestamp": timestamp(now),
        "lastTimestamp": timestamp(now),
        "count": 1,
    }
    return Create(EVENT, event)
