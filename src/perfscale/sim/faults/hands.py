"""What others do to objects: an admission webhook, and somebody who deletes them."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from perfscale.errors import ConflictError, NotFoundError
from perfscale.sim.store import DeleteOptions

if TYPE_CHECKING:
    from perfscale.kube.resources import Resource
    from perfscale.sim.books import Books
    from perfscale.sim.faults.fates import Fates
    from perfscale.sim.records import JSON, Change
    from perfscale.sim.store import Store


class Holder:
    """Gives objects a finalizer as they are created, which nobody will take away.

    Args:
        fates: Which objects.
        books: Where to count them.
    """

    def __init__(self, fates: Fates, books: Books) -> None:
        self._fates = fates
        self._books = books

    def __call__(self, resource: Resource, obj: JSON) -> JSON:
        """The object as it is stored."""
        added = [fault.finalizer for fault in self._fates.of(resource, obj, "held")]
        if not added:
            return obj
        self._books.note_held(resource)
        finalizers = [*(obj["metadata"].get("finalizers") or ()), *added]
        return {**obj, "metadata": {**obj["metadata"], "finalizers": finalizers}}


class Intruder:
    """Deletes objects that are not its own.

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
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._leave = store.listen(self._hear)

    def close(self) -> None:
        """Let everything be."""
        self._leave()
        for timer in self._timers.values():
            timer.cancel()

    def _hear(self, change: Change) -> None:
        uid = change.record.uid
        if change.type == "DELETED":
            timer = self._timers.pop(uid, None)
            if timer is not None:
                timer.cancel()
            return
        obj = change.obj
        if uid in self._timers or "deletionTimestamp" in obj["metadata"]:
            return
        phase = (obj.get("status") or {}).get("phase") or ""
        for fault in self._fates.of(change.resource, obj, "vanishes"):
            if fault.phase is None or fault.phase == phase:
                self._timers[uid] = self._loop.call_later(fault.after, self._strike, change)
                return

    def _strike(self, change: Change) -> None:
        record = change.record
        with suppress(NotFoundError, ConflictError):
            current = self._store.get(change.resource, record.namespace, record.name)
            if "deletionTimestamp" in current["metadata"]:
                return  # somebody was quicker
            options = DeleteOptions(uid=record.uid)
            self._store.delete(change.resource, record.namespace, record.name, options)
            self._books.note_vanished(change.resource)
