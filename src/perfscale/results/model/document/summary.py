"""What ``summary.json`` holds: its types, of which its JSON Schema is made."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from perfscale.results.model.audit import AuditSummary
from perfscale.results.model.client.health import Validity
from perfscale.results.model.course.attribution import WaitCause
from perfscale.results.model.document.measured import (
    Count,
    Counts,
    Kind,
    Operation,
    Part,
    Seconds,
    Statistics,
)
from perfscale.results.model.interruptions import Cause
from perfscale.results.model.kubevirt import KubeVirtConfig
from perfscale.results.model.run import RunOutcome

SCHEMA_VERSION: Final = 2
"""Raised whenever a reader of ``summary.json`` would have to change."""

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


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
    matched_nothing: Annotated[
        str | None, Meta(description="null: there were objects for its operation, or it makes some")
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


class Segment(Part, frozen=True):
    """A time in which an object waited for one thing; seconds since its create request."""

    cause: WaitCause
    began_seconds: float
    ended_seconds: float
    precision_seconds: Annotated[float, Meta(description="how far off either end may be")]
    source: Annotated[str, Meta(description="what says so, or why it is not known")]


class SlowObject(Part, frozen=True):
    """A slow or unready object; its evidence is in attribution.json."""

    kind: str
    namespace: str | None
    name: str
    uid: str
    workload: str
    iteration: Count
    ready: Annotated[bool, Meta(description="false: latencySeconds are until its last look")]
    latency_seconds: float
    causes: Annotated[dict[str, float], Meta(description="seconds by cause")]
    segments: Annotated[
        list[Segment], Meta(description="from its create request on, without a gap")
    ]
    notes: list[str]


class Attribution(Part, frozen=True):
    """Where the time of slow objects went."""

    limit: Annotated[Count, Meta(description="most objects that are kept")]
    requests: Annotated[Count, Meta(description="sent for it; among the run's calls too")]
    passed_over: Annotated[Count, Meta(description="slow ones that slower ones took the place of")]
    problems: list[str]
    causes: Annotated[dict[str, float], Meta(description="seconds by cause, of all objects")]
    objects: Annotated[list[SlowObject], Meta(description="the slowest first")]


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


class StageSpan(Part, frozen=True):
    """A time in which one thing was done; seconds since the run's start."""

    stage: str
    workload: Annotated[str | None, Meta(description="null: the run as a whole")]
    began_seconds: float
    ended_seconds: float


class RoundStart(Part, frozen=True):
    """A round of churn began; of several hundred rounds, only some are here."""

    workload: str
    round: Count
    began_seconds: float


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
    """Whether the generator itself was lost or the limit, and on what grounds."""

    verdict: Validity
    reasons: list[str]
    loop_lag: Lag
    limiter_lag: Lag
    send_lag: Lag
    in_flight: InFlight


class FleetGenerator(Part, frozen=True):
    """One of several generators of a run; clocks are compared with the coordinator's."""

    shard: Annotated[Count, Meta(description="its index, and the value of its objects' label")]
    name: str
    host: str
    pid: int
    verdict: Validity
    clock_low_seconds: Annotated[float, Meta(description="the least that its wall clock is ahead")]
    clock_high_seconds: Annotated[float, Meta(description="the most")]
    uncertainty_seconds: Annotated[
        float, Meta(description="how far its times may be off from the run's, either way")
    ]
    lost: Annotated[str | None, Meta(description="why it was lost; null: it was not")]
    lost_seconds: Annotated[float | None, Meta(description="when, since the run's start")]
    loop_lag: Annotated[Lag | None, Meta(description="null: it has not said")]


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
    generators: Annotated[
        list[FleetGenerator], Meta(description="empty: the load came from one process")
    ]
    cluster: Cluster
    seed: Annotated[int | None, Meta(description="null: an earlier perfscale, which had none")]
    objects: Counts
    children: Counts
    namespaces: Namespaces
    watch: Watches
    outages: list[Outage]
    blind_spans: list[Blind]
    hooks: list[Hook]
    stages: list[StageSpan]
    rounds: list[RoundStart]
    requests: dict[str, float]
    clock: Clock | None
    calls: list[CallCounts]
    kinds: dict[str, Kind]
    child_kinds: dict[str, Kind]
    operations: list[Operation]
    workloads: list[Workload]
    attribution: Annotated[Attribution | None, Meta(description="null: it was turned off")]
    audit: Annotated[AuditSummary | None, Meta(description="null: Prometheus was not asked")]


def results_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of ``summary.json``."""
    return document_schema(Summary, "perfscale summary.json")


def document_schema(kind: type[Part], title: str) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a document: a file, or what a command prints."""
    return {"$schema": _DIALECT, "title": title, **msgspec.json.schema(kind)}
