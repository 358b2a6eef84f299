"""What a live run keeps of an operation: its life, and how far its effect has been seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from perfscale.results import OperationLife

if TYPE_CHECKING:
    from perfscale.engine.tracking.rows import IterationScope, TrackedObject
    from perfscale.kube.resources import Resource


@dataclass(slots=True, eq=False)
class TrackedOperation(OperationLife):
    """The life of one operation of a run that goes on.

    Attributes:
        row: What the run knows of its target, if the run made it.
        index: Of its target, counted from 1.
        wanted: How many replicas it is scaled to.
        volume: Name of the volume that is added or removed.
        collective: Whether its request is for a whole collection, so that an answer does not
            say whether its own target was there still.
        made_name: Of the migration that it creates.
        made_uid: Of that migration, once it is known.
        old_uid: Of the instance that was there when the request left.
        armed: Whether it was seen in the state that it is to leave.
        seen_migration: UID of the migration in its instance's status: its own, once that was seen.
        seen_migration_s: When that UID was seen there first.
        accepted: Whether the server accepted the request.
        least_version: Of the object that has the effect.
        effect_s: When the effect was seen first, which counts once the request was accepted.
        effect_version: Of the object that has shown it.
        failure: Why it cannot be done any more, which counts likewise.
        number: Under which the journal knows it; 0 before.
        queued: Whether it waits for the journal's next flush.
        flushed: What the journal has of it.
        again: Whether milestones that the journal has count no more.
    """

    scope: IterationScope
    resource: Resource
    row: TrackedObject | None = None
    index: int = 0
    wanted: int | None = None
    volume: str = ""
    collective: bool = False
    made_name: str | None = None
    made_uid: str | None = None
    old_uid: str | None = None
    armed: bool = False
    seen_migration: str | None = None
    seen_migration_s: float = 0.0
    accepted: bool = False
    least_version: int = 0
    effect_s: float | None = None
    effect_version: int = 0
    failure: str | None = None
    number: int = 0
    queued: bool = False
    flushed: tuple[object, ...] = ()
    flushed_milestones: int = 0
    again: bool = False

    @property
    def has_effect(self) -> bool:
        """Whether its effect was seen, in a version that is no older than its own."""
        if self.effect_s is None:
            return False
        return not 0 < self.effect_version < self.least_version

    def see_effect(self, now: float, *, version: int = 0) -> None:
        """Its effect is seen; the first time counts."""
        if self.effect_s is None:
            self.effect_s = now
            self.effect_version = version

    def fail(self, failure: str) -> None:
        """It cannot be done any more; the first reason counts."""
        if self.failure is None and not self.has_effect:
            self.failure = failure
