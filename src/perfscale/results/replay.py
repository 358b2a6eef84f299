"""Plays a journal again: from its entries to records, and to the run's books.

An object's row is kept until its iteration is settled, so that the journal of
a long run needs no more memory than the run did.
"""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

from msgspec import UNSET

from perfscale.results.blindness import BlindSpans
from perfscale.results.books import Books, IterationFacts
from perfscale.results.entries import (
    BlindEntry,
    CallsEntry,
    ChangeEntry,
    DeleteEntry,
    EndEntry,
    IterationEndEntry,
    IterationEntry,
    LostEntry,
    ObjectEntry,
    OutageEntry,
    StageEntry,
    Totals,
    TotalsEntry,
    WarningEntry,
)
from perfscale.results.phases import PhaseTimes
from perfscale.results.records import UNKNOWN, ObjectRecord, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from perfscale.results.entries import AnyEntry, Begin
    from perfscale.results.outages import OutageRecord

_AT_ONCE: Final = 1000


class RecordWriter(Protocol):
    """Where records go that are complete."""

    def record(self, objects: Iterable[ObjectRecord], *, children: bool = False) -> None:
        """Take them."""


class _Row:
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
        return self.uid is not None and self.deleted_s is None

    @property
    def unanswered(self) -> bool:
        """Whether nobody knows what became of its create."""
        return self.sent_s is not None and self.uid is None and self.error is None

    def change(  # noqa: C901, PLR0912 -- a field each; the inner loop of a report
        self, entry: ChangeEntry
    ) -> None:
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


_Stamps: TypeAlias = tuple[tuple[str, str], ...]

_KNOWN_STAMPS: Final[dict[_Stamps, _Stamps]] = {}
_MOST_STAMPS: Final = 4096


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


@dataclass
class _Iteration:
    begin: IterationEntry
    end: IterationEndEntry | None = None
    delete_requested_s: float | None = None
    objects: dict[int, _Row] = field(default_factory=dict)
    children: dict[int, _Row] = field(default_factory=dict)


