"""From when the latencies of an object count."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from perfscale.results.model.records import ObjectRecord


class Origins:
    """An object's latencies count from its create request, and a child's from its owner's.

    That is what made the child, also by way of other children: the VMs of a pool make VMIs.
    Where no owner is one of the run's objects, they count from when the child was first seen.

    Args:
        children: Whether children will be asked about. Each comes after its
            owner, which is remembered until then.
    """

    __slots__ = ("_requested_s",)

    def __init__(self, *, children: bool) -> None:
        self._requested_s: dict[str, float | None] | None = {} if children else None

    def of(self, record: ObjectRecord) -> float | None:
        """From when those of an object count; None for one that was never sent."""
        if self._requested_s is not None and record.uid is not None:
            self._requested_s[record.uid] = record.sent_s
        return record.sent_s

    def of_child(self, record: ObjectRecord) -> float | None:
        """The same for a child."""
        known = self._requested_s or {}
        requested_s = known.get(record.owner_uid or "", record.created_s)
        if self._requested_s is not None and record.uid is not None:
            self._requested_s[record.uid] = requested_s
        return requested_s
