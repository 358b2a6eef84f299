"""When the operations that were asked for took effect, to the moment of the write that shows it."""

from __future__ import annotations

import time
from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from perfscale.sim.controllers.kinds import VMI
from perfscale.sim.controllers.kubevirt.readiness import is_paused
from perfscale.sim.controllers.kubevirt.vmi import Phase
from perfscale.sim.controllers.objects import is_deleting, phase_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from perfscale.kube.resources import Resource
    from perfscale.sim.storage.records import JSON, StoredChange
    from perfscale.sim.storage.store import Store


@dataclass(slots=True)
class OperationRecord:
    """One operation that was accepted.

    Attributes:
        operation: The name of its subresource, or ``migrate``.
        resource: What it was asked of, as ``plural.group``.
        namespace: The namespace of that.
        name: Its name.
        uid: The instance that there was when it was asked for; empty where there was none.
        requested_at: When the request came, in seconds since the epoch.
        requested_s: The same, of a clock that never goes back.
        volume: The volume that it is about.
        effect_s: How long after the request it took effect; None until it does.
        milestones_s: What happened on the way, likewise: ``oldGone`` of a restart.
    """

    operation: str
    resource: str
    namespace: str
    name: str
    uid: str
    requested_at: float
    requested_s: float
    volume: str = ""
    effect_s: float | None = None
    milestones_s: dict[str, float] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """For another process."""
        return {
            "operation": self.operation,
            "resource": self.resource,
            "namespace": self.namespace,
            "name": self.name,
            "uid": self.uid,
            "requestedAt": self.requested_at,
            "effectAfter": self.effect_s,
            "milestones": dict(self.milestones_s),
            **({"volume": self.volume} if self.volume else {}),
        }


MOST_RECORDS: Final = 20_000
"""Operations that are remembered, some 15 MB; a cluster that is used for days had more."""

Rule: TypeAlias = "Callable[[OperationRecord, StoredChange], bool]"
"""Whether a change of the instance of that name shows that the operation took effect."""


def _is_new_and_runs(record: OperationRecord, change: StoredChange) -> bool:
    if change.type == "DELETED" or change.record.uid == record.uid:
        return False
    return phase_of(change.obj) == Phase.RUNNING and not is_deleting(change.obj)


def _is_gone(record: OperationRecord, change: StoredChange) -> bool:
    return change.type == "DELETED" and change.record.uid == record.uid


def _is_same(record: OperationRecord, change: StoredChange) -> bool:
    return change.type != "DELETED" and change.record.uid == record.uid


def _is_paused(record: OperationRecord, change: StoredChange) -> bool:
    return _is_same(record, change) and is_paused(change.obj)


def _is_unpaused(record: OperationRecord, change: StoredChange) -> bool:
    return _is_same(record, change) and not is_paused(change.obj)


def _phase_of_volume(record: OperationRecord, obj: JSON) -> str | None:
    volumes = (obj.get("status") or {}).get("volumeStatus") or ()
    found = next((each for each in volumes if each.get("name") == record.volume), None)
    return None if found is None else str(found.get("phase") or "")


def _is_attached(record: OperationRecord, change: StoredChange) -> bool:
    return _is_same(record, change) and _phase_of_volume(record, change.obj) == "Ready"


def _is_detached(record: OperationRecord, change: StoredChange) -> bool:
    return _is_same(record, change) and _phase_of_volume(record, change.obj) is None


_EFFECTS: Final[Mapping[str, Rule]] = {
    "start": _is_new_and_runs,
    "stop": _is_gone,
    "restart": _is_new_and_runs,
    "pause": _is_paused,
    "unpause": _is_unpaused,
    "addvolume": _is_attached,
    "removevolume": _is_detached,
}
_ENDS_WITH_INSTANCE: Final = frozenset({"pause", "unpause", "addvolume", "removevolume"})
"""What never takes effect once the instance that it was asked of is gone."""
_MILESTONES: Final[Mapping[str, tuple[str, Rule]]] = {"restart": ("oldGone", _is_gone)}


class OperationTruth:
    """Records operations, and when the store shows their effects.

    It costs nothing where none is awaited.

    Args:
        store: Where the effects show.
        clock: Seconds of a clock that never goes back.
        wall: Seconds since the epoch.

    Attributes:
        clock: The same clock, which every request is to be stamped by.
    """

    def __init__(
        self,
        store: Store,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.records: deque[OperationRecord] = deque()
        self.clock = clock
        self._wall = wall
        self._awaited: defaultdict[tuple[str, str], list[OperationRecord]] = defaultdict(list)
        store.listen(self._on_change, VMI)

    def requested(
        self,
        operation: str,
        resource: Resource,
        of: tuple[str, str],
        uid: str,
        requested_s: float,
        *,
        volume: str = "",
    ) -> OperationRecord:
        """Record an operation that was accepted.

        Args:
            operation: Its name.
            resource: What it was asked of.
            of: That object's namespace and name.
            uid: The instance that there was by then; empty where there was none.
            requested_s: When the request came, by the clock.
            volume: The volume that it is about.

        Returns:
            The record; operations that do not show in an instance are completed by
            whoever sees their effect.
        """
        at = self._wall() - (self.clock() - requested_s)
        record = OperationRecord(operation, resource.name, *of, uid, at, requested_s, volume)
        if len(self.records) >= MOST_RECORDS:
            self._forget(self.records.popleft())
        self.records.append(record)
        if operation in _EFFECTS:
            self._awaited[of].append(record)
        return record

    def happened(self, record: OperationRecord, milestone: str | None = None) -> None:
        """Record that an operation takes effect now, or reaches a milestone."""
        after_s = self.clock() - record.requested_s
        if milestone is None:
            record.effect_s = after_s
        else:
            record.milestones_s[milestone] = after_s

    def _on_change(self, change: StoredChange) -> None:
        if not self._awaited:
            return
        of = (change.record.namespace, change.record.name)
        awaited = self._awaited.get(of)
        if awaited is None:
            return
        remaining = [record for record in awaited if not self._is_done(record, change)]
        if remaining:
            self._awaited[of] = remaining
        else:
            del self._awaited[of]

    def _forget(self, record: OperationRecord) -> None:
        of = (record.namespace, record.name)
        awaited = self._awaited.get(of, [])
        if record in awaited:
            awaited.remove(record)
            if not awaited:
                del self._awaited[of]

    def _is_done(self, record: OperationRecord, change: StoredChange) -> bool:
        milestone = _MILESTONES.get(record.operation)
        if milestone is not None and milestone[1](record, change):
            self.happened(record, milestone[0])
        if not _EFFECTS[record.operation](record, change):
            return record.operation in _ENDS_WITH_INSTANCE and _is_gone(record, change)
        self.happened(record)
        return True
