"""Data sources, which name what volumes are filled from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perfscale.sim.controllers.actions import Action, UpdateStatus
from perfscale.sim.controllers.kinds import DATA_SOURCE, PVC, VOLUME_SNAPSHOT
from perfscale.sim.controllers.objects import (
    Key,
    condition,
    condition_of,
    is_deleting,
    key_of,
    with_status,
)
from perfscale.sim.controllers.workloads.replicas import with_conditions
from perfscale.sim.latency import Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from perfscale.kube.resources import Resource
    from perfscale.sim.controllers.actions import Follows, View
    from perfscale.sim.controllers.store import JSON

_READY = "Ready"


class DataSourceController:
    """Says of data sources whether what they name is there."""

    resource = DATA_SOURCE
    owns = None

    @property
    def follows(self) -> Mapping[Resource, Follows]:
        """The claim or the snapshot that a source names."""
        return {PVC: _naming("pvc"), VOLUME_SNAPSHOT: _naming("snapshot")}

    def stage(self, obj: JSON) -> Stage | None:
        """It waits for its condition."""
        ready = condition_of(obj, _READY)
        if is_deleting(obj) or (ready is not None and ready.get("status") == "True"):
            return None
        return Stage.DATA_SOURCE

    def act(self, obj: JSON, view: View, now: datetime) -> Sequence[Action]:
        """Write its condition."""
        source: JSON = (obj.get("spec") or {}).get("source") or {}
        found = view.find(PVC, _named(obj, source.get("pvc"))) or view.find(
            VOLUME_SNAPSHOT, _named(obj, source.get("snapshot"))
        )
        reason, message = ("Ready", "DataSource is ready to be consumed")
        if found is None:
            reason, message = ("NotFound", "the source is not there")
        old: JSON = obj.get("status") or {}
        said = condition(_READY, holds=found is not None, now=now, reason=reason, message=message)
        status = {**old, "source": source, "conditions": with_conditions(old, [said])}
        return () if status == old else (UpdateStatus(DATA_SOURCE, with_status(obj, status)),)

    def failed(self, obj: JSON, reason: str, message: str, now: datetime) -> JSON:
        """Its status when it is not to become ready."""
        old: JSON = obj.get("status") or {}
        said = condition(_READY, holds=False, now=now, reason=reason, message=message)
        return {**old, "conditions": with_conditions(old, [said])}


def _named(obj: JSON, source: JSON | None) -> Key:
    """What a source names; in its own namespace where it names none."""
    given = source or {}
    return Key(given.get("namespace") or key_of(obj).namespace, given.get("name", ""))


def _naming(kind: str) -> Callable[[JSON, View], Iterable[Key]]:
    def find(changed: JSON, view: View) -> Iterable[Key]:
        for each in view.all(DATA_SOURCE):
            source: JSON = (each.get("spec") or {}).get("source") or {}
            if _named(each, source.get(kind)) == key_of(changed):
                yield key_of(each)

    return find
