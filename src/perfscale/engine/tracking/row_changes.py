"""What has changed about rows since they were last flushed to the journal.

A row of an object marks which of its fields are dirty, so that no others are read; of an operation,
there are few enough to be compared.
"""

from __future__ import annotations

from functools import cache, partial
from itertools import compress
from operator import attrgetter, is_not
from typing import TYPE_CHECKING, Any, Final

from perfscale.engine.tracking.rows import ALL_DIRTY, DIRTY
from perfscale.results import OPERATION_FIELDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from perfscale.engine.tracking.operations.tracked import TrackedOperation
    from perfscale.engine.tracking.rows import TrackedObject
    from perfscale.results import Stamps

_IS_KNOWN: Final = partial(is_not, None)


@cache
def _fields(dirty: int) -> tuple[tuple[str, ...], Callable[[TrackedObject], tuple[Any, ...]]]:
    """The fields that are dirty, and what reads them off a row; there are few combinations."""
    names = tuple(name for name, bit in DIRTY.items() if dirty & bit)
    if len(names) > 1:
        return names, attrgetter(*names)
    return names, lambda row: tuple(getattr(row, name) for name in names)


def take_operation(operation: TrackedOperation) -> dict[str, Any]:
    """What has changed since the last flush."""
    fields = tuple(getattr(operation, name) for name in OPERATION_FIELDS)
    before = operation.flushed or (None,) * len(fields)
    changes: dict[str, Any] = {
        name: value
        for name, value, known in zip(OPERATION_FIELDS, fields, before, strict=True)
        if value != known and (value or known is not None)
    }
    operation.flushed = fields
    if operation.again:
        changes["again"], operation.again = True, False
    new = list(operation.milestones.items())[operation.flushed_milestones :]
    if new:
        changes["milestones"] = dict(new)
        operation.flushed_milestones += len(new)
    return changes


def take_all(row: TrackedObject) -> dict[str, Any]:
    """All that is known of a row, which is clean then."""
    row.dirty = ALL_DIRTY
    changes = take_changes(row)
    return dict(compress(changes.items(), map(_IS_KNOWN, changes.values())))


def take_changes(row: TrackedObject) -> dict[str, Any]:
    """What has changed since the last flush; the row is clean then. Most events lead here."""
    names, read = _fields(row.dirty & ALL_DIRTY)
    changes: dict[str, Any] = dict(zip(names, read(row), strict=True))
    row.dirty = 0
    seen = len(row.phases_s.names)
    if seen > row.flushed_phases:
        changes["phases_s"] = dict(row.phases_s.items(row.flushed_phases))
        row.flushed_phases = seen
    later = row.later_phases_s
    if later is not None and len(later.names) > row.flushed_later:
        changes["later_phases_s"] = dict(later.items(row.flushed_later))
        row.flushed_later = len(later.names)
    if row.phase_timestamps is not row.flushed_timestamps:
        if changed := _changed_stamps(row.flushed_timestamps, row.phase_timestamps):
            changes["phase_timestamps"] = changed
        row.flushed_timestamps = row.phase_timestamps
    return changes


def _changed_stamps(old: Stamps, new: Stamps) -> dict[str, str | None]:
    if new[: len(old)] == old:  # as a rule, they only grow
        return dict(new[len(old) :])
    before, now = dict(old), dict(new)
    changed: dict[str, str | None] = {
        phase: timestamp for phase, timestamp in now.items() if before.get(phase) != timestamp
    }
    changed.update((phase, None) for phase in before if phase not in now)
    return changed
