"""What is in a namespace, for as many namespaces as are deleted one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from perfscale.engine.tracking.rows import TrackedObject

_FORGOTTEN: Final = 1000
"""UIDs beyond those that are followed, which are kept before all are dropped and taken anew."""


class NamespaceContents:
    """Finds the rows of a namespace; costs nothing before it is asked for the first time.

    A mapping of all rows is in the order in which they came, so that only those since the last
    time have to be looked at.

    Args:
        by_uid: The rows of all objects that have been seen; new ones come last.
    """

    def __init__(self, by_uid: dict[str, TrackedObject]) -> None:
        self._by_uid = by_uid
        self._taken: set[str] = set()
        self._rows: dict[str | None, list[TrackedObject]] = {}

    def of(self, namespace: str | None) -> list[TrackedObject]:
        """Objects and children that have been seen in a namespace, and are still followed."""
        self._take_new()
        known = self._by_uid
        return [row for row in self._rows.get(namespace, ()) if known.get(row.uid or "") is row]

    def _take_new(self) -> None:
        if len(self._taken) > 2 * len(self._by_uid) + _FORGOTTEN:
            self._taken.clear()
            self._rows.clear()
        for uid, row in reversed(self._by_uid.items()):
            if uid in self._taken:
                break
            self._taken.add(uid)
            self._rows.setdefault(row.namespace, []).append(row)
