"""The lines of a journal, as typed structs.

Every line is a JSON object whose ``e`` says what it is. What is told of an
object are fields of its record (see `ObjectRecord`): the first line about it
says who it is and gives it a number, ``n``; each later one holds the fields
that are new. Iterations have numbers likewise, ``i``. Times are seconds since
the run's start, rounded to microseconds.

The structs hold no references into the engine, so that another thread can
write them while the run goes on.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec
from msgspec import UNSET, UnsetType

from perfscale.results.measure.calls import CountedCall
from perfscale.results.model.interruptions import BlindSpan, OutageRecord
from perfscale.results.model.run import Totals, WorkloadInfo
from perfscale.results.model.thresholds import ThresholdVerdict

JOURNAL_VERSION = 2
"""Raised whenever a reader of ``journal.ndjson`` would have to change."""


class Entry(msgspec.Struct, frozen=True, gc=False, tag_field="e", forbid_unknown_fields=True):
    """A line of the journal."""


class Begin(Entry, frozen=True, gc=False, tag="begin", kw_only=True):
    """The first line.

    Attributes:
        schema_version: Of the journal.
        run_id: The run's.
        workloads: What it is going to do.
        paths: Phases on the way to readiness, by kind.
        api_versions: Of each kind.
    """

    schema_version: int
    run_id: str
    workloads: tuple[WorkloadInfo, ...]
    paths: dict[str, tuple[str, ...]]
    api_versions: dict[str, str] = {}


class StageEntry(Entry, frozen=True, gc=False, tag="stage"):
    """The run turns to something else."""

    at_s: float
    stage: str
    workload: str | None = None
    iteration: int | None = None


class IterationEntry(Entry, frozen=True, gc=False, tag="iteration"):
    """An iteration begins; ``requested`` counts its objects by kind."""

    i: int
    workload: str
    iteration: int
    requested: dict[str, int]
    started_s: float


class ChangeEntry(Entry, frozen=True, gc=False, tag="change", kw_only=True, omit_defaults=True):
    """What is new about an object.

    ``phases_s`` and ``phase_timestamps`` hold the new phases alone; a
    timestamp that is None is no longer there. The other fields replace what
    was told before.
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


class ObjectEntry(ChangeEntry, frozen=True, gc=False, tag="object", kw_only=True):
    """An object, or a child, that is heard of for the first time.

    A child has no ``replica``.
    """

    i: int
    kind: str
    namespace: str | None
    name: str
    replica: int | None = None
    scheduled_s: float | None = None
    admitted_s: float | None = None


class DeleteEntry(Entry, frozen=True, gc=False, tag="delete"):
    """Everything of an iteration that is there was asked to go, and so is what comes later."""

    i: int
    at_s: float


class IterationEndEntry(Entry, frozen=True, gc=False, tag="iteration_end", omit_defaults=True):
    """An iteration is over; after ``settled`` nothing more is told of its objects."""

    i: int
    finished_s: float
    held_back_s: float
    problems: list[str]
    settled: bool = False


class TotalsEntry(Entry, frozen=True, tag="totals"):
    """Written every second, so that the journal's end is known to a second."""

    at_s: float
    totals: Totals


class CallsEntry(Entry, frozen=True, tag="calls"):
    """What was counted of requests since the last such line.

    They were for iteration ``i``, or for none: watches, and what is done
    between iterations.
    """

    at_s: float
    i: int | None
    calls: list[CountedCall]


class BlindEntry(Entry, frozen=True, gc=False, tag="blind"):
    """Nothing was seen for a while; the last such line with a number ``n`` counts."""

    n: int
    span: BlindSpan


class OutageEntry(Entry, frozen=True, gc=False, tag="outage"):
    """The server was gone; the last such line of one that began then counts."""

    outage: OutageRecord


class WarningEntry(Entry, frozen=True, gc=False, tag="warning"):
    """Something that a person should know."""

    at_s: float
    message: str


class LostEntry(Entry, frozen=True, gc=False, tag="lost"):
    """Entries are missing here: they could not be written."""

    count: int
    reason: str


class EndEntry(Entry, frozen=True, tag="end", kw_only=True):
    """The last line of a run that ended by itself."""

    finished_at: str
    duration_s: float
    outcome: str
    exit_code: int
    problems: list[str]
    remains: bool
    totals: Totals
    thresholds: tuple[ThresholdVerdict, ...] = ()


AnyEntry: TypeAlias = (
    Begin
    | StageEntry
    | IterationEntry
    | ObjectEntry
    | ChangeEntry
    | DeleteEntry
    | IterationEndEntry
    | TotalsEntry
    | CallsEntry
    | BlindEntry
    | OutageEntry
    | WarningEntry
    | LostEntry
    | EndEntry
)
