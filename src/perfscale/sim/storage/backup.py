"""Copies of all objects, and what going back to one changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from perfscale.sim.storage.records import Record, StoredChange

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from perfscale.sim.storage.collection import Collection


class Backup(NamedTuple):
    """All objects at one moment.

    Attributes:
        version: The resourceVersion of that moment.
        records: The objects by the name of their resource.
    """

    version: int
    records: Mapping[str, Sequence[Record]]


def differences(collection: Collection, then: Sequence[Record]) -> Iterator[StoredChange]:
    """What makes the objects of a kind those of then: first what goes, then the rest."""
    resource = collection.resource
    wanted = {(record.namespace, record.name): record for record in then}
    current = collection.records()
    kept = {}
    for record in current:
        key = (record.namespace, record.name)
        if key in wanted and wanted[key].uid == record.uid:
            kept[key] = record
        else:
            yield StoredChange("DELETED", resource, record, record, record.load())
    for key, record in wanted.items():
        before = kept.get(key)
        if before is None:
            yield StoredChange("ADDED", resource, record, None, record.load())
        elif before.version != record.version:
            yield StoredChange("MODIFIED", resource, record, before, record.load())
