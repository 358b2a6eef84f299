"""An object as a journal tells of it, entry by entry, until it becomes a record."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final, TypeAlias

from msgspec import UNSET

from perfscale.results.measure.phases import PhaseTimes
from perfscale.results.model.records import UNKNOWN, ObjectRecord, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perfscale.results.journal.entries import ChangeEntry, IterationEntry, ObjectEntry

_Stamps: TypeAlias = tuple[tuple[str, str], ...]

_KNOWN_STAMPS: Final[dict[_Stamps, _Stamps]] = {}
_MOST_STAMPS: Final = 4096


class JournaledObject:
    """An object, as far as the journal has told.

    There are as many as the run had at a time: what many have in common is
    shared between them.
    """

    __slots__ = (
        "admitted_s",
        "api_version",
        "created_s",
        "creation_timestamp",
        "delete_requested_s",
        "deleted_s",
        "deletion_timestamp",
        "detail",
        "error",
        "iteration",
        "kind",
        "name",
        "namespace",
        "observed_s",
        "owner_uid",
        "phase_timestamps",
        "phases_s",
        "ready_s",
        "replica",
        "scheduled_s",
        "sent_s",
        "uid",
    )

    def __init__(self, identity: ObjectEntry, iteration: IterationEntry, api_version: str) -> None:
        self.iteration = iteration
        self.api_version = api_version
        self.kind = sys.intern(identity.kind)
        self.namespace = _shared(identity.namespace)
        self.name = identity.name
        self.replica = identity.replica
        self.scheduled_s = identity.scheduled_s
        self.admitted_s = identity.admitted_s
        self._begin()
        self.change(identity)

    def _begin(self) -> None:
        self.phases_s = PhaseTimes()
        self.phase_timestamps: _Stamps = ()
        self.sent_s: float | None = None
        self.uid: str | None = None
        self.owner_uid: str | None = None
        self.created_s: float | None = None
        self.observed_s: float | None = None
        self.ready_s: float | None = None
        self.error: str | None = None
        self.detail: str | None = None
        self.delete_requested_s: float | None = None
        self.deleted_s: float | None = None
        self.creation_timestamp: str | None = None
        self.deletion_timestamp: str | None = None

    @property
    def present(self) -> bool:
        """Whether it is in the cluster, as far as was told."""
        return self.uid is not None and self.deleted_s is None

    @property
    def unanswered(self) -> bool:
        """Whether nobody knows what became of its create."""
        return self.sent_s is not None and self.uid is None and self.error is None

    def change(  # noqa: C901, PLR0912 -- a field each; the inner loop of a report
        self, entry: ChangeEntry
    ) -> None:
        """Take what an entry tells of it."""
        if entry.uid is not UNSET and self.uid is not None:
            self._begin()  # what was told before was about another object
        if entry.name is not UNSET:
            self.name = entry.name
        if entry.sent_s is not UNSET:
            self.sent_s = entry.sent_s
        if entry.uid is not UNSET:
            self.uid = entry.uid
        if entry.owner_uid is not UNSET:
            self.owner_uid = entry.owner_uid
        if entry.created_s is not UNSET:
            self.created_s = entry.created_s
        if entry.observed_s is not UNSET:
            self.observed_s = entry.observed_s
        if entry.ready_s is not UNSET:
            self.ready_s = entry.ready_s
        if entry.error is not UNSET:
            self.error = entry.error
        if entry.detail is not UNSET:
            self.detail = _shared(entry.detail)
        if entry.delete_requested_s is not UNSET:
            self.delete_requested_s = entry.delete_requested_s
        if entry.deleted_s is not UNSET:
            self.deleted_s = entry.deleted_s
        if entry.creation_timestamp is not UNSET:
            self.creation_timestamp = _shared(entry.creation_timestamp)
        if entry.deletion_timestamp is not UNSET:
            self.deletion_timestamp = _shared(entry.deletion_timestamp)
        if entry.phases_s is not UNSET:
            for phase, at_s in entry.phases_s.items():
                self.phases_s.enter(sys.intern(phase), at_s)
        if entry.phase_timestamps is not UNSET:
            self.phase_timestamps = _change_stamps(self.phase_timestamps, entry.phase_timestamps)

    def times_s(self) -> Iterator[float]:
        """When whatever the journal tells of it happened."""
        known = (self.sent_s, self.created_s, self.ready_s, self.deleted_s)
        yield from (at for at in known if at is not None)
        yield from (at_s for _, at_s in self.phases_s.items())

    def record(self, *, is_cut: bool) -> ObjectRecord:
        """What is known; ``is_cut`` says that the journal ends before all was told."""
        error = UNKNOWN if is_cut and self.unanswered else self.error
        outcome = Outcome.of(error=error, ready_s=self.ready_s, uid=self.uid, sent_s=self.sent_s)
        return ObjectRecord(
            kind=self.kind,
            namespace=self.namespace,
            name=self.name,
            uid=self.uid,
            workload=self.iteration.workload,
            iteration=self.iteration.iteration,
            replica=self.replica,
            outcome=outcome,
            error=outcome.explain(error, self.detail),
            scheduled_s=self.scheduled_s,
            admitted_s=self.admitted_s,
            sent_s=self.sent_s,
            created_s=self.created_s,
            phases_s=dict(self.phases_s.items()),
            ready_s=self.ready_s,
            delete_requested_s=self.delete_requested_s,
            deleted_s=self.deleted_s,
            server=server_view(
                self.creation_timestamp, self.deletion_timestamp, dict(self.phase_timestamps)
            ),
            owner_uid=self.owner_uid,
            observed_s=self.observed_s,
            api_version=self.api_version,
        )


def _shared(text: str | None) -> str | None:
    """The same object for the same text."""
    return None if text is None else sys.intern(text)


def _change_stamps(known: _Stamps, changes: dict[str, str | None]) -> _Stamps:
    """Stamps with some that are new or others, and without those that are None.

    They are to the second, so many objects have the same: those share them.
    """
    merged = {**dict(known), **changes}
    stamps = tuple((phase, at) for phase, at in merged.items() if at is not None)
    if len(_KNOWN_STAMPS) >= _MOST_STAMPS:
        _KNOWN_STAMPS.clear()
    return _KNOWN_STAMPS.setdefault(stamps, stamps)


def server_view(
    created: str | None, deleted: str | None, phases: dict[str, str]
) -> dict[str, object]:
    """The server's own timestamps, as they stand in a record."""
    view: dict[str, object] = {}
    if created is not None:
        view["creationTimestamp"] = created
    if deleted is not None:
        view["deletionTimestamp"] = deleted
    if phases:
        view["phases"] = phases
    return view