class Replay:
    """Takes the entries of a journal in their order.

    Attributes:
        blind: Times in which nothing was seen; all of them have an end after `close`.
        books: The run's books, complete after `close`.
        end: How the run ended; None if the journal does not say.
        totals: The last that were written.
        stage: The last stage that the run turned to.
        last_s: When the last of what the journal tells happened.
        lost: Entries that the journal could not take.
        present: What is in the cluster still, as far as was told, by kind.
        unanswered: Creates of which nobody knows what became of them.
    """

    def __init__(self, begin: Begin, *writers: RecordWriter) -> None:
        self._writers = writers
        self._iterations: dict[int, _Iteration] = {}
        self._rows: dict[int, _Row] = {}
        self._api_versions = begin.api_versions
        self.blind = BlindSpans()
        self._outages: dict[tuple[float, str, str], OutageRecord] = {}
        self.books = Books(begin.workloads, begin.paths, self.blind)
        self.end: EndEntry | None = None
        self.totals = Totals()
        self.stage: StageEntry | None = None
        self.last_s = 0.0
        self.lost = 0
        self.present: Counter[str] = Counter()
        self.unanswered = 0

    def take(self, entry: AnyEntry) -> None:
        """Take the next entry.

        Raises:
            LookupError: It tells of an object, iteration or workload that the
                journal has not told of before.
        """
        match entry:
            case ObjectEntry():
                self._add(entry)
            case ChangeEntry():
                self._rows[entry.n].change(entry)
            case DeleteEntry():
                self._delete(entry)
            case IterationEntry():
                self._iterations[entry.i] = _Iteration(entry)
                self._reach(entry.started_s)
            case IterationEndEntry():
                self._end_iteration(entry)
            case _:
                self._take_aside(entry)

    def _take_aside(self, entry: AnyEntry) -> None:
        """Take what is not told of an object or an iteration."""
        match entry:
            case CallsEntry():
                self._count_calls(entry)
            case TotalsEntry():
                self.totals = entry.totals
                self._reach(entry.at_s)
            case StageEntry():
                self.stage = entry
                self._reach(entry.at_s)
            case BlindEntry():
                self.blind.put(entry.n, entry.span)
                self._reach(entry.span.began_s)
            case OutageEntry():
                outage = entry.outage
                self._outages[outage.began_s, outage.what, outage.name] = outage
                self._reach(outage.ended_s)
            case WarningEntry():
                self._reach(entry.at_s)
            case LostEntry():
                self.lost += entry.count
            case EndEntry():
                self.end, self.totals = entry, entry.totals

    @property
    def is_cut(self) -> bool:
        """Whether things may have happened that the journal does not tell."""
        return self.end is None or self.lost > 0

    def close(self) -> None:
        """Write down the iterations that the journal does not call settled."""
        for row in self._rows.values():
            self._reach(max(row.times_s(), default=0.0))
        for number in list(self._iterations):
            self._settle(number)
        self.blind.close(self.last_s if self.end is None else self.end.duration_s)

    @property
    def outages(self) -> tuple[OutageRecord, ...]:
        """When the API server was gone, or what it calls."""
        return tuple(sorted(self._outages.values()))

    def _count_calls(self, entry: CallsEntry) -> None:
        iteration = None
        if entry.i is not None:
            begin = self._iterations[entry.i].begin
            iteration = (begin.workload, begin.iteration)
        self.books.count_calls(entry.calls, iteration)
        self._reach(entry.at_s)

    def _reach(self, at_s: float) -> None:
        self.last_s = max(self.last_s, at_s)

    def _add(self, entry: ObjectEntry) -> None:
        iteration = self._iterations[entry.i]
        row = self._rows[entry.n] = _Row(
            entry, iteration.begin, self._api_versions.get(entry.kind, "")
        )
        rows = iteration.children if entry.replica is None else iteration.objects
        rows[entry.n] = row
        if row.present and row.delete_requested_s is None:
            row.delete_requested_s = iteration.delete_requested_s

    def _delete(self, entry: DeleteEntry) -> None:
        iteration = self._iterations[entry.i]
        iteration.delete_requested_s = entry.at_s
        for row in (*iteration.objects.values(), *iteration.children.values()):
            if row.present and row.delete_requested_s is None:
                row.delete_requested_s = entry.at_s
        self._reach(entry.at_s)

    def _end_iteration(self, entry: IterationEndEntry) -> None:
        self._iterations[entry.i].end = entry
        self._reach(entry.finished_s)
        if entry.settled:
            self._settle(entry.i)

    def _settle(self, number: int) -> None:
        iteration = self._iterations.pop(number)
        begin, end = iteration.begin, iteration.end
        is_cut = self.lost > 0 or end is None or not end.settled
        tally = self.books.open_tally(children=bool(iteration.children))
        for children, rows in ((False, iteration.objects), (True, iteration.children)):
            # A child without a UID was taken for one by mistake.
            left = [row for row in rows.values() if row.uid is not None or not children]
            self.present.update(row.kind for row in left if row.present)
            self.unanswered += sum(row.unanswered for row in left)
            for start in range(0, len(left), _AT_ONCE):
                page = left[start : start + _AT_ONCE]
                records = [row.record(is_cut=is_cut) for row in page]
                (tally.add_children if children else tally.add)(records)
                for writer in self._writers:
                    writer.record(records, children=children)
            for each in rows:
                del self._rows[each]
        self.books.enter(
            IterationFacts(
                workload=begin.workload,
                iteration=begin.iteration,
                requested=begin.requested,
                started_s=begin.started_s,
                finished_s=self.last_s if end is None else end.finished_s,
                held_back_s=0.0 if end is None else end.held_back_s,
                problems=() if end is None else tuple(end.problems),
                is_cut=self.lost > 0 or end is None,
            ),
            tally,
        )
