"""When migrations succeeded, and when scales were reached, to the moment of the write.

They are recorded beside the operations that are asked for by a subresource, in the same form.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from perfscale.sim.controllers.kinds import (
    DEPLOYMENT,
    REPLICA_SET,
    REPLICATION_CONTROLLER,
    STATEFUL_SET,
    VM_POOL,
    VMIM,
    VMIRS,
)
from perfscale.sim.controllers.objects import controller_of, phase_of

if TYPE_CHECKING:
    from perfscale.sim.ground_truth.operations import OperationRecord, OperationTruth
    from perfscale.sim.storage.records import JSON, StoredChange
    from perfscale.sim.storage.store import Store

_SCALED: Final = (
    VMIRS,
    VM_POOL,
    DEPLOYMENT,
    REPLICA_SET,
    STATEFUL_SET,
    REPLICATION_CONTROLLER,
)


class ChangeTruth:
    """Records migrations, and changes of how many replicas there are to be.

    Args:
        store: Where both show.
        operations: Where they are recorded, as ``migrate`` and ``scale``.
    """

    def __init__(self, store: Store, operations: OperationTruth) -> None:
        self._operations = operations
        self._migrations: dict[str, OperationRecord] = {}
        self._wanted: dict[str, int] = {}
        self._scales: dict[str, OperationRecord] = {}
        store.listen(self._on_migration, VMIM)
        for resource in _SCALED:
            store.listen(self._on_scaled, resource)

    def _begin(self, operation: str, change: StoredChange) -> OperationRecord:
        record = change.record
        of = (record.namespace, record.name)
        now = self._operations.clock()
        return self._operations.requested(operation, change.resource, of, record.uid, now)

    def _on_migration(self, change: StoredChange) -> None:
        uid = change.record.uid
        if change.type == "ADDED":
            self._migrations[uid] = self._begin("migrate", change)
        elif change.type == "DELETED":
            self._migrations.pop(uid, None)
        elif uid in self._migrations:
            record, phase = self._migrations[uid], phase_of(change.obj)
            if phase == "Succeeded":
                self._operations.happened(self._migrations.pop(uid))
            elif phase == "Failed":
                del self._migrations[uid]
            elif phase and phase not in record.milestones_s:
                self._operations.happened(record, phase)

    def _on_scaled(self, change: StoredChange) -> None:
        uid = change.record.uid
        if change.type == "DELETED":
            self._wanted.pop(uid, None)
            self._scales.pop(uid, None)
            return
        obj = change.obj
        wanted = (obj.get("spec") or {}).get("replicas", 1)
        before = self._wanted.get(uid)
        if before is not None and wanted != before and controller_of(obj) is None:
            self._scales[uid] = self._begin("scale", change)
        self._wanted[uid] = wanted
        if uid in self._scales and _has(obj, wanted):
            self._operations.happened(self._scales.pop(uid))


def _has(obj: JSON, wanted: int) -> bool:
    status: JSON = obj.get("status") or {}
    ready: int = status.get("readyReplicas", 0)
    return ready == wanted
