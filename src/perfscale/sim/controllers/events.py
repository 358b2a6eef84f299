"""Events, as ``kubectl describe`` shows them below an object."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

from perfscale.sim.controllers.kinds import EVENT
from perfscale.sim.controllers.objects import timestamp, uid_of

if TYPE_CHECKING:
    from datetime import datetime

    from perfscale.kube.resources import Resource
    from perfscale.sim.controllers.store import JSON


class Said(NamedTuple):
    """What an event says; ``type`` is ``Normal`` or ``Warning``."""

    type: str
    reason: str
    message: str


def event_about(
    resource: Resource, obj: JSON, said: Said, now: datetime, *, component: str
) -> JSON:
    """An event about an object; the same reason, given twice, has the same name."""
    metadata = obj["metadata"]
    digest = hashlib.sha1(f"{uid_of(obj)}/{said.reason}".encode(), usedforsecurity=False)
    return {
        "apiVersion": EVENT.api_version,
        "kind": EVENT.kind,
        "metadata": {
            "name": f"{metadata['name']}.{digest.hexdigest()[:16]}",
            "namespace": metadata["namespace"],
        },
        "involvedObject": {
            "apiVersion": resource.api_version,
            "kind": resource.kind,
            "name": metadata["name"],
            "namespace": metadata["namespace"],
            "uid": uid_of(obj),
            "resourceVersion": metadata.get("resourceVersion", ""),
        },
        **said._asdict(),
        "source": {"component": component},
        "firstTimestamp": timestamp(now),
        "lastTimestamp": timestamp(now),
        "count": 1,
    }
