"""Counts what the generators publish, as a run of one counts what its tracker finds.

So a failure budget, snapshots and progress are about all generators together.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

from perfscale.engine.tracking.rows import TransitionKind
from perfscale.fleet.published.scopes import MergedScope, phase_of
from perfscale.results import (
    ChangeEntry,
    IterationEndEntry,
    IterationEntry,
    ObjectEntry,
    OperationChangeEntry,
    OperationEntry,
    ReleaseEntry,
    RoundEntry,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from perfscale.engine.context import RunContext
    from perfscale.engine.sharding.coordination import Barrier
    from perfscale.engine.tracking.rows import IterationScope
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
            return _NOTHING
        is_there = life.deleted_s is None
        return cls(
            life.sent_s is not None,
            life.created_s is not None or life.uid is not None,
            life.ready_s is not None,
            life.error is not None,
            not is_there,
            phase_of(life) if is_there else None,
        )


_NOTHING: Final = _Object()


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
        self._scopes: dict[tuple[str, int], MergedScope] = {}
        self._scope_of: dict[int, MergedScope] = {}

    def shown(self, scope: IterationScope) -> IterationScope:
        """What is published of an iteration: the counts of all generators."""
        return self._merged(scope.workload, scope.iteration, scope.round)

    def open_operations(self, scope: IterationScope) -> Collection[OperationLife]:
        """Those of an iteration that are neither done nor have failed."""
        merged = self._scopes.get((scope.workload, scope.iteration))
        return () if merged is None else merged.operations.values()

    def expect(self, scope: IterationScope, requested: int) -> None:
        """An iteration begins that asks all generators together for so many."""
        self._merged(scope.workload, scope.iteration, scope.round).expect(requested)

    def end_load(self, barrier: Barrier, requested: int) -> None:
        """The load of an iteration is over, and has asked for so many."""
        scope = self._scopes.get((barrier.workload or "", barrier.iteration or 0))
        if scope is not None and scope.ends:
            scope.end_load(requested)

    def _merged(self, workload: str, iteration: int, round_number: int | None) -> MergedScope:
        where = (workload, iteration)
        if where not in self._scopes:
            self._scopes[where] = MergedScope(workload, iteration, round_number)
        return self._scopes[where]

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
            scope = self._scope_of[entry.i] = self._merged(
                entry.workload, entry.iteration, entry.round
            )
            scope.ends |= entry.ends
            scope.ask_for(sum(entry.requested.values()))
            if entry.round is not None:
                context.count_churned(entry.workload, Counter(entry.requested))
        elif isinstance(entry, RoundEntry):
            scope = self._scope_of[entry.i]
            scope.ask_for(sum(entry.requested.values()))
            context.count_churned(scope.workload, Counter(entry.requested))
        elif isinstance(entry, ReleaseEntry):
            for number in (*entry.objects, *entry.children):
                self._scope_of[entry.i].lives.pop(number, None)
        elif isinstance(entry, IterationEndEntry) and entry.settled:
            self._close(entry.i)

    def _close(self, number: int) -> None:
        """Nothing more comes of a part; what is shown of the iteration stays for a while."""
        scope = self._scope_of.pop(number)
        if scope not in self._scope_of.values():
            scope.lives.clear()
            scope.operations.clear()
            self._scopes.pop((scope.workload, scope.iteration), None)

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
        if isinstance(entry, ObjectEntry) and entry.i in self._scope_of:
            self._scope_of[entry.i].lives[entry.n] = life
        if before == after:
            return
        self._count_shown(life, before, after)
        if not life.is_child:
            self._count_in_run(life, before, after)

    def _count_in_run(self, life: ObjectLife, before: _Object, after: _Object) -> None:
        counter = self._context.counter
        if after.sent and not before.sent:
            counter.send(life)
            self._count_lags(life)
        if after.created and not before.created:
            counter.change(life, TransitionKind.CREATED)
        if after.ready and not before.ready:
            counter.change(life, TransitionKind.READY)
        if after.failed and not before.failed:
            counter.change(life, TransitionKind.FAILED)
            self._context.count_failure(life)
        if after.deleted and not before.deleted:
            counter.change(life, TransitionKind.DELETED)

    def _count_lags(self, life: ObjectLife | OperationLife) -> None:
        """How late it was sent; the operations of one request were as late."""
        due_s, admitted_s, sent_s = life.scheduled_s, life.admitted_s, life.sent_s
        if due_s is not None and admitted_s is not None and sent_s is not None:
            self._context.health.sent_elsewhere(admitted_s - due_s, sent_s - admitted_s)

    def _count_shown(self, life: ObjectLife, before: _Object, after: _Object) -> None:
        scope = self._scopes.get((life.scope.workload, life.scope.iteration))
        if scope is None:
            return
        was_there = before.created and not before.deleted
        came = (after.created and not after.deleted) - was_there
        if life.is_child:
            scope.present_children += came
            return
        scope.present += came
        scope.sent += after.sent - before.sent
        scope.created += after.created - before.created
        scope.ready += after.ready - before.ready
        scope.failed += after.failed - before.failed
        scope.deleted += after.deleted - before.deleted
        scope.undecided -= (after.ready or after.failed) - (before.ready or before.failed)

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
        scope = self._scopes.get((life.scope.workload, life.scope.iteration))
        if scope is not None:
            _count_shown_operation(scope, entry.n, life, before, after)
        if after.sent and not before.sent:
            counter.send(life)
            self._count_lags(life)
        if after.accepted and not before.accepted:
            counter.accept(life)
        if after.decided and not before.decided:
            counter.decide(life)
            if life.error is not None:
                context.count_failed_operation(life)


def _count_shown_operation(
    scope: MergedScope, number: int, life: OperationLife, before: _Operation, after: _Operation
) -> None:
    if life.decided:
        scope.operations.pop(number, None)
    else:
        scope.operations[number] = life
    scope.sent += after.sent - before.sent
    scope.created += after.accepted - before.accepted
    scope.undecided -= after.decided - before.decided
    if after.decided and not before.decided:
        scope.ready += life.error is None
        scope.failed += life.error is not None
