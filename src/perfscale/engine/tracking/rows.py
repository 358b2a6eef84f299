"""What the tracker keeps: a row for each object, an iteration's counts, and how they change."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from perfscale.results import Outcome, PhaseTimes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from perfscale.engine.tracking.readiness import Stamps
    from perfscale.kube.resources import Resource


class Change(StrEnum):
    """What can happen to a tracked object."""

    CREATED = "created"
    PHASE = "phase"
    READY = "ready"
    FAILED = "failed"
    EXPLAINED = "explained"
    DOUBTED = "doubted"
    """A watch says that it is gone, which may also mean that its labels are."""
    STRAY = "stray"
    """A child without an owner, which nobody deletes, has come when all had been asked to go."""
    DELETED = "deleted"


class Transition(NamedTuple):
    """One change of one object.

    ``phase`` is the phase it went to, for `Change.PHASE`.
    """

    subject: TrackedObject
    change: Change
    phase: str | None = None


class News:
    """What of a row the journal has not been told yet, bit by bit.

    Whoever changes a row says so in its ``news``. Phases and the server's
    stamps have no bit: how far they were told is known anyway.
    """

    SENT: Final = 1 << 0
    UID: Final = 1 << 1
    OWNER: Final = 1 << 2
    SERVER_CREATED: Final = 1 << 3
    CREATED: Final = 1 << 4
    OBSERVED: Final = 1 << 5
    READY: Final = 1 << 6
    ERROR: Final = 1 << 7
    DETAIL: Final = 1 << 8
    DELETE_REQUESTED: Final = 1 << 9
    SERVER_DELETED: Final = 1 << 10
    DELETED: Final = 1 << 11
    ANOTHER: Final = 1 << 12
    """The row is about another object now: all that was told is void."""
    TOUCHED: Final = 1 << 13
    """The recorder knows that there is something to tell."""
    NAME: Final = 1 << 14
    """The server gave it another name than it was asked to."""


class TrackedObject:
    """One row: an object the run asked for, or a child that a controller made.

    There are tens of thousands of them: what many have in common (phases, the
    server's stamps, what their status says) is shared between them.

    ``number``, ``news``, ``told_phases`` and ``told_stamps`` are the
    recorder's: under which number the journal knows the object, and what there
    is to tell of it.

    ``phase_s`` is when it was seen to come to the phase it is in, ``phases_s`` when to each for the
    first time. ``doubted_s`` is when a watch said that it is gone, until somebody has looked
    whether it is. An ``unlabelled`` object is there without the run's labels:
    no watch and no list by label tells of it.
    """

    __slots__ = (
        "admitted_s",
        "created_s",
        "delete_requested_s",
        "deleted_s",
        "detail",
        "doubted_s",
        "error",
        "finalizers",
        "name",
        "namespace",
        "news",
        "number",
        "observed_s",
        "owner_uid",
        "phase",
        "phase_s",
        "phases_s",
        "ready_s",
        "replica",
        "resource",
        "scheduled_s",
        "scope",
        "sent_s",
        "server_created",
        "server_deleted",
        "server_phases",
        "settled",
        "told_phases",
        "told_stamps",
        "uid",
        "unlabelled",
        "version",
    )

    def __init__(
        self,
        scope: IterationScope,
        resource: Resource,
        namespace: str | None,
        name: str,
        *,
        replica: int | None,
    ) -> None:
        self.scope = scope
        self.resource = resource
        self.namespace = namespace
        self.name = name
        self.replica = replica
        self.uid: str | None = None
        self.version = 0
        self.scheduled_s: float | None = None
        self.admitted_s: float | None = None
        self.sent_s: float | None = None
        self.owner_uid: str | None = None
        self.created_s: float | None = None
        self.observed_s: float | None = None
        self.phase: str | None = None
        self.phase_s: float | None = None
        self.phases_s = PhaseTimes()
        self.ready_s: float | None = None
        self.delete_requested_s: float | None = None
        self.deleted_s: float | None = None
        self.doubted_s: float | None = None
        self.unlabelled = False
        self.error: str | None = None
        self.detail: str | None = None
        self.finalizers: tuple[str, ...] = ()
        self.settled = False
        self.server_created: str | None = None
        self.server_deleted: str | None = None
        self.server_phases: Stamps = ()
        self.number = 0
        self.news = 0
        self.told_phases = 0
        self.told_stamps: Stamps = ()

    @property
    def is_child(self) -> bool:
        """Whether a controller made it, and not the run."""
        return self.replica is None

    def was_there(self, at_s: float) -> bool:
        """Whether it had been created by then, as far as was known."""
        return self.created_s is not None and self.created_s < at_s

    @property
    def present(self) -> bool:
        """Whether it is in the cluster, as far as was seen."""
        return self.uid is not None and self.deleted_s is None

    @property
    def outcome(self) -> Outcome:
        """What became of it, as things stand."""
        return Outcome.of(error=self.error, ready_s=self.ready_s, uid=self.uid, sent_s=self.sent_s)

    def exchange(self, other: TrackedObject) -> None:
        """Swap the objects that two rows are about."""
        for name in _SEEN:
            mine, its = getattr(self, name), getattr(other, name)
            setattr(self, name, its)
            setattr(other, name, mine)
        for row in (self, other):
            row.news |= News.ANOTHER

    @property
    def explanation(self) -> str | None:
        """Why it failed or is not ready; None for one that is."""
        return self.outcome.explain(self.error, self.detail)


_SEEN = (
    "uid",
    "version",
    "owner_uid",
    "created_s",
    "observed_s",
    "phase",
    "phase_s",
    "phases_s",
    "ready_s",
    "delete_requested_s",
    "deleted_s",
    "doubted_s",
    "unlabelled",
    "error",
    "detail",
    "finalizers",
    "server_created",
    "server_deleted",
    "server_phases",
)
"""What a row knows of the object itself, and not of the request that asked for it."""


class IterationScope:
    """One iteration's rows, and the counts that its waits look at.

    Attributes:
        unsettled: Objects that are neither ready nor failed yet, those whose
            turn has not come included.
        present: Objects in the cluster, and ``present_children`` likewise.
        doubted: Objects of which a watch said that they are gone, and at which
            nobody has looked yet.
        asked_versions: The cluster's resourceVersion, as a number, when the
            objects were asked to go, by resource name; what an object came to
            up to there was not the run's doing.
        sent: Create requests sent; ``created``, ``ready``, ``failed`` and
            ``deleted`` count objects as things stand.
    """

    def __init__(self, workload: str, iteration: int, requested: int) -> None:
        self.workload = workload
        self.iteration = iteration
        self.requested = requested
        self.unsettled = requested
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
        self.asked_versions: Mapping[str, int] = {}

    @property
    def rows(self) -> Iterator[TrackedObject]:
        """Objects, then children."""
        yield from self.objects
        yield from self.children
