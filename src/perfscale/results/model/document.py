"""What ``summary.json`` holds: its types, of which its JSON Schema is made."""

from __future__ import annotations

from typing import Annotated, Any, Final, TypeAlias

import msgspec
from msgspec import UNSET, Meta, UnsetType

from perfscale.config.sections.metrics import Latency
from perfscale.results.model.audit import AuditSummary
from perfscale.results.model.health import Validity
from perfscale.results.model.interruptions import Cause
from perfscale.results.model.kubevirt import KubeVirtConfig
from perfscale.results.model.run import RunOutcome

SCHEMA_VERSION: Final = 2
"""Raised whenever a reader of ``summary.json`` would have to change."""

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

Count: TypeAlias = Annotated[int, Meta(ge=0)]
Seconds: TypeAlias = Annotated[float | None, Meta(description="null: not reached, or no sample")]


class Part(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """A part of the document; keys that a reader does not know are to be ignored."""


class Counts(Part, frozen=True):
    """Accounts: requested is the sum of ready, failed, unready and notAttempted.

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


class Earliest(Part, frozen=True):
    """The same if all that was heard of after a blind span had happened at its beginning."""

    uncertain: Count
    p50: Seconds
    p90: Seconds
    p95: Seconds
    p99: Seconds
    p999: Seconds = msgspec.field(name="p99.9")
    max: Seconds


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

    def get(self, name: str) -> float | None:
        """The statistic of a name, one of `STATISTICS`."""
        value: float | None = getattr(self, STATISTICS[name])
        return value


STATISTICS: Final = {
    each.encode_name: each.name
    for each in msgspec.structs.fields(Statistics)
    if each.name != "earliest"
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

    @property
    def latencies(self) -> dict[str, Statistics]:
        """All latencies by the client's clock: the creation, the phases, the deletion."""
        creation = {} if self.creation is None else {Latency.CREATION.value: self.creation}
        return {**creation, **self.phases, Latency.DELETION.value: self.deletion}


class OperationCounts(Part, frozen=True):
    """Accounts: requested is the sum of done, failed, unfinished and notAttempted."""

    requested: Count
    done: Count
    failed: Count
    unfinished: Count
    not_attempted: Count


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
        """What a person looks at first, by its name.

        That is without an effect that is the answer itself, and of the times in a milestone with
        that in the first alone, in which it waits for its turn.
        """
        effect = {} if self.effect == self.response else {"effect": self.effect}
        first = list(self.time_in.items())[:1]
        time_in = {f"time in {name}": each for name, each in first}
        return {"response": self.response, **self.milestones, **effect, **time_in}


class CreationRate(Part, frozen=True):
    """Creates, or another operation's requests, a second: wanted, and after the first burst."""

    target_qps: float | None
    offered_qps: Annotated[float | None, Meta(description="due by the schedule")]
    sent_qps: float | None
    achieved_qps: Annotated[float | None, Meta(description="accepted by the server")]
    sent: Annotated[Count, Meta(description="how many, those of the first burst included")]
    burst: Annotated[Count, Meta(description="how many may go at once")]
    held_back_seconds: float


class CallCounts(Part, frozen=True):
    """Requests of one verb for one resource."""

    verb: str
    resource: Annotated[str, Meta(description="the plural; empty for what is no resource")]
    sent: Count
    statuses: Annotated[dict[str, Count], Meta(description="answers, by HTTP status")]
    timeouts: Count
    connection_errors: Count
    retries: Count
    throttled_seconds: float
    latency: Annotated[Statistics, Meta(description="of 2xx answers; percentiles within 1 %")]


class Iteration(Part, frozen=True):
    """One iteration of a workload; its times count from the run's start."""

    iteration: Count
    started_seconds: float
    finished_seconds: float
    problems: list[str]
    objects: Counts
    children: Counts
    rate: CreationRate
    calls: list[CallCounts]
    kinds: dict[str, Kind]
    child_kinds: dict[str, Kind]
    operations: list[Operation]


class Workload(Part, frozen=True):
    """One workload, all its iterations together and each."""

    name: str
    operation: Annotated[str, Meta(description="what it did; create: it made objects")]
    background: Annotated[bool, Meta(description="whether others went on beside it")]
    iteration_count: Count
    objects: Counts
    children: Counts
    rate: CreationRate
    calls: list[CallCounts]
    kinds: dict[str, Kind]
    child_kinds: dict[str, Kind]
    operations: list[Operation]
    iterations: list[Iteration]
    not_waited_for: Annotated[
        str | None,
        Meta(description="null: it waited for its objects to be ready, or none is unready"),
    ] = None

    @property
    def sends(self) -> str:
        """What its rate counts, for a person."""
        return "creates" if self.operation == "create" else f"{self.operation} requests"


class Judgement(Part, frozen=True):
    """Whether a threshold was met."""

    workload: Annotated[str | None, Meta(description="null: the run as a whole")]
    metric: str
    quantile: str | None
    bound: Annotated[str, Meta(description="max or min")]
    limit: float
    unit: Annotated[str, Meta(description="seconds, count, perSecond or percent")]
    value: Annotated[float | None, Meta(description="null: not reached, or no sample")]
    passed: bool
    missed_by: float | None
    text: str


class Cluster(Part, frozen=True):
    """Where the load went."""

    context: str | None
    server: str
    version: str | None
    nodes: int | None
    kubevirt: str | None
    kubevirt_config: Annotated[KubeVirtConfig | None, Meta(description="null: not known")]


class Namespaces(Part, frozen=True):
    """Those that the run made."""

    created: Count
    deleted: Count
    leftover: Count


class Watches(Part, frozen=True):
    """How often watches were opened again, and lists read again."""

    reconnects: Count
    relists: Count


class Clock(Part, frozen=True):
    """How far the server's clock is ahead, with the uncertainty either way, and the bounds."""

    offset_seconds: float
    uncertainty_seconds: float
    low_seconds: float
    high_seconds: float
    consistent: Annotated[bool, Meta(description="whether one offset agrees with every answer")]


class Outage(Part, frozen=True):
    """When the API server was gone, or something that it calls; seconds since the run's start."""

    began_seconds: float
    ended_seconds: float
    what: Annotated[str, Meta(description="server, webhook or aggregated server")]
    name: Annotated[str, Meta(description="the webhook's, or the group; empty for the server")]
    retries: Annotated[Count, Meta(description="requests that were sent again meanwhile")]
    creates: Annotated[Count, Meta(description="most creates that waited at a time")]


class Blind(Part, frozen=True):
    """When nothing was seen, and what was missed had not come; seconds since the run's start."""

    cause: Cause
    kind: Annotated[str | None, Meta(description="what was watched; null: the generator stood")]
    namespace: Annotated[str | None, Meta(description="where; null: everywhere")]
    began_seconds: float
    ended_seconds: float


class Hook(Part, frozen=True):
    """A command that the run called; its times count from the run's start."""

    when: Annotated[str, Meta(description="the moment, as the workload file spells it")]
    workload: Annotated[str | None, Meta(description="null: the run as a whole")]
    iteration: Annotated[int | None, Meta(description="null: all of the workload, or the run")]
    command: list[str]
    background: bool
    began_seconds: float
    ended_seconds: Annotated[float | None, Meta(description="null: the run was killed before")]
    exit_code: Annotated[int | None, Meta(description="null: it was ended, or never began")]
    problem: Annotated[str | None, Meta(description="null: it did not fail")]
    output: Annotated[str | None, Meta(description="its file in the folder of the run")]
    left_out: Annotated[Count, Meta(description="bytes that it printed and that are not there")]


class Lag(Part, frozen=True):
    """How late something was, in seconds; percentiles are within one per cent."""

    count: Count
    mean: Seconds
    p50: Seconds
    p99: Seconds
    max: Seconds


class InFlight(Part, frozen=True):
    """Create requests without an answer: the bound, the most, and the mean while creating."""

    limit: Count
    max: Count
    mean: float | None


class Generator(Part, frozen=True):
    """Whether the generator itself was the limit, and on what grounds."""

    verdict: Validity
    reasons: list[str]
    loop_lag: Lag
    limiter_lag: Lag
    send_lag: Lag
    in_flight: InFlight


class Summary(Part, frozen=True):
    """What a run did, and how the control plane held."""

    schema_version: Count
    run_id: str
    started_at: str
    finished_at: str
    duration_seconds: float
    outcome: RunOutcome
    exit_code: int
    problems: list[str]
    thresholds: list[Judgement]
    generator: Annotated[Generator | None, Meta(description="null: the run was killed too early")]
    cluster: Cluster
    seed: Annotated[int | None, Meta(description="null: an earlier perfscale, which had none")]
    objects: Counts
    children: Counts
    namespaces: Namespaces
    watch: Watches
    outages: list[Outage]
    blind_spans: list[Blind]
    hooks: list[Hook]
    requests: dict[str, float]
    clock: Clock | None
    calls: list[CallCounts]
    kinds: dict[str, Kind]
    child_kinds: dict[str, Kind]
    operations: list[Operation]
    workloads: list[Workload]
    audit: Annotated[AuditSummary | None, Meta(description="null: Prometheus was not asked")]


def results_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of ``summary.json``."""
    schema = msgspec.json.schema(Summary)
    return {"$schema": _DIALECT, "title": "perfscale summary.json", **schema}
