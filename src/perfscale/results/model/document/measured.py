"""What ``summary.json`` holds of kinds and operations: their accounts and latencies."""

from __future__ import annotations

from typing import Annotated, Final, TypeAlias

import msgspec
from msgspec import UNSET, Meta, UnsetType

from perfscale.config.sections.metrics import Latency
from perfscale.results.model.latency import say_not_waited_for
from perfscale.results.model.operations import first_looked_at

Count: TypeAlias = Annotated[int, Meta(ge=0)]
Seconds: TypeAlias = Annotated[float | None, Meta(description="null: not reached, or no sample")]


class Part(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """A part of the document; keys that a reader does not know are to be ignored."""


class Counts(Part, frozen=True):
    """Accounts: requested is the sum of ready, failed, unready, notAttempted and lost.

    Of a run that was killed, ``unknown`` of those that failed or were not attempted
    may have been created all the same.
    """

    requested: Count
    created: Count
    ready: Count
    failed: Count
    unready: Count
    not_attempted: Count
    deleted: Count
    leftover: Count
    unknown: Count
    lost: Annotated[Count, Meta(description="left by a generator that was lost, of several")] = 0


class Earliest(Part, frozen=True):
    """The same if all that was heard of after a blind span had happened at its beginning."""

    uncertain: Count
    p50: Seconds
    p90: Seconds
    p95: Seconds
    p99: Seconds
    p999: Seconds = msgspec.field(name="p99.9")
    max: Seconds


class NotWaitedFor(Part, frozen=True):
    """Who was ready and did not come to a milestone, and for how long they were there then."""

    count: Count
    min: Seconds
    max: Seconds

    def __str__(self) -> str:
        """As the report on the terminal has it."""
        return say_not_waited_for(self.count, self.min or 0.0, self.max or 0.0)


class Statistics(Part, frozen=True, kw_only=True):
    """A latency, in seconds; what is missing counts as longer than every sample."""

    count: Count
    missing: Count
    min: Seconds
    p50: Seconds
    p90: Seconds
    p95: Seconds
    p99: Seconds
    p999: Seconds = msgspec.field(name="p99.9")
    max: Seconds
    mean: Seconds
    earliest: Annotated[
        Earliest | UnsetType, Meta(description="missing: no sample is uncertain")
    ] = UNSET
    not_waited_for: Annotated[
        NotWaitedFor | UnsetType,
        Meta(description="of a milestone: who of the missing was ready; missing: none"),
    ] = UNSET

    def get(self, name: str) -> float | None:
        """The statistic of a name, one of `STATISTICS`."""
        value: float | None = getattr(self, STATISTICS[name])
        return value


STATISTICS: Final = {
    each.encode_name: each.name
    for each in msgspec.structs.fields(Statistics)
    if each.name not in {"earliest", "not_waited_for"}
}
"""The names of all statistics of a latency in the document, and of their attributes."""


class Change(Statistics, frozen=True, kw_only=True):
    """The time from one phase to the next."""

    before: str = msgspec.field(name="from")
    after: str = msgspec.field(name="to")


class Delay(Part, frozen=True):
    """How late watches told of new objects: between these two."""

    at_least: Statistics
    at_most: Statistics


class PhaseClock(Part, frozen=True):
    """How far the clocks that stamp phases are ahead of the one that stamps creations."""

    low_seconds: float
    high_seconds: float
    consistent: Annotated[bool, Meta(description="whether one difference agrees with every stamp")]
    negative: Annotated[Count, Meta(description="latencies below 0, which are left out")]
    reason: Annotated[str | None, Meta(description="why the latencies are not what they seem")]


class ChurnedRound(Part, frozen=True):
    """A round of churn, or several in a row; percentiles within 1 %."""

    first: Annotated[Count, Meta(description="the round; counted from 1")]
    last: Annotated[Count, Meta(description="of several, the last; otherwise the same")]
    ready: Annotated[Statistics, Meta(description="of what it created")]
    deletion: Annotated[Statistics, Meta(description="of what it deleted")]


class Churned(Part, frozen=True):
    """Latencies of what churn created and deleted; percentiles within 1 %."""

    phases: dict[str, Statistics]
    creation: Statistics | None
    deletion: Statistics
    rounds: list[ChurnedRound]

    @property
    def latencies(self) -> dict[str, Statistics]:
        """All of them: the creation, the phases, the deletion."""
        creation = {} if self.creation is None else {Latency.CREATION.value: self.creation}
        return {**creation, **self.phases, Latency.DELETION.value: self.deletion}


class Kind(Part, frozen=True):
    """Accounts and latencies of the objects of one kind."""

    api_version: Annotated[str, Meta(description="empty: not known")]
    objects: Counts
    phases: dict[str, Statistics]
    creation: Statistics | None
    deletion: Statistics
    transitions: list[Change]
    server_phases: dict[str, Statistics]
    phase_clock: Annotated[PhaseClock | None, Meta(description="null: it stamps no phases")]
    watch_delay: Delay | None
    churn: Annotated[Churned | None, Meta(description="null: no churn, or an iteration's")] = None
    made_by: Annotated[
        dict[str, Count],
        Meta(description="children that no creation made, by operation: not in the latencies"),
    ] = {}

    @property
    def latencies(self) -> dict[str, Statistics]:
        """All latencies by the client's clock: the creation, the phases, the deletion."""
        creation = {} if self.creation is None else {Latency.CREATION.value: self.creation}
        return {**creation, **self.phases, Latency.DELETION.value: self.deletion}


class OperationCounts(Part, frozen=True):
    """Accounts: requested is the sum of done, failed, unfinished and notAttempted.

    Of a run that was killed, ``unknown`` of those that were not attempted may have been sent all
    the same.
    """

    requested: Count
    done: Count
    failed: Count
    unfinished: Count
    not_attempted: Count
    unknown: Count = 0


class Operation(Part, frozen=True):
    """Accounts and latencies of one operation on one kind."""

    operation: Annotated[str, Meta(description="as the workload file spells it")]
    kind: Annotated[str, Meta(description="of the targets")]
    api_version: Annotated[str, Meta(description="empty: not known")]
    operations: OperationCounts
    response: Annotated[Statistics, Meta(description="from the request to its answer")]
    effect: Annotated[Statistics, Meta(description="from the request until seen done")]
    milestones: dict[str, Statistics]
    time_in: Annotated[
        dict[str, Statistics], Meta(description="from each milestone to the next, or until done")
    ]

    @property
    def latencies(self) -> dict[str, Statistics]:
        """What a person looks at first, by its name."""
        return first_looked_at(self.response, self.effect, self.milestones, self.time_in)
