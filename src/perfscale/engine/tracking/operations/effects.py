"""Judges by UID, and purely from what watches show, when an operation is done.

One `Effects` is for one workload, and is given what its watches see. An effect may be seen
before the request is answered, so an operation is followed from the moment that its request
leaves; it is done once it has been answered and its effect has been seen, whichever was first.
All times are seconds since the run's start, given by the caller.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeAlias

from perfscale.config.operations import MIGRATIONS, Effect
from perfscale.engine.tracking.operations.judges import (
    DELETED,
    DELETED_BY_RUN,
    GONE_BEFORE,
    JUDGES,
    MIGRATED,
    REPLACED,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from perfscale.engine.tracking.operations.judges import Judge
    from perfscale.engine.tracking.operations.tracked import TrackedOperation
    from perfscale.engine.tracking.operations.views import View

Key: TypeAlias = tuple[str, str | None, str]
"""A resource as ``plural.group``, a namespace and a name."""


class Effects:
    """The operations of one workload that wait for their effect.

    Args:
        effect: What they wait for.
        target: Resource of the targets, as ``plural.group``.
        follows: The resource that the effect is read off; it has objects of the targets' names.
        on_decided: Called once with each operation that is done or has failed.
        is_deleted_by_run: Whether the run itself has requested the deletion of a target.
    """

    def __init__(
        self,
        effect: Effect,
        *,
        target: str,
        follows: str,
        on_decided: Callable[[TrackedOperation], None],
        is_deleted_by_run: Callable[[TrackedOperation], bool],
    ) -> None:
        self._judge = JUDGES.get(effect)
        self._is_at_once = effect is not Effect.FIRST_STATE
        self._target = target
        self._read_off = follows
        self._on_decided = on_decided
        self._is_deleted_by_run = is_deleted_by_run
        self._known: dict[Key, View | None] = {}
        self._lost: set[Key] = set()
        self._waiting: dict[Key, list[TrackedOperation]] = {}

    @property
    def waits(self) -> bool:
        """Whether any operation waits for what the watches show."""
        return bool(self._waiting)

    def follows(self, key: Key) -> bool:
        """Whether anything about an object counts."""
        return key in self._known or key in self._waiting

    def follow(self, targets: Iterable[tuple[str | None, str]]) -> None:
        """Keep in mind what is seen of these: namespaces and names, before the first list."""
        for namespace, name in targets:
            for resource in {self._target, self._read_off}:
                self._known[resource, namespace, name] = None

    def find_loss(self, operation: TrackedOperation) -> str | None:
        """Why a target is not there any more, as far as the watches have shown; None if it is."""
        key = (self._target, operation.namespace, operation.name or "")
        known = self._known.get(key)
        if known is None:
            return GONE_BEFORE if key in self._lost else None
        return None if known.uid == operation.uid else REPLACED

    # -- the requests -------------------------------------------------------

    def send(self, operation: TrackedOperation, now: float) -> None:
        """Its request leaves, for the first time."""
        operation.sent_s = now
        if self._judge is None:
            return
        for key in self._keys(operation):
            self._waiting.setdefault(key, []).append(operation)
        self._begin(operation, self._judge)

    def _begin(self, operation: TrackedOperation, judge: Judge) -> None:
        judge.begin(operation, self._known.get(self._effect_key(operation)))
        if self._read_off == self._target:  # whatever is there by now: this one is meant
            operation.old_uid = operation.uid

    def retry(self, operation: TrackedOperation) -> None:
        """Its request was refused, and is sent again: what was seen so far is not its effect."""
        if self._judge is None:
            return
        operation.effect_s = None
        operation.milestones.clear()
        operation.again = operation.again or operation.flushed_milestones > 0
        operation.flushed_milestones = 0
        self._begin(operation, self._judge)

    def accept(self, operation: TrackedOperation, now: float, *, version: int = 0) -> None:
        """It was answered with success.

        Args:
            operation: The operation.
            now: When.
            version: The resourceVersion that the request has led to, where its answer says;
                what was seen of an older one is not its effect.
        """
        operation.answered_s = now
        operation.accepted = True
        operation.least_version = version
        if self._judge is None and self._is_at_once:
            operation.see_effect(now)
        elif (
            operation.effect_s is not None and operation.effect_s == operation.sent_s
        ):  # it was so before, and stays so
            operation.effect_s = now
        self._conclude(operation)

    def finish(self, operation: TrackedOperation) -> None:
        """A stream that sent its first state is closed, and nothing more is counted of it."""
        if operation.answered_s is not None:
            operation.see_effect(operation.answered_s)
        self._conclude(operation)

    def refuse(self, operation: TrackedOperation, error: str) -> None:
        """The server did not accept it, which is no answer that a latency could count."""
        operation.error = error
        self._decide(operation)

    def give_up(self, operation: TrackedOperation) -> None:
        """Follow it no more: it stays unfinished."""
        self.describe(operation)
        operation.given_up = True
        self._forget(operation)

    def describe(self, operation: TrackedOperation) -> None:
        """Say of an operation that is unfinished what is missing."""
        if self._judge is not None and operation.accepted:
            known = self._known.get(self._effect_key(operation))
            operation.detail = self._judge.describe(operation, known)

    def describe_waiting(self) -> list[TrackedOperation]:
        """The same of all that wait for their effect; returns them."""
        waiting = list(dict.fromkeys(each for of in self._waiting.values() for each in of))
        for operation in waiting:
            self.describe(operation)
        return waiting

    # -- what the watches see -----------------------------------------------

    def observe(self, key: Key, view: View, now: float, *, deleted: bool = False) -> None:
        """Take one event about what is followed, which is gone if it is ``deleted``."""
        if deleted:
            self._lose(key, view.uid, now)
            return
        if key[0] != MIGRATIONS:
            self._known[key] = view
        for operation in self._waiting_for(key):
            self._see(operation, key, view, now)

    def reconcile(
        self,
        place: tuple[str, str | None],
        state: Mapping[Key, View],
        now: float,
        *,
        asked_s: float,
    ) -> None:
        """Take a whole list: what it does not hold is gone.

        Args:
            place: Its resource, as ``plural.group``, and its namespace; None for all.
            state: What it holds.
            now: When it arrived.
            asked_s: When it was requested. What it does not hold may have come after that, and
                is no loss for an operation whose request left later, unless it was seen before.
        """
        resource, namespace = place
        for key, view in state.items():
            self.observe(key, view, now)
        for key in dict.fromkeys((*self._known, *self._waiting)):
            inside = key[0] == resource and namespace in {None, key[1]}
            if inside and key not in state:
                known = self._known.get(key)
                if known is not None or key in self._waiting:
                    self._lose(key, None if known is None else known.uid, now, asked_s)

    def _see(self, operation: TrackedOperation, key: Key, view: View, now: float) -> None:
        if key[0] == MIGRATIONS:
            MIGRATED.see_migration(operation, view, now)
        elif self._was_before(operation, key, now):
            pass
        elif key == self._effect_key(operation) and self._judge is not None:
            if self._is_of_another(operation, view):
                operation.fail(REPLACED)
            else:
                self._judge.see(operation, view, now)
        elif view.uid != operation.uid:
            operation.fail(DELETED)
        self._conclude(operation)

    def _is_of_another(self, operation: TrackedOperation, view: View) -> bool:
        """Whether what was seen belongs to another object that has the target's name by now."""
        is_owned = self._read_off != self._target and bool(view.owners)
        return is_owned and operation.uid not in view.owners

    def _lose(self, key: Key, uid: str | None, now: float, asked_s: float = math.inf) -> None:
        if self._known.get(key) is not None:
            self._known[key] = None
            self._lost.add(key)
        for operation in self._waiting_for(key):
            if uid is None and (operation.sent_s or 0.0) >= asked_s:
                continue  # what was never seen may be newer than the list
            if key[0] == MIGRATIONS:
                if operation.made_uid is not None and "Succeeded" not in operation.milestones:
                    operation.fail("somebody else deleted the migration")
            elif self._was_before(operation, key, now):
                pass
            elif key == self._effect_key(operation) and self._judge is not None:
                self._judge.miss(operation, uid, now)
            elif uid in {operation.uid, None}:
                operation.fail(DELETED)
            self._conclude(operation)

    def _was_before(self, operation: TrackedOperation, key: Key, now: float) -> bool:
        """Whether an event came before the request left, and is only worked on after that.

        Then it is no effect of the request: it says what that has found. Of the target that is
        nothing about its instance, of which later events may have been worked on already: each
        watch is in order, and two are not.
        """
        if now >= (operation.sent_s or 0.0):
            return False
        if self._judge is not None and key == self._effect_key(operation):
            self._begin(operation, self._judge)
        return True

    # -- the rest -----------------------------------------------------------

    def _waiting_for(self, key: Key) -> list[TrackedOperation]:
        return list(self._waiting.get(key, ()))

    def _effect_key(self, operation: TrackedOperation) -> Key:
        return (self._read_off, operation.namespace, operation.name or "")

    def _keys(self, operation: TrackedOperation) -> set[Key]:
        """What an operation is followed by: its target, what the effect is read off, its own."""
        keys = {
            self._effect_key(operation),
            (self._target, operation.namespace, operation.name or ""),
        }
        if operation.made_name is not None:
            keys.add((MIGRATIONS, operation.namespace, operation.made_name))
        return keys

    def _conclude(self, operation: TrackedOperation) -> None:
        """Decide it if it has been answered, and has had its effect or cannot have it any more."""
        if not operation.accepted or operation.decided:
            return
        if operation.failure is not None:
            by_run = operation.failure == DELETED and self._is_deleted_by_run(operation)
            operation.error = DELETED_BY_RUN if by_run else operation.failure
        elif operation.has_effect:
            operation.done_s = operation.effect_s
        else:
            return
        self._decide(operation)

    def _decide(self, operation: TrackedOperation) -> None:
        self._forget(operation)
        self._on_decided(operation)

    def _forget(self, operation: TrackedOperation) -> None:
        for key in self._keys(operation):
            waiting = self._waiting.get(key)
            if waiting is not None and operation in waiting:
                waiting.remove(operation)
                if not waiting:
                    del self._waiting[key]
