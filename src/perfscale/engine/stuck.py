"""Says in words what became of the objects that did not get where they should."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from perfscale.results import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from perfscale.engine.removal import Survey
    from perfscale.engine.rows import IterationScope, TrackedObject

_MOST_GROUPS = 5


def describe_failed(scope: IterationScope) -> list[str]:
    """One sentence for each reason of failure, the most frequent first."""
    rows = [row for row in scope.objects if row.outcome is Outcome.FAILED]
    return _grouped((row, "failed", row.explanation) for row in rows)


def unready(scope: IterationScope) -> list[TrackedObject]:
    """The objects that were created and are not ready, the longest waiting first."""
    rows = [row for row in scope.objects if row.outcome is Outcome.UNREADY]
    return sorted(rows, key=lambda row: row.sent_s or 0.0)


def describe_unready(scope: IterationScope, warnings: Mapping[str, str] | None = None) -> list[str]:
    """One sentence for each group of objects that are not ready, the largest first.

    Args:
        scope: The iteration.
        warnings: What the cluster's events say, by UID of the object they are
            about; told after what the object's own status says. What they say
            of a child counts for its owner.
    """
    told = dict(warnings or {})
    for child in scope.children:
        if child.uid in told and child.owner_uid is not None:
            told.setdefault(child.owner_uid, told[child.uid])
    return _grouped(
        (row, f"not ready, {_phase(row)}", _joined(row.explanation, told.get(row.uid or "")))
        for row in unready(scope)
    )


def _joined(status: str | None, warning: str | None) -> str | None:
    if status and warning and warning not in status:
        return f"{status}; {warning}"
    return status or warning


def describe_leftover(scope: IterationScope) -> list[str]:
    """One sentence for each group of objects that were asked to go and are still there."""
    rows = [row for row in scope.rows if row.present and row.delete_requested_s is not None]
    return _grouped((row, f"still there, {_phase(row)}", _held_by(row.finalizers)) for row in rows)


def describe_survey(found: Survey) -> list[str]:
    """One sentence for each group of objects that a cleanup could not get rid of."""
    groups: Counter[tuple[str, str | None]] = Counter(
        (
            place.resource.kind,
            _held_by(metadata.finalizers if metadata.deletion_timestamp else None),
        )
        for place, objects in found.found.items()
        for metadata in objects
    )
    return [
        f"{count} {kind} still there" + (f": {reason}" if reason else "")
        for (kind, reason), count in groups.most_common()
    ]


def _held_by(finalizers: list[str] | None) -> str | None:
    return f"held by finalizer {', '.join(finalizers)}" if finalizers else None


def _phase(row: TrackedObject) -> str:
    return f"in phase {row.phase}" if row.phase else "without a phase"


def _grouped(entries: Iterable[tuple[TrackedObject, str, str | None]]) -> list[str]:
    """``37 VirtualMachineInstance not ready, in phase Scheduling: no node fits``."""
    groups: Counter[tuple[str, str, str | None]] = Counter()
    for row, state, reason in entries:
        # An object's own name in its reason would make every reason different.
        alike = reason.replace(row.name, "<name>") if reason else None
        groups[row.resource.kind, state, alike] += 1
    sentences = [
        f"{count} {kind} {state}" + (f": {reason}" if reason else "")
        for (kind, state, reason), count in groups.most_common(_MOST_GROUPS)
    ]
    rest = sum(count for _, count in groups.most_common()[_MOST_GROUPS:])
    if rest:
        sentences.append(f"{rest} more, for {len(groups) - _MOST_GROUPS} other reasons")
    return sentences
