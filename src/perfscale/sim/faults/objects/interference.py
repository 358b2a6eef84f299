"""What others do to objects that are there: delete them, or remove their labels."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from perfscale.errors import ConflictError, NotFoundError
from perfscale.sim.faults.objects.admission import stripped
from perfscale.sim.storage.store import DeleteOptions

if TYPE_CHECKING:
    from perfscale.sim.faults.model import ObjectFault
    from perfscale.sim.faults.objects.selection import FaultSelection
    from perfscale.sim.ground_truth import GroundTruth
    from perfscale.sim.storage.records import JSON, StoredChange
    from perfscale.sim.storage.store import Store

INTERFERENCES: Final = ("vanishes", "labelRemoved")
"""The faults that happen to an object once it is there."""


class Interference:
    """Deletes objects that are not its own, and removes labels from them.

    Args:
        store: Where they are.
        selection: Which objects, in which phase.
        truth: Where to count them.
    """

    def __init__(self, store: Store, selection: FaultSelection, truth: GroundTruth) -> None:
        self._store = store
        self._selection = selection
        self._truth = truth
        self._loop = asyncio.get_running_loop()
        self._timers: defaultdict[str, dict[int, asyncio.TimerHandle]] = defaultdict(dict)
        self._stop_listening = store.listen(self._on_change)

    def close(self) -> None:
        """Stop, and cancel what was to come."""
        self._stop_listening()
        for uid in tuple(self._timers):
            self._forget(uid)

    def _forget(self, uid: str) -> None:
        for timer in self._timers.pop(uid, {}).values():
            timer.cancel()

    def _on_change(self, change: StoredChange) -> None:
        uid = change.record.uid
        if change.type == "DELETED":
            self._forget(uid)
            return
        obj = change.obj
        if "deletionTimestamp" in obj["metadata"]:
            return
        phase = (obj.get("status") or {}).get("phase") or ""
        for fault in self._selection.of(change.resource, obj, *INTERFERENCES):
            if id(fault) in self._timers.get(uid, ()):
                continue
            if fault.phase is None or fault.phase == phase:
                interfere = self._delete if fault.fault == "vanishes" else self._remove_labels
                timer = self._loop.call_later(fault.after, interfere, change, fault)
                self._timers[uid][id(fault)] = timer

    def _delete(self, change: StoredChange, _: ObjectFault) -> None:
        record = change.record
        with suppress(NotFoundError, ConflictError):
            if self._current(change) is None:
                return  # deleted in the meantime
            options = DeleteOptions(uid=record.uid)
            self._store.delete(change.resource, record.namespace, record.name, options)
            self._truth.count_vanished(change.resource)

    def _remove_labels(self, change: StoredChange, fault: ObjectFault) -> None:
        with suppress(NotFoundError, ConflictError):
            current = self._current(change)
            if current is None:
                return
            metadata = current["metadata"]
            labels = stripped(metadata.get("labels") or {}, fault.labels, fault.to)
            self._store.update(
                change.resource, {**current, "metadata": {**metadata, "labels": labels}}
            )
            self._truth.injected[fault.fault] += 1

    def _current(self, change: StoredChange) -> JSON | None:
        """The object as it is now, unless it is being deleted."""
        record = change.record
        current = self._store.get(change.resource, record.namespace, record.name)
        is_same = current["metadata"]["uid"] == record.uid
        return current if is_same and "deletionTimestamp" not in current["metadata"] else None
