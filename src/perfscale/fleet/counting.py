"""Counts what the generators publish, as a run of one counts what its tracker finds.

So a failure budget, snapshots and progress are about all generators together.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from perfscale.engine.tracking.rows import TransitionKind
from perfscale.results import (
    ChangeEntry,
    IterationEntry,
    OperationChangeEntry,
    OperationEntry,
    RoundEntry,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from perfscale.engine.context import RunContext
    from perfscale.results import AnyEntry, ObjectLife, OperationLife, Replay


class _Object(NamedTuple):
    """What of an object's life is counted, before and after an entry."""

    sent: bool = False
    created: bool = False
    ready: bool = False
    failed: bool = False
    deleted: bool = False
    phase: str | None = None

    @classmethod
    def of(cls, life: ObjectLife | None) -> _Object:
        if life is None:
            return cls()
        names = life.phases_s.names
        is_there = life.deleted_s is None
        return cls(
            life.sent_s is not None,
            life.created_s is not None or life.uid is not None,
            life.ready_s is not None,
            life.error is not None,
            not is_there,
            names[-1] if names and is_there else None,
        )


class _Operation(NamedTuple):
    sent: bool = False
    accepted: bool = False
    decided: bool = False

    @classmethod
    def of(cls, life: OperationLife | None) -> _Operation:
        if life is None:
            return cls()
        is_decided = life.done_s is not None or life.error is not None
        return cls(life.sent_s is not None, life.answered_s is not None, is_decided)


class MergedCounts:
    """Applies entries to a replay, and counts what they change in the coordinator's context.

    Args:
        context: The coordinator's.
        replay: Which has the lives of the objects.
    """

    def __init__(self, context: RunContext, replay: Replay) -> None:
        self._context = context
        self._replay = replay
        self._workloads: dict[int, str] = {}

    def count(self, entry: AnyEntry, apply: Callable[[AnyEntry], None]) -> None:
        """Apply an entry, and count what is new."""
        match entry:
            case ChangeEntry():
                self._count_object(entry, apply)
            case OperationChangeEntry():
                self._count_operation(entry, apply)
            case _:
                apply(entry)
                self._count_requested(entry)

    def _count_requested(self, entry: AnyEntry) -> None:
        context = self._context
        if isinstance(entry, IterationEntry):
            self._workloads[entry.i] = entry.workload
            if entry.round is not None:
                context.count_churned(entry.workload, Counter(entry.requested))
        elif isinstance(entry, RoundEntry):
            context.count_churned(self._workloads[entry.i], Counter(entry.requested))

    def _count_object(self, entry: ChangeEntry, apply: Callable[[AnyEntry], None]) -> None:
        find = self._replay.object_life
        before = _Object.of(find(entry.n))
        apply(entry)
        life = find(entry.n)
        if life is None:
            return
        after = _Object.of(life)
        if before.phase != after.phase:
            self._move(life, before.phase, after.phase)
        if life.is_child:
            return
        counter = self._context.counter
        if after.sent and not before.sent:
            counter.send(life)
        for was, is_now, change in (
            (before.created, after.created, TransitionKind.CREATED),
            (before.ready, after.ready, TransitionKind.READY),
            (before.failed, after.failed, TransitionKind.FAILED),
            (before.deleted, after.deleted, TransitionKind.DELETED),
        ):
            if is_now and not was:
                counter.change(life, change)
        if after.failed and not before.failed:
            self._context.count_failure(life)

    def _move(self, life: ObjectLife, old: str | None, new: str | None) -> None:
        tracker = self._context.tracker
        phases = tracker.child_phases if life.is_child else tracker.phases
        if old is not None:
            phases[life.resource.kind_name, old] -= 1
        if new is not None:
            phases[life.resource.kind_name, new] += 1

    def _count_operation(
        self, entry: OperationChangeEntry, apply: Callable[[AnyEntry], None]
    ) -> None:
        find, context = self._replay.operation_life, self._context
        known = find(entry.n)
        before = _Operation.of(known)
        apply(entry)
        if isinstance(entry, OperationEntry):
            context.operations += 1
        life = find(entry.n) or known
        if life is None:
            return
        after, counter = _Operation.of(life), context.operation_counter
        if after.sent and not before.sent:
            counter.send(life)
        if after.accepted and not before.accepted:
            counter.accept(life)
        if after.decided and not before.decided:
            counter.decide(life)
            if life.error is not None:
                context.count_failed_operation(life)
