"""Judges by UID, and purely from what watches show, when an operation is done.

One `Effects` is for one workload, and is given what its watches see. An effect may be seen
before the request is answered, so an operation is followed from the moment that its request
leaves; it is done once it has been answered and its effect has been seen, whichever was first.
All times are seconds since the run's start, given by the caller.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

from perfscale.config.operations import MIGRATIONS, Effect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from perfscale.engine.tracking.operations import TrackedOperation
    from perfscale.engine.tracking.views import View

Key: TypeAlias = tuple[str, str | None, str]
"""A resource as ``plural.group``, a namespace and a name."""

_DELETED: Final = "somebody else deleted it"
_NO_INSTANCE: Final = "its instance is gone"
_OTHER_INSTANCE: Final = "its instance was replaced by another"


class Judge(Protocol):
    """What one effect is seen by. An operation's fields are all the memory that it has."""

    def begin(self, operation: TrackedOperation, known: View | None) -> None:
        """Its request leaves; ``known`` is what was seen last of what the effect is read off."""

    def see(self, operation: TrackedOperation, view: View, now: float) -> None:
        """What the effect is read off is like this now."""

    def miss(self, operation: TrackedOperation, uid: str | None, now: float) -> None:
        """It is gone; None where nobody has seen under which UID it was there."""

    def describe(self, operation: TrackedOperation, known: View | None) -> str:
        """What is missing, for an operation that is unfinished."""


class _Instances:
    """A new instance, or the end of the old one, or both: start, stop, restart.

    The API server refuses a stop or a restart where no instance is alive. So where none was
    known, because the watch is behind, the first that shows is the old one.
    """

    def __init__(self, *, old_goes: bool, new_runs: bool) -> None:
        self._old_goes = old_goes
        self._new_runs = new_runs

    def begin(self, operation: TrackedOperation, known: View | None) -> None:
        operation.old_uid = None if known is None else known.uid

    def see(self, operation: TrackedOperation, view: View, now: float) -> None:
        if operation.old_uid is None and self._old_goes:
            operation.old_uid = view.uid
        if view.uid == operation.old_uid:
            return
        if self._old_goes:  # the watch may have been closed while it went
            self._note_gone(operation, now)
        if self._new_runs and view.phase == "Running":
            operation.see_effect(now)

    def miss(self, operation: TrackedOperation, uid: str | None, now: float) -> None:
        if self._old_goes and operation.old_uid in {uid, None}:
            operation.old_uid = uid
            self._note_gone(operation, now)

    def _note_gone(self, operation: TrackedOperation, now: float) -> None:
        if self._new_runs:
            operation.milestones.setdefault("Gone", now)
        else:
            operation.see_effect(now)

    def describe(self, operation: TrackedOperation, known: View | None) -> str:
        if known is None:
            return "there is no instance of it"
        which = "the old instance" if known.uid == operation.old_uid else "its instance"
        return f"{which} is in phase {known.phase or 'none'}"


class _Turn:
    """Something about an instance turns from one value to the other: pauses and volumes.

    It has to be seen with the other value first, unless nothing was known of it: an event from
    before the request says nothing of what that has brought about.
    """

    def __init__(self, is_so: Callable[[TrackedOperation, View], bool], missing: str) -> None:
        self._is_so = is_so
        self._missing = missing

    def begin(self, operation: TrackedOperation, known: View | None) -> None:
        operation.old_uid = None if known is None else known.uid
        operation.armed = known is None or not self._is_so(operation, known)

    def see(self, operation: TrackedOperation, view: View, now: float) -> None:
        if operation.old_uid not in {view.uid, None}:
            operation.fail(_OTHER_INSTANCE)
        elif not self._is_so(operation, view):
            operation.armed = True
        elif operation.armed:
            operation.see_effect(now)

    def miss(self, operation: TrackedOperation, uid: str | None, now: float) -> None:  # noqa: ARG002
        if operation.old_uid in {uid, None}:
            operation.fail(_NO_INSTANCE)

    def describe(self, operation: TrackedOperation, known: View | None) -> str:  # noqa: ARG002
        return "there is no instance of it" if known is None else self._missing


