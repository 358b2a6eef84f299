"""One object's life: its fields, the entries of a journal that carry them, and its record.

A live run changes the fields itself and writes the entries; a replay takes them from the entries.
A new field is spelled here twice, in `ChangeEntry` and `ObjectLife`, and once in `ObjectRecord`.
"""

from __future__ import annotations

import sys
from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

import msgspec
from msgspec import UNSET, UnsetType

from perfscale.results.model.records import UNKNOWN, ObjectRecord, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

Stamps: TypeAlias = tuple[tuple[str, str], ...]
"""The server's timestamps of an object's phases."""

_KNOWN_STAMPS: Final[dict[Stamps, Stamps]] = {}
_MOST_STAMPS: Final = 4096
_WAYS: Final[dict[tuple[str, ...], tuple[str, ...]]] = {}
"""Each way that an object has gone through its phases, once."""


class Entry(msgspec.Struct, frozen=True, gc=False, tag_field="e", forbid_unknown_fields=True):
    """A line of the journal."""


class ChangeEntry(Entry, frozen=True, gc=False, tag="change", kw_only=True, omit_defaults=True):
    """What is new about an object.

    ``phases_s``, ``later_phases_s`` and ``phase_timestamps`` hold the new phases alone; a
    timestamp that is None is no longer there. The other fields replace what
    stood there before. A ``uid`` where there was one already makes the entry
    about another object: all that was known before is void.
    """

    n: int
    name: str | UnsetType = UNSET
    sent_s: float | UnsetType | None = UNSET
    uid: str | UnsetType | None = UNSET
    owner_uid: str | UnsetType | None = UNSET
    created_s: float | UnsetType | None = UNSET
    observed_s: float | UnsetType | None = UNSET
    phases_s: dict[str, float] | UnsetType = UNSET
    ready_s: float | UnsetType | None = UNSET
    error: str | UnsetType | None = UNSET
    detail: str | UnsetType | None = UNSET
    delete_requested_s: float | UnsetType | None = UNSET
    deleted_s: float | UnsetType | None = UNSET
    creation_timestamp: str | UnsetType | None = UNSET
    deletion_timestamp: str | UnsetType | None = UNSET
    phase_timestamps: dict[str, str | None] | UnsetType = UNSET
    later_phases_s: dict[str, float] | UnsetType = UNSET
    made_by: str | UnsetType | None = UNSET
    round: int | UnsetType | None = UNSET
    replaced_in: int | UnsetType | None = UNSET


class ObjectEntry(ChangeEntry, frozen=True, gc=False, tag="object", kw_only=True):
    """The first entry about an object, or a child (without a ``replica``), with its number."""

    i: int
    kind: str
    namespace: str | None
    name: str
    replica: int | None = None
    scheduled_s: float | None = None
    admitted_s: float | None = None


class PhaseTimes:
    """Phases in the order in which they were first seen, and when: seconds since the run's start.

    A run keeps one of these for each object. A dict takes three times as much memory: here the
    names are shared by all objects that went the same way.

    Attributes:
        names: The phases.
    """

    __slots__ = ("_at_s", "names")

    def __init__(self) -> None:
        self.names: tuple[str, ...] = ()
        self._at_s = array("d")

    def __len__(self) -> int:
        """How many phases it was seen in."""
        return len(self.names)

    def enter(self, phase: str, at_s: float) -> None:
        """It is seen in a phase; what counts is the first time."""
        if phase not in self.names:
            way = (*self.names, phase)
            self.names = _WAYS.setdefault(way, way)
            self._at_s.append(at_s)

    def get(self, phase: str) -> float | None:
        """When it was first seen in a phase; None if it never was."""
        return self._at_s[self.names.index(phase)] if phase in self.names else None

    def items(self, start: int = 0) -> Iterator[tuple[str, float]]:
        """Phases and times, from the one with this index on."""
        return zip(self.names[start:], self._at_s[start:], strict=True)


_MERGED: Final = frozenset({"phases_s", "later_phases_s", "phase_timestamps"})
JOURNALED: Final = tuple(
    name for name in ChangeEntry.__struct_fields__ if name != "n" and name not in _MERGED
)
"""Fields that an entry replaces; those are marked dirty one by one."""
_SHARED: Final = frozenset({"detail", "creation_timestamp", "deletion_timestamp", "made_by"})
"""Those of them that many objects have in common."""


class Scope(Protocol):
    """The iteration that an object belongs to."""

    @property
    def workload(self) -> str:
        """Name of its workload."""

    @property
    def iteration(self) -> int:
        """Counted from 1."""


class Kind(Protocol):
    """What kind of object it is."""

    @property
    def kind_name(self) -> str:
        """What results call the kind."""

    @property
    def api_version(self) -> str:
        """``group/version``; empty if it is not known."""

    @property
    def group(self) -> str:
        """Empty for the core group."""


