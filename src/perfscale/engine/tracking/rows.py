"""What the tracker keeps: a row for each object, an iteration's counts, and how they change."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import msgspec

from perfscale.results import JOURNALED, ObjectLife

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from perfscale.engine.tracking.readiness import Expectation
    from perfscale.kube.resources import Resource
    from perfscale.results import Stamps


class TransitionKind(StrEnum):
    """What can happen to a tracked object."""

    CREATED = "created"
    PHASE = "phase"
    READY = "ready"
    FAILED = "failed"
    EXPLAINED = "explained"
    DOUBTED = "doubted"
    """A watch shows it as gone, which may also mean that its labels are."""
    STRAY = "stray"
    """A child without an owner, which nobody deletes, came when the others were being deleted."""
    DELETED = "deleted"


class Transition(msgspec.Struct, frozen=True, gc=False):
    """One change of one object.

    ``phase`` is the phase it went to, for `TransitionKind.PHASE`.
    """

    subject: TrackedObject
    kind: TransitionKind
    phase: str | None = None


DIRTY: Final = {name: 1 << bit for bit, name in enumerate(JOURNALED)}
"""The bit of each field that stands otherwise in the journal.

Whoever changes a field sets its bit in the row's ``dirty``. Phases and their timestamps have
none: a row knows how far they were flushed.
"""
ALL_DIRTY: Final = (1 << len(JOURNALED)) - 1
ANOTHER_OBJECT: Final = 1 << len(JOURNALED)
"""The row is about another object now: what the journal says of it is void."""
QUEUED: Final = ANOTHER_OBJECT << 1
"""The row waits for the next flush."""


@dataclass(slots=True, eq=False)
class TrackedObject(ObjectLife):
    """One row: the life of an object that the run asked for, or of a child, and where it stands.

    ``phase_s`` is when it was seen to come to the phase it is in, ``phases_s`` when to each for the
    first time. ``milestones`` are those of its last event. ``expected`` are the rules that it has
    in the place of its kind's, and ``by_kind`` is whether its kind's own have found it ready too.
    ``doubted_s`` is when a watch showed it as gone, until that is verified. An ``unlabelled``
    object is there without the run's labels: no watch and no list by label shows it.

    ``entry`` is the position, among the templates of its iteration, of the one that made it.

    ``number``, ``dirty``, ``flushed_phases``, ``flushed_later`` and ``flushed_timestamps`` are the
    journal feed's: under which number the journal knows the object, and what has
    changed since it was last flushed.
    """

    scope: IterationScope
    resource: Resource
    version: int = 0
    phase: str | None = None
    phase_s: float | None = None
    milestones: tuple[str, ...] = ()
    expected: Expectation | None = None
    by_kind: bool = False
    doubted_s: float | None = None
    unlabelled: bool = False
    finalizers: tuple[str, ...] = ()
    decided: bool = False
    entry: int = 0
    number: int = 0
    dirty: int = 0
    flushed_phases: int = 0
    flushed_later: int = 0
    flushed_timestamps: Stamps = ()

    @property
    def has_arrived(self) -> bool:
        """Whether its way to readiness is over: what it comes to later is of something else.

        What is ready by ``readyWhen`` may have a part of that way before it.
        """
        return self.ready_s is not None and (self.expected is None or self.by_kind)

    def was_there(self, at_s: float) -> bool:
        """Whether it had been created by then, as far as was known."""
        return self.created_s is not None and self.created_s < at_s

    def exchange(self, other: TrackedObject) -> None:
        """Swap the objects that two rows are about."""
        for name in _OF_THE_OBJECT:
            mine, its = getattr(self, name), getattr(other, name)
            setattr(self, name, its)
            setattr(other, name, mine)
        for row in (self, other):
            row.dirty |= ANOTHER_OBJECT


_OF_THE_REQUEST: Final = {
    *("scope", "resource", "namespace", "name", "replica", "is_child"),
    *("scheduled_s", "admitted_s", "sent_s", "decided", "expected", "entry", "round"),
    *("number", "dirty", "flushed_phases", "flushed_later", "flushed_timestamps"),
}
_OF_THE_OBJECT: Final = tuple(
    each.name for each in fields(TrackedObject) if each.name not in _OF_THE_REQUEST
)
"""What a row knows of the object itself, and not of the request that asked for it."""


class IterationScope:
    """One iteration's rows, and the counts that its waits look at.

    Attributes:
        undecided: Objects that are neither ready nor failed yet, those whose
            turn has not come included.
        present: Objects in the cluster, and ``present_children`` likewise.
        doubted: Objects that a watch showed as gone, which is not verified yet.
        asked_s: When the run last began to delete all of the objects.
        asked_versions: The cluster's resourceVersion, as a number, when the run began to delete
            the objects, by resource name; what changed up to there was not the run's doing.
        round: The round of churn that the whole iteration was created in; None if in none.
        sent: Create requests sent; ``created``, ``ready``, ``failed`` and
            ``deleted`` count objects as things stand.
    """

    def __init__(
        self, workload: str, iteration: int, requested: int, round_number: int | None = None
    ) -> None:
        self.workload = workload
        self.round = round_number
        self.iteration = iteration
        self.requested = requested
        self.undecided = requested
        self.present = 0
        self.present_children = 0
        self.sent = 0
        self.created = 0
        self.ready = 0
        self.failed = 0
        self.deleted = 0
        self.objects: list[TrackedObject] = []
        self.children: list[TrackedObject] = []
        self.doubted = 0
        self.accepts_readiness = True
        self.deletion_requested = False
        self.asked_s = 0.0
        self.asked_versions: Mapping[str, int] = {}
        self._places: tuple[object, frozenset[str | None]] = (None, frozenset())

    def limit(self, requested: int) -> None:
        """No more than so many come after all."""
        self.undecided -= self.requested - requested
        self.requested = requested

    def extend(self, requested: int) -> None:
        """So many more come, whose readiness counts."""
        self.requested += requested
        self.undecided += requested
        self.accepts_readiness = True

    def drop(self, objects: Collection[TrackedObject], children: Collection[TrackedObject]) -> None:
        """Let go of rows of what is gone; what they were counted for stays."""
        self.objects[:] = [row for row in self.objects if row not in objects]
        if children:
            self.children[:] = [row for row in self.children if row not in children]

    @property
    def namespaces(self) -> frozenset[str | None]:
        """Where its objects and children are; found once for as long as no others come."""
        objects, children = self.objects, self.children
        known = (len(objects), len(children), objects[-1:], children[-1:])
        if self._places[0] != known:
            self._places = (known, frozenset(row.namespace for row in self.rows))
        return self._places[1]

    @property
    def rows(self) -> Iterator[TrackedObject]:
        """Objects, then children."""
        yield from self.objects
        yield from self.children