class _Migrated:
    """A migration that succeeded, and the instance says that it was that one."""

    def begin(self, operation: TrackedOperation, known: View | None) -> None:
        operation.old_uid = None if known is None else known.uid

    def see(self, operation: TrackedOperation, view: View, now: float) -> None:
        if operation.old_uid not in {view.uid, None}:
            operation.fail(_OTHER_INSTANCE)
            return
        operation.seen_migration = view.migration_uid
        self._conclude(operation, now)

    def see_migration(self, operation: TrackedOperation, view: View, now: float) -> None:
        """The migration itself is like this now."""
        operation.made_uid = view.uid
        if view.phase is not None:
            operation.milestones.setdefault(view.phase, now)
        if view.phase == "Failed":
            operation.fail("the migration failed" + (f": {view.reason}" if view.reason else ""))
        self._conclude(operation, now)

    def _conclude(self, operation: TrackedOperation, now: float) -> None:
        same = operation.seen_migration is not None
        same = same and operation.seen_migration == operation.made_uid
        if same and "Succeeded" in operation.milestones:
            operation.see_effect(now)

    def miss(self, operation: TrackedOperation, uid: str | None, now: float) -> None:  # noqa: ARG002
        if operation.old_uid in {uid, None}:
            operation.fail(_NO_INSTANCE)

    def describe(self, operation: TrackedOperation, known: View | None) -> str:  # noqa: ARG002
        phase = next(reversed(operation.milestones), None)
        if phase == "Succeeded":
            return "the migration succeeded, and its instance's status does not name it"
        return f"the migration is in phase {phase or 'none'}"


class _Scaled:
    """As many ready replicas as wanted, in a version that is no older than the answer's."""

    def begin(self, operation: TrackedOperation, known: View | None) -> None:
        if known is not None:
            self.see(operation, known, operation.sent_s or 0.0)
            operation.armed = True  # what was so before is the effect only if nothing follows

    def see(self, operation: TrackedOperation, view: View, now: float) -> None:
        if operation.armed or not operation.has_effect:
            operation.armed = False
            operation.effect_s = None
        if view.uid != operation.uid:
            operation.fail(_DELETED)
        elif view.replicas == operation.wanted == view.ready_replicas:
            operation.see_effect(now, version=view.version)
            operation.effect_version = view.version
        else:
            operation.effect_s = None

    def miss(self, operation: TrackedOperation, uid: str | None, now: float) -> None:  # noqa: ARG002
        if uid == operation.uid:
            operation.fail(_DELETED)

    def describe(self, operation: TrackedOperation, known: View | None) -> str:
        ready = 0 if known is None else known.ready_replicas
        return f"{ready} of {operation.wanted} replicas are ready"


class _Gone:
    """The object of that UID is gone."""

    def begin(self, operation: TrackedOperation, known: View | None) -> None:
        """Nothing that was known before says that it is gone."""

    def see(self, operation: TrackedOperation, view: View, now: float) -> None:
        if view.uid != operation.uid:  # another has its name
            operation.see_effect(now)

    def miss(self, operation: TrackedOperation, uid: str | None, now: float) -> None:
        if uid == operation.uid:
            operation.see_effect(now)

    def describe(self, operation: TrackedOperation, known: View | None) -> str:  # noqa: ARG002
        held = ", ".join(known.finalizers) if known is not None else ""
        return "it is still there" + (f", held by {held}" if held else "")


