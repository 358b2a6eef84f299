"""Where a run stands at an instant, in numbers that do not change any more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from perfscale.engine.events import Stage
    from perfscale.results import (
        AttributionResult,
        BlindSpan,
        ChurnResult,
        CountedCall,
        HookRecord,
        IterationResult,
        IterationStart,
        ObjectRecord,
        OutageRecord,
        RequestSums,
        RoundStart,
        Sketch,
        StageSpan,
        WatchCounts,
    )


@dataclass(frozen=True, slots=True)
class ObjectCounts:
    """What happened so far to the objects of one workload and kind.

    They count what was seen when it was seen, and never go down. Where more
    becomes known later (a create that was given up had been carried out, an
    object failed that had been ready) it counts as well, and nothing is taken
    back: what adds up are the accounts of the result.

    Attributes:
        workload: Name of the workload.
        kind: CamelCase kind.
        requested: Objects asked for, over all iterations.
        sent: Create requests sent; one that is retried counts once.
        created: Accepted by the server.
        ready: Seen ready.
        failed: Refused, failed after creation, or deleted by somebody else.
        deleted: Seen gone.
        ready_latency: Seconds from sending the create request to ready.
        first_ready_latency: The same without what churn created.
    """

    workload: str
    kind: str
    requested: int
    sent: int
    created: int
    ready: int
    failed: int
    deleted: int
    ready_latency: Sketch
    first_ready_latency: Sketch


@dataclass(frozen=True, slots=True)
class OperationCounts:
    """What happened so far to the operations of one workload that creates nothing.

    They count what was seen when it was seen, and never go down.

    Attributes:
        workload: Name of the workload.
        operation: As the workload file spells it.
        kind: CamelCase kind of the targets.
        sent: Requests sent; one that is retried counts once.
        accepted: Answered with success.
        done: Seen done.
        failed: Refused, or failed later.
        response: Seconds from sending the request to the answer that accepts it.
        effect: Seconds from sending the request until it was seen done.
    """

    workload: str
    operation: str
    kind: str
    sent: int
    accepted: int
    done: int
    failed: int
    response: Sketch
    effect: Sketch


@dataclass(frozen=True, slots=True)
class Lags:
    """How late the generator was so far, in seconds (see `Vitals`)."""

    loop: Sketch
    limiter: Sketch
    send: Sketch


@dataclass(frozen=True, slots=True)
class GeneratorState:
    """Where one generator of several stands, as it said last.

    Attributes:
        index: Of its shard, counted from 0.
        name: What people call it: its process, or its worker.
        rate: Creates, and other operations, sent in the last second.
        in_flight: Requests without an answer.
        lag_s: How late its loop was at most in the last second.
        cpu: CPU seconds a second that its process took.
        reconnects: How often its watches had to be opened again.
        relists: How often they had to list again.
        silent_s: Since it was heard last.
    """

    index: int
    name: str
    rate: float
    in_flight: int
    lag_s: float
    cpu: float
    reconnects: int
    relists: int
    silent_s: float


@dataclass(frozen=True, slots=True)
class RunCourse:
    """What happened so far beside the load, in seconds since the run's start.

    Attributes:
        outages: When the API server was gone, or what it calls.
        blind_spans: When nothing was seen.
        hooks: The commands that it called.
        stages: What it did when; the last ones end now.
        rounds: When rounds of churn began, and likewise iterations; of many, only some.
        results: Of the iterations of which nothing is left, by workload.
        requests: What became of every request.
        slowest: Of the objects that became ready those that took longest, the slowest first.
        churn: What its rounds of churn came to, by workload and kind.
        attribution: Where the time of slow objects went so far; None if that is turned off.
    """

    outages: tuple[OutageRecord, ...]
    blind_spans: tuple[BlindSpan, ...]
    hooks: tuple[HookRecord, ...]
    stages: tuple[StageSpan, ...]
    rounds: tuple[RoundStart, ...]
    iterations: tuple[IterationStart, ...]
    results: Mapping[str, tuple[IterationResult, ...]]
    requests: RequestSums
    slowest: tuple[ObjectRecord, ...]
    churn: Mapping[tuple[str, str], ChurnResult]
    attribution: AttributionResult | None = None


@dataclass(frozen=True, slots=True)
class RunSnapshot:
    """Where a run stands.

    Attributes:
        run_id: The value of the run's label.
        server_version: What the API server calls itself; None if it does not say.
        started_at: Wall clock, UTC.
        elapsed_s: How long the run has lasted, in seconds.
        stage: What the run is doing; None once it is over.
        workload: The workload that began last, of those that go on, or the last one;
            None before the first.
        stages: What is done for each workload that goes on; none once the run is over.
        rates: Creates, or other operations, sent in the last second, by workload.
        targets: So many a second that were asked for, by workload; None
            without a limit.
        objects: By workload and kind, in the order of the workload file.
        operations: By workload, of those that create nothing, in that order too.
        phases: How many objects are in each phase now, by ``(kind, phase)``;
            those in which there were some once stay, with 0.
        child_phases: The same of children.
        in_flight: Creates, and other operations, without an answer yet.
        most_in_flight: The bound on them.
        calls: Every request so far, by verb and resource.
        watch: How often the watches had to be opened again.
        lags: How late the generator itself was.
        generators: Where each of several generators stands; none where there is only one.
    """

    run_id: str
    server_version: str | None
    started_at: datetime
    elapsed_s: float
    stage: Stage | None
    workload: str | None
    stages: Mapping[str, Stage]
    rates: Mapping[str, float]
    targets: Mapping[str, float | None]
    objects: tuple[ObjectCounts, ...]
    operations: tuple[OperationCounts, ...]
    phases: Mapping[tuple[str, str], int]
    child_phases: Mapping[tuple[str, str], int]
    in_flight: int
    most_in_flight: int
    calls: tuple[CountedCall, ...]
    watch: WatchCounts
    lags: Lags
    generators: tuple[GeneratorState, ...] = ()

    @property
    def rate(self) -> float:
        """Creates, and other operations, sent in the last second."""
        return sum(self.rates.values())
