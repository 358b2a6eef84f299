"""What others do to objects that are there: delete them, take their labels."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from perfscale.errors import ConflictError, NotFoundError
from perfscale.sim.faults.objects.admission import stripped
from perfscale.sim.storage.store import DeleteOptions

if TYPE_CHECKING:
    from perfscale.sim.books import Books
    from perfscale.sim.faults.model import ObjectFault
    from perfscale.sim.faults.objects.fates import Fates
    from perfscale.sim.storage.records import JSON, Change
    from perfscale.sim.storage.store import Store

INTRUSIONS: Final = ("vanishes", "labelRemoved")
"""The faults that befall an object once it is there."""


class Intruder:
    """Deletes objects that are not its own, and takes labels from them.

    Args:
        store: Where they are.
        fates: Which objects, in which phase.
        books: Where to count them.
    """

    def __init__(self, store: Store, fates: Fates, books: Books) -> None:
        self._store = store
        self._fates = fates
        self._books = books
        self._loop = asyncio.get_running_loop()
        self._timers: defaultdict[str, dict[int, asyncio.TimerHandle]] = defaultdict(dict)
        self._leave = store.listen(self._hear)

    def close(self) -> None:
        """Let everything be."""
        self._leave()
        for uid in tuple(self._timers):
            self._forget(uid)

    def _forget(self, uid: str) -> None:
        for timer in self._timers.pop(uid, {}).values():
            timer.cancel()

    def _hear(self, change: Change) -> None:
        uid = change.record.uid
        if change.type == "DELETED":
            self._forget(uid)
            return
        obj = change.obj
        if "deletionTimestamp" in obj["metadata"]:
            return
        phase = (obj.get("status") or {}).get("phase") or ""
        for fault in self._fates.of(change.resource, obj, *INTRUSIONS):
            if id(fault) in self._timers.get(uid, ()):
                continue
            if fault.phase is None or fault.phase == phase:
                strike = self._delete if fault.fault == "vanishes" else self._take_labels
                timer = self._loop.call_later(fault.after, strike, change, fault)
                self._timers[uid][id(fault)] = timer

    def _delete(self, change: Change, _: ObjectFault) -> None:
        record = change.record
        with suppress(NotFoundError, ConflictError):
            if self._current(change) is None:
                return  # somebody was quicker
            options = DeleteOptions(uid=record.uid)
            self._store.delete(change.resource, record.namespace, record.name, options)
            self._books.note_vanished(change.resource)

    def _take_labels(self, change: Change, fault: ObjectFault) -> None:
        with suppress(NotFoundError, ConflictError):
            current = self._current(change)
            if current is None:
                return
            metadata = current["metadata"]
            labels = stripped(metadata.get("labels") or {}, fault.labels, fault.to)
            self._store.update(
                change.resource, {**current, "metadata": {**metadata, "labels": labels}}
            )
            self._books.injected[fault.fault] += 1

    def _current(self, change: Change) -> JSON | None:
        """The object as it is now, unless it has been asked to go."""
        record = change.record
        current = self._store.get(change.resource, record.namespace, record.name)
        is_same = current["metadata"]["uid"] == record.uid
        return current if is_same and "deletionTimestamp" not in current["metadata"] else None