_MIGRATED: Final = _Migrated()
_JUDGES: Final[dict[Effect, Judge]] = {
    Effect.STARTED: _Instances(old_goes=False, new_runs=True),
    Effect.STOPPED: _Instances(old_goes=True, new_runs=False),
    Effect.RESTARTED: _Instances(old_goes=True, new_runs=True),
    Effect.PAUSED: _Turn(lambda _, view: view.paused, "its condition Paused is not True"),
    Effect.UNPAUSED: _Turn(lambda _, view: not view.paused, "its condition Paused is True"),
    Effect.MIGRATED: _MIGRATED,
    Effect.VOLUME_READY: _Turn(
        lambda operation, view: view.volumes.get(operation.volume) == "Ready",
        "its status has no such volume that is Ready",
    ),
    Effect.VOLUME_GONE: _Turn(
        lambda operation, view: operation.volume not in view.volumes,
        "its status has the volume still",
    ),
    Effect.SCALED: _Scaled(),
    Effect.GONE: _Gone(),
}
"""Of the effects that are read off watches; what has none is done once it is answered, and a
stream when it is closed."""


class Effects:
    """The operations of one workload that wait for their effect.

    Args:
        effect: What they wait for.
        target: Resource of the targets, as ``plural.group``.
        follows: The resource that the effect is read off; it has objects of the targets' names.
        on_decided: Called once with each operation that is done or has failed.
    """

    def __init__(
        self,
        effect: Effect,
        *,
        target: str,
        follows: str,
        on_decided: Callable[[TrackedOperation], None],
    ) -> None:
        self._judge = _JUDGES.get(effect)
        self._is_at_once = effect is not Effect.FIRST_STATE
        self._target = target
        self._read_off = follows
        self._on_decided = on_decided
        self._known: dict[Key, View | None] = {}
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

    # -- the requests -------------------------------------------------------

    def send(self, operation: TrackedOperation, now: float) -> None:
        """Its request leaves, for the first time."""
        operation.sent_s = now
        if self._judge is None:
            return
        for key in self._keys(operation):
            self._waiting.setdefault(key, []).append(operation)
        self._judge.begin(operation, self._known.get(self._effect_key(operation)))

    def retry(self, operation: TrackedOperation) -> None:
        """Its request was refused, and is sent again: what was seen so far is not its effect."""
        if self._judge is None:
            return
        operation.effect_s = None
        operation.milestones.clear()
        operation.flushed_milestones = 0
        self._judge.begin(operation, self._known.get(self._effect_key(operation)))

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
        self._forget(operation)

    def describe(self, operation: TrackedOperation) -> None:
        """Say of an operation that is unfinished what is missing."""
        if self._judge is not None and operation.accepted:
            known = self._known.get(self._effect_key(operation))
            operation.detail = self._judge.describe(operation, known)

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
            asked_s: When it was requested. Of an operation whose request left later it says
                nothing.
        """
        resource, namespace = place
        for key, view in state.items():
            self.observe(key, view, now)
        for key in [*self._known, *self._waiting]:
            inside = key[0] == resource and namespace in {None, key[1]}
            if inside and key not in state:
                known = self._known.get(key)
                if known is not None or key in self._waiting:
                    self._lose(key, None if known is None else known.uid, now, asked_s)

    def _see(self, operation: TrackedOperation, key: Key, view: View, now: float) -> None:
        if key[0] == MIGRATIONS:
            _MIGRATED.see_migration(operation, view, now)
        elif key == self._effect_key(operation) and self._judge is not None:
            self._judge.see(operation, view, now)
        elif view.uid != operation.uid:
            operation.fail(_DELETED)
        self._conclude(operation)

    def _lose(self, key: Key, uid: str | None, now: float, asked_s: float = math.inf) -> None:
        if key in self._known:
            self._known[key] = None
        for operation in self._waiting_for(key):
            if (operation.sent_s or 0.0) >= asked_s:
                continue
            if key[0] == MIGRATIONS:
                if operation.made_uid is not None and "Succeeded" not in operation.milestones:
                    operation.fail("somebody else deleted the migration")
            elif key == self._effect_key(operation) and self._judge is not None:
                self._judge.miss(operation, uid, now)
            elif uid in {operation.uid, None}:
                operation.fail(_DELETED)
            self._conclude(operation)

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
            operation.error = operation.failure
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
