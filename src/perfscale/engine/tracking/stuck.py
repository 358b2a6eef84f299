"""Says in words what became of the objects that did not get where they should."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perfscale.engine.tracking.readiness import rule_for
from perfscale.results import Failures, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from perfscale.engine.tracking.rows import IterationScope, TrackedObject


def describe_failed(scope: IterationScope) -> list[str]:
    """One sentence for each reason of failure, the most frequent first."""
    if not scope.failed and scope.created == scope.sent:
        return []
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
            about; shown after what the object's own status says. What they say
            of a child counts for its owner, and so does its status.
    """
    reasons = dict(warnings or {})
    causes: dict[str, str] = {}
    for child in scope.children:
        owner = child.owner_uid
        if owner is None:
            continue
        if child.uid in reasons:
            reasons.setdefault(owner, reasons[child.uid])
        if child.outcome is not Outcome.READY and child.explanation:
            state = "failed" if child.outcome is Outcome.FAILED else _phase(child)
            causes.setdefault(owner, f"{child.resource.kind_name} {state}: {child.explanation}")
    return _grouped(
        (row, ", ".join(["not ready", *_phases(row)]), _reason(row, causes, reasons))
        for row in unready(scope)
    )


def _reason(
    row: TrackedObject, causes: Mapping[str, str], warnings: Mapping[str, str]
) -> str | None:
    """What its status says, what a child's status says, what events say; nothing twice."""
    uid = row.uid or ""
    reason: str | None = None
    for text in (row.explanation, causes.get(uid), warnings.get(uid)):
        if reason is None or (text and reason in text):
            reason = text or reason
        elif text and text not in reason:
            reason = f"{reason}; {text}"
    return reason


def describe_leftover(scope: IterationScope, unread: Mapping[str, str] | None = None) -> list[str]:
    """One sentence for each group of objects that are being deleted and are still there.

    Args:
        scope: The iteration.
        unread: Why objects could not be read, by UID.
    """
    unread = unread or {}
    rows = [row for row in scope.rows if row.present and row.delete_requested_s is not None]
    return _grouped(
        (row, "not known to be gone", why)
        if (why := unread.get(row.uid or "")) is not None
        else (row, ", ".join(["still there", *_phases(row)]), held_by(row.finalizers))
        for row in rows
    )


def held_by(finalizers: Sequence[str] | None) -> str | None:
    """What keeps an object that is being deleted; None if nothing does."""
    return f"held by finalizer {', '.join(finalizers)}" if finalizers else None


def _phase(row: TrackedObject) -> str:
    return f"in phase {row.phase}" if row.phase else "without a phase"


def _phases(row: TrackedObject) -> list[str]:
    """Its phase, if its kind has any."""
    return [_phase(row)] if row.phase or rule_for(row.resource).path else []


def _grouped(entries: Iterable[tuple[TrackedObject, str, str | None]]) -> list[str]:
    """``37 VirtualMachineInstance not ready, in phase Scheduling: no node fits``."""
    groups = Failures()
    for row, state, reason in entries:
        groups.count(row.resource.kind_name, state, reason, name=row.name)
    return groups.sentences()
