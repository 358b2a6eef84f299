"""The lines of a journal, as typed structs.

Every line is a JSON object whose ``e`` says what it is. Objects have numbers, ``n`` (see
`perfscale.results.journal.objects`), operations have numbers of their own, and iterations have
theirs, ``i``. Times are seconds since the run's start, rounded to microseconds.

The structs hold no references into the engine, so that another thread can
write them while the run goes on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self, TypeAlias

import msgspec

from perfscale.results.journal.objects import ChangeEntry, Entry, ObjectEntry
from perfscale.results.journal.operations import OperationChangeEntry, OperationEntry
from perfscale.results.measure.calls import CountedCall
from perfscale.results.model.client.generators import GeneratorRecord
from perfscale.results.model.course.attribution import AttributedObject, AttributionCounts
from perfscale.results.model.course.hooks import HookRecord
from perfscale.results.model.interruptions import BlindSpan, OutageRecord
from perfscale.results.model.run import ThresholdVerdict, Totals, WorkloadPlan

if TYPE_CHECKING:
    from perfscale.results.model.run import RunInfo

JOURNAL_VERSION = 5
"""Raised whenever a reader of ``journal.ndjson`` would have to change."""


class Begin(Entry, frozen=True, gc=False, tag="begin", kw_only=True):
    """The first line; ``paths`` has the phases on the way to readiness, by kind.

    ``generators`` is their number where a coordinator has put their journals together.
    """

    schema_version: int
    run_id: str
    workloads: tuple[WorkloadPlan, ...]
    paths: dict[str, tuple[str, ...]]
    api_versions: dict[str, str] = msgspec.field(default_factory=dict)
    generators: int | None = None

    @classmethod
    def of(cls, info: RunInfo) -> Self:
        """That of the journal of a run that begins."""
        return cls(
            schema_version=JOURNAL_VERSION,
            run_id=info.run_id,
            workloads=info.workloads,
            paths=dict(info.paths),
            api_versions=dict(info.api_versions),
            generators=info.generators,
        )


class StageEntry(Entry, frozen=True, gc=False, tag="stage"):
    """The run turns to something else."""

    at_s: float
    stage: str
    workload: str | None = None
    iteration: int | None = None
    round: int | None = None


class IterationEntry(Entry, frozen=True, gc=False, tag="iteration"):
    """An iteration begins; ``requested`` counts its objects, or its operations, by kind.

    If it was begun in a ``round`` of churn, all of them are that round's.

    Where its load ``ends`` by its time, that is the most that there can be; how many it came
    to stands in its `IterationEndEntry`, and until then in the last `DueEntry`.

    In a run of several generators, it is the part of one of them, or of the coordinator, whose
    ``shard`` is -1; the iteration is all of its parts, of which ``whole`` is the sum: so it is
    known however many of them are in a journal that was cut.
    """

    i: int
    workload: str
    iteration: int
    requested: dict[str, int]
    started_s: float
    ends: bool = False
    round: int | None = None
    shard: int | None = None
    whole: dict[str, int] | None = None


class DueEntry(Entry, frozen=True, gc=False, tag="due"):
    """What a load that ends by its time has requested a moment after ``at_s``, at most, by kind.

    It is written ahead, and again before that moment, so that a run that is killed has a bound
    for what came after the end of its journal. ``whole`` is as in `IterationEntry`.
    """

    i: int
    at_s: float
    requested: dict[str, int]
    whole: dict[str, int] | None = None


class CountedEntry(Entry, frozen=True, gc=False, tag="counted"):
    """All operations of an iteration that are decided by now have been counted.

    What was not seen by then makes their latencies uncertain, and what becomes known later does
    not; a replay has to count them at the same moment.
    """

    i: int


class RoundEntry(Entry, frozen=True, gc=False, tag="round"):
    """A round of churn asks for more objects of an iteration; ``requested`` counts them by kind.

    ``whole`` is as in `IterationEntry`.
    """

    i: int
    round: int
    at_s: float
    requested: dict[str, int]
    whole: dict[str, int] | None = None


class ReleaseEntry(Entry, frozen=True, gc=False, tag="release", omit_defaults=True):
    """Nothing more comes about these objects and children of an iteration.

    A round of churn has deleted them; or they are one ``page`` of all that the iteration, or one
    generator's part of it, has at its end.
    """

    i: int
    objects: list[int]
    children: list[int]
    page: bool = False


class LostObjectsEntry(Entry, frozen=True, gc=False, tag="lost_objects"):
    """Objects of an iteration that are there, by kind, without an entry: their generator is lost.

    ``i`` is the part of that generator, or the coordinator's if it had none. If the search was
    ``complete``, what is in no entry either was not there.
    """

    i: int
    objects: dict[str, int]
    complete: bool = False


class DeleteEntry(Entry, frozen=True, gc=False, tag="delete"):
    """The deletion of everything of an iteration was requested, also of what comes later."""

    i: int
    at_s: float


class IterationEndEntry(Entry, frozen=True, gc=False, tag="iteration_end", omit_defaults=True):
    """An iteration is over; after one with ``settled`` there is nothing more about its objects.

    ``requested`` is what was due, where its load ended by its time.
    """

    i: int
    finished_s: float
    held_back_s: float
    problems: list[str]
    settled: bool = False
    requested: dict[str, int] | None = None


class TotalsEntry(Entry, frozen=True, tag="totals", omit_defaults=True):
    """Written every second, so that the journal's end is known to a second.

    In a run of several generators, it is what one of them has counted, or the coordinator (-1).
    """

    at_s: float
    totals: Totals
    shard: int | None = None


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


class GeneratorEntry(Entry, frozen=True, gc=False, tag="generator"):
    """One of several generators has begun, or is lost; the last such line with its shard counts."""

    generator: GeneratorRecord


class AttributionEntry(Entry, frozen=True, tag="attribution"):
    """Where the time of a slow object went; the last such line about its UID counts.

    Without an ``object``, nothing is kept of that UID any more: another was slower. ``counts``
    are as of then; an entry without a UID has nothing else. In a run of several generators, they
    are those of one of them, or of the coordinator (-1).
    """

    at_s: float
    uid: str
    object: AttributedObject | None
    counts: AttributionCounts
    shard: int | None = None


class HookEntry(Entry, frozen=True, tag="hook"):
    """A hook has begun, or ended; the last such line with its number counts."""

    hook: HookRecord


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
    | DueEntry
    | CountedEntry
    | RoundEntry
    | ReleaseEntry
    | ObjectEntry
    | ChangeEntry
    | OperationEntry
    | OperationChangeEntry
    | LostObjectsEntry
    | DeleteEntry
    | IterationEndEntry
    | TotalsEntry
    | CallsEntry
    | BlindEntry
    | OutageEntry
    | GeneratorEntry
    | AttributionEntry
    | HookEntry
    | WarningEntry
    | LostEntry
    | EndEntry
)
