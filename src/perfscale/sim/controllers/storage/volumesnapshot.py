"""Snapshots of volumes, as a CSI driver makes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perfscale.sim.controllers.actions import Action, UpdateStatus
from perfscale.sim.controllers.kinds import PVC, VOLUME_SNAPSHOT
from perfscale.sim.controllers.objects import (
    Key,
    is_deleting,
    key_of,
    phase_of,
    timestamp,
    uid_of,
    with_status,
)
from perfscale.sim.latency import Stage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from perfscale.kube.resources import Resource
    from perfscale.sim.controllers.actions import Follows, View
    from perfscale.sim.controllers.store import JSON


class VolumeSnapshotController:
    """Makes snapshots of bound claims ready to use."""

    resource = VOLUME_SNAPSHOT
    owns = None

    @property
    def follows(self) -> Mapping[Resource, Follows]:
        """The claim that a snapshot is of."""
        return {PVC: _snapshots_of}

    def stage(self, obj: JSON) -> Stage | None:
        """The driver's time."""
        if is_deleting(obj) or (obj.get("status") or {}).get("readyToUse"):
            return None
        return Stage.VOLUME_SNAPSHOT

    def act(self, obj: JSON, view: View, now: datetime) -> Sequence[Action]:
        """Write it as ready, or say what is missing."""
        source: JSON = obj["spec"].get("source") or {}
        name = source.get("persistentVolumeClaimName") or ""
        claim = view.find(PVC, Key(key_of(obj).namespace, name))
        if claim is None and name:
            missing = f'persistentvolumeclaims "{name}" not found'
            status = self.failed(obj, "", f"Failed to create snapshot content: {missing}", now)
        elif claim is not None and phase_of(claim) != "Bound":
            return ()
        else:
            status = {
                "readyToUse": True,
                "creationTime": timestamp(now),
                "boundVolumeSnapshotContentName": f"snapcontent-{uid_of(obj)}",
                "restoreSize": "1Gi",
            }
        old = obj.get("status") or {}
        return () if status == old else (UpdateStatus(VOLUME_SNAPSHOT, with_status(obj, status)),)

    def failed(self, obj: JSON, reason: str, message: str, now: datetime) -> JSON:
        """Its status when it cannot be made; there is no place for a reason."""
        del reason
        error: JSON = (obj.get("status") or {}).get("error") or {}
        stamp = error["time"] if error.get("message") == message else timestamp(now)
        return {"readyToUse": False, "error": {"message": message, "time": stamp}}


def _snapshots_of(claim: JSON, view: View) -> Iterable[Key]:
    key = key_of(claim)
    for snapshot in view.all(VOLUME_SNAPSHOT):
        source: JSON = (snapshot.get("spec") or {}).get("source") or {}
        used = Key(key_of(snapshot).namespace, source.get("persistentVolumeClaimName", ""))
        if used == key:
            yield key_of(snapshot)
