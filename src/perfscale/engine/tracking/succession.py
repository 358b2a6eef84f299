"""Which children the creation of their owners has made, and which came of something later."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perfscale.results import REPLACEMENT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perfscale.engine.tracking.rows import TrackedObject


class Succession:
    """Remembers which objects may have had more children made for them since they were ready.

    A child counts for the creation of its owner, unless an owner of it, near or far, had been ready
    when the child was first seen, and had been the target of an operation by then, or had lost
    another child. That a child is only seen after its owner was ready says nothing: their watches
    are two, and what is ready by being created has all its children later.

    Args:
        by_uid: The rows of all objects that have been seen.
    """

    def __init__(self, by_uid: Mapping[str, TrackedObject]) -> None:
        self._by_uid = by_uid
        self._causes: dict[str, str] = {}

    def operate(self, row: TrackedObject, operation: str) -> None:
        """An operation is sent to an object, of which controllers may make others."""
        if row.uid is not None:
            self._causes[row.uid] = operation

    def lose(self, child: TrackedObject) -> None:
        """A child goes, or has come to its end; not with its whole iteration."""
        if child.scope.deletion_requested or child.owner_uid is None:
            return
        owner = self._by_uid.get(child.owner_uid)
        if owner is not None and owner.has_arrived and owner.deletion_timestamp is None:
            self._causes.setdefault(child.owner_uid, REPLACEMENT)

    def cause_of(self, child: TrackedObject) -> str | None:
        """What made a child that is seen for the first time; None for its owner's creation."""
        if not self._causes:  # as in every run that only creates and deletes
            return None
        uid = child.owner_uid
        while uid is not None:
            owner = self._by_uid.get(uid)
            if owner is None:
                return None
            if owner.made_by is not None:
                return owner.made_by
            if uid in self._causes and owner.has_arrived:
                return self._causes[uid]
            uid = owner.owner_uid
        return None

    def forget(self, uid: str) -> None:
        """Nothing more is made for an object."""
        self._causes.pop(uid, None)
