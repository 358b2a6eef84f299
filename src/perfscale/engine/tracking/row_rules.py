"""What an answer or an event changes about a row, and the counts that follow from it.

The tracker finds out which object something is about; the rules of "ready", "failed" and "gone"
are here.
"""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING, Final

from perfscale.engine.tracking.rows import DIRTY, Transition, TransitionKind
from perfscale.kube.decoding import version_number

if TYPE_CHECKING:
    from collections.abc import Iterable

    from perfscale.engine.tracking.readiness import Metadata, Reading
    from perfscale.engine.tracking.rows import TrackedObject
    from perfscale.engine.tracking.succession import Succession

_VANISHED: Final = "somebody else deleted it"
_WENT_BACK: Final = "it was lost when the cluster went back to an older state"


class RowRules:
    """Changes rows, and keeps what is counted of them true.

    Args:
        succession: Is notified of children that go.

    Attributes:
        phases: How many objects are in each phase now, by ``(kind, phase)``.
        child_phases: The same of children.
        went_back_s: When the cluster was last found to be in an older state than it was.
    """

    def __init__(self, succession: Succession) -> None:
        self._succession = succession
        self.phases: Counter[tuple[str, str]] = Counter()
        self.child_phases: Counter[tuple[str, str]] = Counter()
        self.went_back_s: float | None = None

    def read(
        self,
        row: TrackedObject,
        metadata: Metadata,
        reading: Reading,
        now: float,
        changes: list[Transition],
    ) -> None:
        """Take an object that is not gone as a watch or a list has it."""
        phase = reading.phase
        if phase is not None and phase != row.phase:
            changes.append(self._enter_phase(row, sys.intern(phase), now))
        if row.expected is not None:
            row.by_kind = row.by_kind or reading.ready
            reading = row.expected.judge(reading)
        stamp = metadata.deletion_timestamp
        is_going = stamp is not None or row.delete_requested_s is not None
        explained = (
            reading.detail != row.detail
            # From then on it says how the object goes, and not why it was not ready.
            and not is_going
            and _explain(row, reading.detail)
        )
        row.phase_timestamps = reading.stamps or row.phase_timestamps
        was_going = row.deletion_timestamp is not None
        if stamp is not None:
            self.read_deletion(row, stamp, metadata.finalizers)
        if reading.milestones is not row.milestones:  # as a rule, those of the last event
            row.milestones = reading.milestones
            _pass_milestones(row, reading.milestones, now, changes)
        if is_going:
            if not was_going or row.is_child:  # others were judged when their deletion began
                self._read_leaving(row, metadata, reading, now, changes)
        elif reading.failure is not None:
            changes += self.fail(row, reading.failure)
        elif reading.ready and self._may_become_ready(row, metadata):
            changes.append(self.become_ready(row, now))
        elif explained and row.ready_s is None and row.error is None:
            changes.append(Transition(row, TransitionKind.EXPLAINED))

    def _enter_phase(self, row: TrackedObject, phase: str, now: float) -> Transition:
        phases, kind = self.child_phases if row.is_child else self.phases, row.resource.kind_name
        if row.phase is not None:
            phases[kind, row.phase] -= 1
        phases[kind, phase] += 1
        row.phase = phase
        row.phase_s = now
        if row.ready_s is None or not row.has_arrived:
            row.phases_s.enter(phase, now)
        else:
            row.enter_later(phase, now)
        return Transition(row, TransitionKind.PHASE, phase)

    def _read_leaving(
        self,
        row: TrackedObject,
        metadata: Metadata,
        reading: Reading,
        now: float,
        changes: list[Transition],
    ) -> None:
        """What an object comes to that is being deleted, by the run or by somebody else."""
        if row.is_child:  # whoever made it may delete it
            if reading.ready and self._may_become_ready(row, metadata):
                changes.append(self.become_ready(row, now))
            return
        failure, goes = reading.failure, metadata.deletion_timestamp is not None
        if not goes and failure is None:
            return
        if not _is_deleted_by_run(row, version_number(metadata.resource_version)):
            changes += self.vanish(row) if goes or failure is None else self.fail(row, failure)

    def read_deletion(self, row: TrackedObject, stamp: str, finalizers: list[str] | None) -> None:
        """It is being deleted since ``stamp``, and kept by these finalizers."""
        if row.deletion_timestamp != stamp:
            if row.is_child:
                self._succession.lose(row)
            row.deletion_timestamp = sys.intern(stamp)
            row.dirty |= DIRTY["deletion_timestamp"]
        row.finalizers = tuple(map(sys.intern, finalizers or ()))

    def leave(
        self, row: TrackedObject, version: int, now: float, changes: list[Transition]
    ) -> None:
        """A watch, or a list by label, of this version does not hold an object any more.

        It may be gone, or its labels: the event is the same, and holds the object as it was
        before, with its labels. One that was being deleted is gone; of another that
        has to be verified:
        https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
        """
        by_run = _is_deleted_by_run(row, version) and now >= (row.delete_requested_s or now)
        if by_run or row.is_child or row.deletion_timestamp is not None:
            self.trust(row)
            self.mark_gone(row, now, changes, vanished=not by_run)
        elif row.doubted_s is None:
            row.doubted_s = now
            row.scope.doubted += 1
            changes.append(Transition(row, TransitionKind.DOUBTED))

    @staticmethod
    def trust(row: TrackedObject) -> None:
        """It need not be verified any more whether it is there."""
        if row.doubted_s is not None:
            row.doubted_s = None
            row.scope.doubted -= 1

    def mark_gone(
        self, row: TrackedObject, now: float, changes: list[Transition], *, vanished: bool
    ) -> None:
        """An object is gone; if it ``vanished``, it was not the run that deleted it."""
        row.deleted_s = now
        row.finalizers = ()
        row.dirty |= DIRTY["deleted_s"]
        if vanished and row.delete_requested_s is not None:
            row.delete_requested_s = None
            row.dirty |= DIRTY["delete_requested_s"]
        self.count_present(row, -1)
        self._count_phase(row, -1)
        changes.append(Transition(row, TransitionKind.DELETED))
        if row.is_child:
            self._succession.lose(row)
        else:
            row.scope.deleted += 1
            if vanished:
                changes += self.vanish(row)

    @staticmethod
    def _may_become_ready(row: TrackedObject, metadata: Metadata) -> bool:
        """Whether readiness still counts.

        A child's watch may lag behind its owner's: the owner was ready and is
        being deleted when the child's readiness is seen. What counts for
        a child is its own deletion.
        """
        if row.ready_s is not None or row.error is not None:
            return False
        if row.is_child:
            return metadata.deletion_timestamp is None
        return row.scope.accepts_readiness

    def become_ready(self, row: TrackedObject, now: float) -> Transition:
        """An object is ready; whether that still counts is the caller's to know."""
        row.ready_s = now
        row.dirty |= DIRTY["ready_s"]
        if not row.is_child:
            row.scope.ready += 1
        self._decide(row)
        return Transition(row, TransitionKind.READY)

    def vanish(self, row: TrackedObject) -> list[Transition]:
        """It is gone, or being deleted, and not by the run."""
        return self.fail(row, self._why_gone(row))

    def _why_gone(self, row: TrackedObject) -> str:
        went_back_s = self.went_back_s
        lost = went_back_s is not None and row.was_there(went_back_s)
        return _WENT_BACK if lost and not row.scope.deletion_requested else _VANISHED

    @staticmethod
    def has_vanished(row: TrackedObject) -> bool:
        """Whether that is why it failed."""
        return row.error in {_VANISHED, _WENT_BACK}

    def fail(self, row: TrackedObject, error: str) -> list[Transition]:
        """An object has failed; of several reasons the first counts."""
        if row.error is not None:
            return []
        row.error = error
        row.dirty |= DIRTY["error"]
        if row.is_child:
            self._succession.lose(row)
        else:
            row.scope.failed += 1
            if row.ready_s is not None:
                row.scope.ready -= 1
        self._decide(row)
        return [Transition(row, TransitionKind.FAILED)]

    def count(self, row: TrackedObject, by: int) -> None:
        """Add all that a row counts for, or take it away."""
        if row.present:
            self.count_present(row, by)
            self._count_phase(row, by)
        if row.is_child:
            return
        scope = row.scope
        scope.created += by * (row.uid is not None)
        scope.deleted += by * (row.deleted_s is not None)
        scope.failed += by * (row.error is not None)
        scope.ready += by * (row.error is None and row.ready_s is not None)
        scope.undecided -= by * row.decided

    @staticmethod
    def _decide(row: TrackedObject) -> None:
        if not row.decided:
            row.decided = True
            row.scope.undecided -= 1

    @staticmethod
    def count_present(row: TrackedObject, by: int) -> None:
        """Count one more that is in the cluster, or one less."""
        if row.is_child:
            row.scope.present_children += by
        else:
            row.scope.present += by

    def _count_phase(self, row: TrackedObject, by: int) -> None:
        if row.phase is not None:
            phases = self.child_phases if row.is_child else self.phases
            phases[row.resource.kind_name, row.phase] += by


def _explain(row: TrackedObject, detail: str | None) -> bool:
    """Take why it is not ready; whether there is a reason."""
    row.detail = sys.intern(detail) if detail is not None else None
    if row.ready_s is None and row.error is None:
        row.dirty |= DIRTY["detail"]  # it is not needed once it is ready, or has failed
    return detail is not None


def _pass_milestones(
    row: TrackedObject, milestones: Iterable[str], now: float, changes: list[Transition]
) -> None:
    """Those of the milestones that it comes to for the first time."""
    for milestone in milestones:
        if milestone not in row.phases_s.names:
            row.phases_s.enter(milestone, now)
            changes.append(Transition(row, TransitionKind.PHASE, milestone))


def _is_deleted_by_run(row: TrackedObject, version: int) -> bool:
    """Whether the run had deleted an object before the cluster came to this version.

    A version of 0 is none: it is taken to be a late one. One that was deleted by itself, before
    all of its iteration was, went when nobody looked at versions.
    """
    if row.delete_requested_s is None:
        return False
    if row.delete_requested_s < row.scope.asked_s:
        return True
    return not 0 < version <= row.scope.asked_versions.get(row.resource.name, 0)
