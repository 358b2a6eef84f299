"""The objects of one kind, their recent history, and who listens to it."""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from perfscale.sim.storage import refusals
from perfscale.sim.storage.records import Record, StoredChange

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from perfscale.sim.storage.resources import Kind


class Totals(NamedTuple):
    """How many objects of one kind there were, ever."""

    created: int
    deleted: int
    live: int


class Backup(NamedTuple):
    """All objects at one moment, by the name of their resource, and its resourceVersion."""

    version: int
    records: Mapping[str, Sequence[Record]]


class Collection:
    """Objects of one kind in the order of their names, as a server's storage keeps them.

    Attributes:
        forgotten: The version of the latest change that has left the history.
        listeners: Called with each change, in order.
    """

    def __init__(self, kind: Kind, history: int, forgotten: int) -> None:
        self.kind = kind
        self.resource = kind.resource
        self.forgotten = forgotten
        self.listeners: list[Callable[[StoredChange], None]] = []
        self._history: deque[StoredChange] = deque()
        self._depth = history
        self._objects: dict[str, dict[str, Record]] = {}
        self._created = 0
        self._deleted = 0

    def get(self, namespace: str, name: str) -> Record | None:
        """The object of that name."""
        return self._objects.get(namespace, {}).get(name)

    def records(self, namespace: str | None = None) -> list[Record]:
        """The objects of a namespace, or of all, by namespace and name."""
        if namespace is not None:
            return _by_name(self._objects.get(namespace, {}))
        return [
            record for each in sorted(self._objects) for record in _by_name(self._objects[each])
        ]

    def apply(self, change: StoredChange) -> None:
        """Let the change happen, and remember it."""
        record = change.record
        if change.type == "DELETED":
            remaining = self._objects[record.namespace]
            del remaining[record.name]
            if not remaining:
                del self._objects[record.namespace]
            self._deleted += 1
        else:
            self._objects.setdefault(record.namespace, {})[record.name] = record
            self._created += change.type == "ADDED"
        self._history.append(change)
        if len(self._history) > self._depth:
            self.forgotten = self._history.popleft().version

    def changes_since(self, version: int) -> list[StoredChange]:
        """Every change after that version.

        Raises:
            ExpiredError: The history does not reach back so far.
        """
        if version < self.forgotten:
            raise refusals.expired(
                f"too old resource version: {version} ({self.forgotten})",
            )
        if not self._history or self._history[-1].version <= version:
            return []
        # A deque is slow in its middle, and most watches resume near its end.
        recent = 0
        for change in reversed(self._history):
            if change.version <= version:
                break
            recent += 1
        return list(islice(self._history, len(self._history) - recent, None))

    def forget(self, version: int) -> None:
        """Drop the history up to that version, as a compaction of etcd does."""
        while self._history and self._history[0].version <= version:
            self._history.popleft()
        self.forgotten = max(self.forgotten, version)

    def restart(self, version: int) -> None:
        """Begin anew at that version, even an earlier one: what was is not to be watched."""
        self._history.clear()
        self.forgotten = version

    def changes_to(self, then: Sequence[Record]) -> Iterator[StoredChange]:
        """What makes the objects those of then: first what goes, then the rest."""
        wanted = {(record.namespace, record.name): record for record in then}
        kept = {}
        for record in self.records():
            key = (record.namespace, record.name)
            if key in wanted and wanted[key].uid == record.uid:
                kept[key] = record
            else:
                yield StoredChange("DELETED", self.resource, record, record, record.load())
        for key, record in wanted.items():
            before = kept.get(key)
            if before is None:
                yield StoredChange("ADDED", self.resource, record, None, record.load())
            elif before.version != record.version:
                yield StoredChange("MODIFIED", self.resource, record, before, record.load())

    def totals(self) -> Totals:
        """How many were created and deleted, ever, and how many there are."""
        return Totals(self._created, self._deleted, self._created - self._deleted)


def _by_name(records: dict[str, Record]) -> list[Record]:
    return [records[name] for name in sorted(records)]