@dataclass(slots=True, eq=False)
class ObjectLife:
    """What is known of one object, or child, so far. Its fields are those of `ObjectRecord`.

    There are as many as objects: what many have in common (phases, the server's
    timestamps, what their status says) is shared between them.

    Attributes:
        is_child: Whether a controller made it, and not the run.
    """

    scope: Scope
    resource: Kind
    namespace: str | None
    name: str
    replica: int | None
    scheduled_s: float | None = None
    admitted_s: float | None = None
    sent_s: float | None = None
    uid: str | None = None
    owner_uid: str | None = None
    created_s: float | None = None
    observed_s: float | None = None
    phases_s: PhaseTimes = field(default_factory=PhaseTimes)
    ready_s: float | None = None
    error: str | None = None
    detail: str | None = None
    delete_requested_s: float | None = None
    deleted_s: float | None = None
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None
    phase_timestamps: Stamps = ()
    later_phases_s: PhaseTimes | None = None
    made_by: str | None = None
    round: int | None = None
    replaced_in: int | None = None
    is_child: bool = field(init=False)

    def __post_init__(self) -> None:
        """Every event looks at it, most of them several times."""
        self.is_child = self.replica is None

    @property
    def present(self) -> bool:
        """Whether it is in the cluster, as far as was seen."""
        return self.uid is not None and self.deleted_s is None

    @property
    def unanswered(self) -> bool:
        """Whether its create was sent, and not answered."""
        return self.sent_s is not None and self.uid is None and self.error is None

    @property
    def outcome(self) -> Outcome:
        """What became of it, as things stand."""
        if self.error is not None:
            return Outcome.FAILED
        if self.ready_s is not None:
            return Outcome.READY
        if self.uid is not None:
            return Outcome.UNREADY
        return Outcome.NOT_ATTEMPTED if self.sent_s is None else Outcome.FAILED

    @property
    def explanation(self) -> str | None:
        """Why it failed or is not ready; None for one that is."""
        return self.outcome.explain(self.error, self.detail)

    def enter_later(self, phase: str, at_s: float) -> None:
        """It is seen in a phase after its way to readiness was over: an operation, or its end.

        Few objects have many such phases, and most have none before they are deleted.
        """
        if self.later_phases_s is None:
            self.later_phases_s = PhaseTimes()
        self.later_phases_s.enter(phase, at_s)

    def apply(self, entry: ChangeEntry) -> None:
        """Take what an entry of a journal has of it."""
        if entry.uid is not UNSET and self.uid is not None:
            self._begin_anew()
        for name in JOURNALED:
            value = getattr(entry, name)
            if value is not UNSET:
                is_shared = name in _SHARED and value is not None
                setattr(self, name, sys.intern(value) if is_shared else value)
        if entry.phases_s is not UNSET:
            for phase, at_s in entry.phases_s.items():
                self.phases_s.enter(sys.intern(phase), at_s)
        if entry.later_phases_s is not UNSET:
            for phase, at_s in entry.later_phases_s.items():
                self.enter_later(sys.intern(phase), at_s)
        if entry.phase_timestamps is not UNSET:
            self.phase_timestamps = _merge(self.phase_timestamps, entry.phase_timestamps)

    def _begin_anew(self) -> None:
        """It turns out to be another object: keep what is known of the request alone."""
        fresh = ObjectLife(self.scope, self.resource, self.namespace, self.name, self.replica)
        for name in (*JOURNALED, *_MERGED):
            setattr(self, name, getattr(fresh, name))

    def times_s(self) -> Iterator[float]:
        """When what the journal has of it happened."""
        known = (self.sent_s, self.created_s, self.ready_s, self.deleted_s)
        yield from (at for at in known if at is not None)
        yield from (at_s for _, at_s in self.phases_s.items())
        if self.later_phases_s is not None:
            yield from (at_s for _, at_s in self.later_phases_s.items())

    def record(self, *, is_cut: bool = False) -> ObjectRecord:
        """What is kept of it; ``is_cut`` says that a journal ended before the iteration did."""
        outcome = self.outcome
        return ObjectRecord(
            kind=self.resource.kind_name,
            api_version=self.resource.api_version,
            namespace=self.namespace,
            name=self.name,
            uid=self.uid,
            workload=self.scope.workload,
            iteration=self.scope.iteration,
            replica=self.replica,
            outcome=outcome,
            error=UNKNOWN
            if is_cut and self.unanswered
            else outcome.explain(self.error, self.detail),
            scheduled_s=self.scheduled_s,
            admitted_s=self.admitted_s,
            sent_s=self.sent_s,
            created_s=self.created_s,
            phases_s=dict(self.phases_s.items()),
            ready_s=self.ready_s,
            delete_requested_s=self.delete_requested_s,
            deleted_s=self.deleted_s,
            server=self._server_view(),
            owner_uid=self.owner_uid,
            observed_s=self.observed_s,
            round=self.round,
            replaced_in=self.replaced_in,
            later_phases_s={} if self.later_phases_s is None else dict(self.later_phases_s.items()),
            made_by=self.made_by,
        )

    def _server_view(self) -> dict[str, object]:
        """The server's own timestamps, as they stand in a record."""
        view: dict[str, object] = {}
        if self.creation_timestamp is not None:
            view["creationTimestamp"] = self.creation_timestamp
        if self.deletion_timestamp is not None:
            view["deletionTimestamp"] = self.deletion_timestamp
        if self.phase_timestamps:
            view["phases"] = dict(self.phase_timestamps)
        return view


def _merge(known: Stamps, changes: dict[str, str | None]) -> Stamps:
    """Stamps with some that are new or others, and without those that are None.

    They are to the second, so many objects have the same: those share them.
    """
    merged = {**dict(known), **changes}
    stamps = tuple((phase, at) for phase, at in merged.items() if at is not None)
    if len(_KNOWN_STAMPS) >= _MOST_STAMPS:
        _KNOWN_STAMPS.clear()
    return _KNOWN_STAMPS.setdefault(stamps, stamps)
