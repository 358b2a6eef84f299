"""What each effect of an operation is seen by.

A judge is given what watches show of the object that its effect is read off, and notes in the
operation what it makes of that. It keeps nothing itself. All times are seconds since the run's
start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from perfscale.config.operations import Effect

if TYPE_CHECKING:
    from collections.abc import Callable

    from perfscale.engine.tracking.operations.tracked import TrackedOperation
    from perfscale.engine.tracking.operations.views import View

DELETED: Final = "somebody else deleted it"
DELETED_BY_RUN: Final = "it is gone, as this run has requested"
GONE_BEFORE: Final = "it was gone, or had lost its labels, when its turn came"
REPLACED: Final = "it was replaced by another object of its name"
_NO_INSTANCE: Final = "its instance is gone"
_OTHER_INSTANCE: Final = "its instance was replaced by another"
_UNSEEN: Final = ""
"""The UID of an instance that was gone before a watch could show it: no other has it."""


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
            operation.old_uid = uid or _UNSEEN
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
    """A migration that succeeded, and the instance says that it was that one.

    Two watches show that, and what has come first may be worked on last: the later moment counts,
    whichever of the two is known first.
    """

    def begin(self, operation: TrackedOperation, known: View | None) -> None:
        operation.old_uid = None if known is None else known.uid

    def see(self, operation: TrackedOperation, view: View, now: float) -> None:
        if operation.old_uid not in {view.uid, None}:
            operation.fail(_OTHER_INSTANCE)
            return
        if view.migration_uid != operation.seen_migration and not _is_named(operation):
            operation.seen_migration, operation.seen_migration_s = view.migration_uid, now
        self._conclude(operation)

    def see_migration(self, operation: TrackedOperation, view: View, now: float) -> None:
        """The migration itself is like this now."""
        operation.made_uid = view.uid
        if view.phase is not None:
            operation.milestones.setdefault(view.phase, now)
        if view.phase == "Failed":
            operation.fail("the migration failed" + (f": {view.reason}" if view.reason else ""))
        self._conclude(operation)

    def _conclude(self, operation: TrackedOperation) -> None:
        succeeded_s = operation.milestones.get("Succeeded")
        if succeeded_s is not None and _is_named(operation):
            operation.see_effect(max(succeeded_s, operation.seen_migration_s))

    def miss(self, operation: TrackedOperation, uid: str | None, now: float) -> None:  # noqa: ARG002
        if operation.old_uid in {uid, None}:
            operation.fail(_NO_INSTANCE)

    def describe(self, operation: TrackedOperation, known: View | None) -> str:  # noqa: ARG002
        phase = next(reversed(operation.milestones), None)
        if phase == "Succeeded":
            return "the migration succeeded, and its instance's status does not name it"
        return f"the migration is in phase {phase or 'none'}"


def _is_named(operation: TrackedOperation) -> bool:
    """Whether its migration was seen in its instance's status; a later one may take its place."""
    return operation.seen_migration is not None and operation.seen_migration == operation.made_uid


class _State:
    """The target is as wanted, in a version that is no older than the answer's."""

    def __init__(
        self,
        is_so: Callable[[TrackedOperation, View], bool],
        missing: Callable[[TrackedOperation, View | None], str],
    ) -> None:
        self._is_so = is_so
        self._missing = missing

    def begin(self, operation: TrackedOperation, known: View | None) -> None:
        if known is not None:
            self.see(operation, known, operation.sent_s or 0.0)
            operation.armed = True  # what was so before is the effect only if nothing follows

    def see(self, operation: TrackedOperation, view: View, now: float) -> None:
        if operation.armed or not operation.has_effect:
            operation.armed = False
            operation.effect_s = None
        if view.uid != operation.uid:
            operation.fail(DELETED)
        elif self._is_so(operation, view):
            operation.see_effect(now, version=view.version)
            operation.effect_version = view.version
        else:
            operation.effect_s = None

    def miss(self, operation: TrackedOperation, uid: str | None, now: float) -> None:  # noqa: ARG002
        if uid == operation.uid:
            operation.fail(DELETED)

    def describe(self, operation: TrackedOperation, known: View | None) -> str:
        return self._missing(operation, known)


class _Gone:
    """The object of that UID is gone."""

    def begin(self, operation: TrackedOperation, known: View | None) -> None:
        if known is None and operation.collective:
            operation.fail(GONE_BEFORE)

    def see(self, operation: TrackedOperation, view: View, now: float) -> None:
        if view.uid != operation.uid:  # another has its name
            operation.see_effect(now)

    def miss(self, operation: TrackedOperation, uid: str | None, now: float) -> None:
        if uid == operation.uid:
            operation.see_effect(now)

    def describe(self, operation: TrackedOperation, known: View | None) -> str:  # noqa: ARG002
        held = ", ".join(known.finalizers) if known is not None else ""
        return "it is still there" + (f", held by {held}" if held else "")


MIGRATED: Final = _Migrated()
JUDGES: Final[dict[Effect, Judge]] = {
    Effect.STARTED: _Instances(old_goes=False, new_runs=True),
    Effect.STOPPED: _Instances(old_goes=True, new_runs=False),
    Effect.RESTARTED: _Instances(old_goes=True, new_runs=True),
    Effect.PAUSED: _Turn(lambda _, view: view.paused, "its condition Paused is not True"),
    Effect.UNPAUSED: _Turn(lambda _, view: not view.paused, "its condition Paused is True"),
    Effect.MIGRATED: MIGRATED,
    Effect.VOLUME_READY: _Turn(
        lambda operation, view: view.volumes.get(operation.volume) == "Ready",
        "its status has no such volume that is Ready",
    ),
    Effect.VOLUME_GONE: _Turn(
        lambda operation, view: operation.volume not in view.volumes,
        "its status has the volume still",
    ),
    Effect.SCALED: _State(
        lambda operation, view: view.replicas == operation.wanted == view.ready_replicas,
        lambda operation, known: (
            f"{known.ready_replicas if known else 0} of {operation.wanted} replicas are ready"
        ),
    ),
    Effect.MATCHED: _State(
        lambda _, view: view.matches,
        lambda _, known: (known.reason if known else None) or "it was not seen",
    ),
    Effect.GONE: _Gone(),
}
"""Of the effects that are read off watches; what has none is done once it is answered, and a
stream when it is closed."""
