"""What happened in the simulated cluster, whatever a client saw of it."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

from perfscale.sim.controllers.kinds import (
    API_SERVICE,
    CRD,
    DATA_VOLUME,
    DEPLOYMENT,
    JOB,
    POD,
    PVC,
    REPLICA_SET,
    REPLICATION_CONTROLLER,
    STATEFUL_SET,
    VM,
    VM_CLONE,
    VM_POOL,
    VM_RESTORE,
    VM_SNAPSHOT,
    VMI,
    VMIM,
    VMIRS,
    VOLUME_SNAPSHOT,
)
from perfscale.sim.controllers.objects import condition_of, is_deleting, phase_of
from perfscale.sim.ground_truth.changes import ChangeTruth
from perfscale.sim.ground_truth.operations import OperationTruth
from perfscale.sim.storage.records import encode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from perfscale.kube.resources import Resource
    from perfscale.sim.storage.records import JSON, StoredChange
    from perfscale.sim.storage.store import Store

GROUND_TRUTH_PATH: Final = "/simulation/books"
"""Where another process reads it."""


@dataclass(frozen=True, slots=True)
class KindTruth:
    """What happened to the objects of one kind.

    Attributes:
        created: Stored, ever.
        ready: Ready at some time; a kind that has no readiness is ready once it is created.
        failed: In the phase ``Failed`` at some time, also those that were ready before; not
            those that were being deleted by then.
        vanished: Deleted by a fault.
        held: Created with a finalizer that a fault keeps.
        gone: Removed, ever.
        present: There now.
    """

    created: int = 0
    ready: int = 0
    failed: int = 0
    vanished: int = 0
    held: int = 0
    gone: int = 0
    present: int = 0


def _is_running(obj: JSON) -> bool:
    return phase_of(obj) == "Running"


def _has_failed(obj: JSON) -> bool:
    return phase_of(obj) == "Failed" and not is_deleting(obj)


def _is_ready(obj: JSON) -> bool:
    return (obj.get("status") or {}).get("ready") is True


def _has_succeeded(obj: JSON) -> bool:
    return phase_of(obj) == "Succeeded"


def _is_usable(obj: JSON) -> bool:
    return (obj.get("status") or {}).get("readyToUse") is True


def _holds(kind: str) -> Callable[[JSON], bool]:
    """Whether an object has a condition of this type that holds."""
    return lambda obj: (condition_of(obj, kind) or {}).get("status") == "True"


def _is_complete(obj: JSON) -> bool:
    wanted = (obj.get("spec") or {}).get("replicas", 1)
    return bool((obj.get("status") or {}).get("readyReplicas", 0) == wanted)


_READY: Final[tuple[tuple[Resource, Callable[[JSON], bool]], ...]] = (
    (VMI, _is_running),
    (POD, _is_running),
    (VM, _is_ready),
    (VMIRS, _is_complete),
    (VMIM, _has_succeeded),
    (VM_POOL, _is_complete),
    (VM_SNAPSHOT, _is_usable),
    (VM_RESTORE, lambda obj: (obj.get("status") or {}).get("complete") is True),
    (VM_CLONE, _has_succeeded),
    (DATA_VOLUME, _has_succeeded),
    (PVC, lambda obj: phase_of(obj) == "Bound"),
    (VOLUME_SNAPSHOT, _is_usable),
    (DEPLOYMENT, _is_complete),
    (REPLICA_SET, _is_complete),
    (STATEFUL_SET, _is_complete),
    (REPLICATION_CONTROLLER, _is_complete),
    (JOB, _holds("Complete")),
    (CRD, _holds("Established")),
    (API_SERVICE, _holds("Available")),
)


class GroundTruth:
    """Counts what happens to the objects of a store, from the moment it is made.

    Args:
        store: Where it happens.
        clock: Seconds of a clock that never goes back, which operations are stamped by.

    Attributes:
        injected: How often each fault has happened, by its name.
        operations: What was asked of VMs and instances, which migrations and scales there
            were, and when each took effect.
    """

    def __init__(self, store: Store, clock: Callable[[], float] = time.monotonic) -> None:
        self.injected: Counter[str] = Counter()
        self.operations = OperationTruth(store, clock)
        ChangeTruth(store, self.operations)
        self._store = store
        self._ready = {resource.name: _Reached(rule) for resource, rule in _READY}
        self._failed = {resource.name: _Reached(_has_failed) for resource, _ in _READY}
        self._vanished: Counter[str] = Counter()
        self._held: Counter[str] = Counter()
        for resource, _ in _READY:
            store.listen(self._ready[resource.name].on_change, resource)
            store.listen(self._failed[resource.name].on_change, resource)

    def count_vanished(self, resource: Resource) -> None:
        """Count an object that a fault has deleted."""
        self._vanished[resource.name] += 1

    def count_held(self, resource: Resource) -> None:
        """Count an object that a fault has given a finalizer that stays."""
        self._held[resource.name] += 1

    def kinds(self) -> Mapping[str, KindTruth]:
        """What happened to each kind, by its name (``plural.group``)."""
        found = {}
        for name, totals in self._store.totals().items():
            has_phases = name in self._ready
            found[name] = KindTruth(
                created=totals.created,
                ready=self._ready[name].count if has_phases else totals.created,
                failed=self._failed[name].count if has_phases else 0,
                vanished=self._vanished[name],
                held=self._held[name],
                gone=totals.deleted,
                present=totals.live,
            )
        return found

    def page(self) -> tuple[bytes, str]:
        """Everything as JSON, for another process, and its media type."""
        objects = {name: asdict(counts) for name, counts in self.kinds().items()}
        found = {
            "objects": objects,
            "faults": dict(self.injected),
            "operations": [record.as_json() for record in self.operations.records],
        }
        return encode(found), "application/json"


class _Reached:
    """Counts the objects of a kind for which a rule has held at some time."""

    def __init__(self, rule: Callable[[JSON], bool]) -> None:
        self.count = 0
        self._rule = rule
        self._uids: set[str] = set()

    def on_change(self, change: StoredChange) -> None:
        """Count one change."""
        uid = change.record.uid
        if change.type == "DELETED":
            self._uids.discard(uid)
        elif uid not in self._uids and self._rule(change.obj):
            self._uids.add(uid)
            self.count += 1
