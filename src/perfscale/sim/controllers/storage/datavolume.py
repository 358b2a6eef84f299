"""Data volumes of CDI: a claim of the same name, which is then filled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from perfscale.sim.controllers.actions import Action, Create, UpdateStatus
from perfscale.sim.controllers.kinds import DATA_VOLUME, PVC
from perfscale.sim.controllers.objects import (
    condition,
    is_deleting,
    key_of,
    owner_reference,
    phase_of,
    uid_of,
    with_status,
)
from perfscale.sim.controllers.storage.claim import waits_for_consumer
from perfscale.sim.controllers.workloads.replicas import with_conditions
from perfscale.sim.latency import Stage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from perfscale.sim.controllers.actions import View
    from perfscale.sim.controllers.store import JSON

WAITING: Final = "WaitForFirstConsumer"
_FILLED_BY: Final[Mapping[str, tuple[str, ...]]] = {
    "upload": ("UploadScheduled", "UploadReady"),
    "pvc": ("CloneScheduled", "CloneInProgress", "Succeeded"),
    "snapshot": ("CloneScheduled", "CloneInProgress", "Succeeded"),
}
_IMPORT: Final = ("ImportScheduled", "ImportInProgress", "Succeeded")
_IN_PROGRESS: Final = ("ImportInProgress", "CloneInProgress")
# An upload waits for somebody to send something: nobody does.
_STABLE: Final = frozenset({"Succeeded", "Failed", "UploadReady"})


class DataVolumeController:
    """Makes the claims of data volumes, and leads these through their phases."""

    resource = DATA_VOLUME
    owns = PVC

    def stage(self, obj: JSON) -> Stage | None:
        """A wait between two phases; that for a claim to be bound is the claim's."""
        phase = phase_of(obj)
        if is_deleting(obj) or phase in _STABLE:
            return None
        if phase in ("", "Pending", WAITING):
            return Stage.NOW
        return Stage.DATA_VOLUME_FILLING if phase in _IN_PROGRESS else Stage.DATA_VOLUME_STEP

    def act(self, obj: JSON, view: View, now: datetime) -> Sequence[Action]:
        """Create the claim, or go on."""
        claim = view.find(PVC, key_of(obj))
        if claim is None:
            created = () if view.in_creation(uid_of(obj)) else (Create(PVC, _claim_of(obj)),)
            return (*created, *_report(obj, phase_of(obj) or "Pending", now))
        phase = phase_of(obj)
        if phase_of(claim) != "Bound":
            return _report(obj, WAITING if waits_for_consumer(claim, view) else "Pending", now)
        path = _path_of(obj)
        following = path[path.index(phase) + 1] if phase in path else path[0]
        return _report(obj, following, now)

    def failed(self, obj: JSON, reason: str, message: str, now: datetime) -> JSON:
        """Its status once it has failed."""
        old: JSON = obj.get("status") or {}
        running = condition("Running", holds=False, now=now, reason=reason, message=message)
        ready = condition("Ready", holds=False, now=now, reason=reason, message=message)
        return {**old, "phase": "Failed", "conditions": with_conditions(old, [ready, running])}


def _path_of(data_volume: JSON) -> tuple[str, ...]:
    source: JSON = data_volume["spec"].get("source") or {}
    if "sourceRef" in data_volume["spec"]:
        return _FILLED_BY["pvc"]
    return next((path for kind, path in _FILLED_BY.items() if kind in source), _IMPORT)


def _claim_of(data_volume: JSON) -> JSON:
    metadata, spec = data_volume["metadata"], data_volume["spec"]
    wanted: JSON = spec.get("pvc") or spec.get("storage") or {}
    return {
        "apiVersion": PVC.api_version,
        "kind": PVC.kind,
        "metadata": {
            "name": metadata["name"],
            "namespace": metadata["namespace"],
            "labels": {
                **(metadata.get("labels") or {}),
                "app": "containerized-data-importer",
                "app.kubernetes.io/managed-by": "cdi-controller",
            },
            "ownerReferences": [owner_reference(DATA_VOLUME, data_volume)],
        },
        "spec": {"accessModes": ["ReadWriteOnce"], **wanted},
    }


def _report(data_volume: JSON, phase: str, now: datetime) -> tuple[Action, ...]:
    old: JSON = data_volume.get("status") or {}
    is_bound = phase not in ("Pending", WAITING)
    is_done = phase == "Succeeded"
    conditions = [
        condition("Bound", holds=is_bound, now=now, reason="Bound" if is_bound else "Pending"),
        condition("Running", holds=phase in _IN_PROGRESS, now=now),
        condition("Ready", holds=is_done, now=now),
    ]
    progress = "100.0%" if is_done else "N/A"
    status: JSON = {
        **old,
        "phase": phase,
        "progress": "0.0%" if phase in _IN_PROGRESS else progress,
        "conditions": with_conditions(old, conditions),
    }
    if is_bound:
        status["claimName"] = data_volume["metadata"]["name"]
    return () if status == old else (UpdateStatus(DATA_VOLUME, with_status(data_volume, status)),)
