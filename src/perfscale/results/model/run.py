"""A run: what is known before its first create, what is counted meanwhile, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import msgspec

from perfscale.results.model.client.clocks import ClockOffset
from perfscale.results.model.client.health import Vitals

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from perfscale.results.model.accounts import Accounts
    from perfscale.results.model.audit import AuditRecord
    from perfscale.results.model.client.calls import CallResult
    from perfscale.results.model.client.generators import GeneratorRecord
    from perfscale.results.model.client.health import GeneratorHealth
    from perfscale.results.model.course.attribution import AttributionResult
    from perfscale.results.model.course.hooks import HookRecord
    from perfscale.results.model.course.stages import RoundStart, StageSpan
    from perfscale.results.model.interruptions import BlindSpan, OutageRecord
    from perfscale.results.model.kubevirt import KubeVirtConfig
    from perfscale.results.model.operations import OperationResult
    from perfscale.results.model.workload import KindResult, WorkloadResult

_SIMULATED: Final = "+perfscale"
"""How the version of a simulated cluster ends."""


class WorkloadPlan(msgspec.Struct, frozen=True):
    """What one workload is going to do.

    Attributes:
        objects: Objects of each kind, by what results call it, over all iterations.
        qps: Target rate, in creates a second; None without a limit. The mean where it moves.
        burst: How many may go at once before the rate holds.
        waits: Whether it waits for its objects to be ready.
        operation: What it does; another than ``create`` makes no ``objects``.
        steady: Whether creates are wanted evenly at that rate; otherwise each when it is due.
        shape: How the load changes over time, in a few words; empty for a steady one.
        max_in_flight: Most of its requests in flight at a time; None leaves it to the run.
        background: Whether others go on beside it.
        churn: What is replaced after that, in a few words; empty where nothing is.
        ends: Whether it ends by its time: ``objects`` are the most that there can be.
        selects: Which objects its operation is for, in a few words; empty where it makes some, and
            where it is no matter if there are none.
    """

    name: str
    iterations: int
    objects: dict[str, int]
    qps: float | None
    burst: int
    waits: bool = True
    operation: str = "create"
    steady: bool = True
    shape: str = ""
    ends: bool = False
    background: bool = False
    max_in_flight: int | None = None
    churn: str = ""
    selects: str = ""


class RunOutcome(StrEnum):
    """What became of the run.

    A run that was killed never came to its end; only what is made from its
    journal afterwards has that outcome.
    """

    PASSED = "passed"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    KILLED = "killed"


@dataclass(frozen=True, slots=True)
class WatchCounts:
    """How often watches had to be opened again, and lists read again."""

    reconnects: int = 0
    relists: int = 0


@dataclass(frozen=True, slots=True)
class NamespaceCounts:
    """Namespaces the run created, those seen gone, and those left although deleted."""

    created: int = 0
    deleted: int = 0
    leftover: int = 0


class Totals(msgspec.Struct, frozen=True):
    """What is counted for the run as a whole; ``requests`` is what the client counted."""

    namespaces: NamespaceCounts = NamespaceCounts()
    watch: WatchCounts = WatchCounts()
    requests: dict[str, int | float] = {}
    clock: ClockOffset | None = None
    vitals: Vitals | None = None


@dataclass(frozen=True, slots=True)
class ClusterInfo:
    """Where the load went. Holds no credentials.

    Attributes:
        context: Of the kubeconfig; None where there is none.
        server: URL of the API server.
        version: What it calls itself, and likewise below None if it is not known.
        nodes: How many nodes the cluster has.
        kubevirt: The version of KubeVirt; None too if the run does not use it.
        kubevirt_config: How it is configured; None likewise.
    """

    context: str | None
    server: str
    version: str | None
    nodes: int | None = None
    kubevirt: str | None = None
    kubevirt_config: KubeVirtConfig | None = None


def is_simulated(version: str | None) -> bool:
    """Whether a cluster that calls itself so is a simulated one."""
    return (version or "").endswith(_SIMULATED)


@dataclass(frozen=True, slots=True)
class RunInfo:
    """What is known before the first create, enough to clean up after a crash.

    Attributes:
        run_id: The value of the run's label.
        source: The workload file as the user named it; None for a program.
        started_at: Wall clock, UTC.
        cluster: Where.
        kinds: ``(apiVersion, kind)`` of all that is created or watched.
        namespaces: Every namespace that the run may create.
        command: The command line; empty for a program.
        workload_yaml: The workload file with every default resolved.
        workloads: What it is going to do.
        paths: Phases on the way to readiness, by kind, as records call it.
        api_versions: Of each kind.
        seed: What its random choices began with; None if that is not known.
        seed_drawn: Whether it drew the seed itself, as nobody chose one.
        generators: How many there are under a coordinator; None for a run of one without.
    """

    run_id: str
    source: str | None
    started_at: datetime
    cluster: ClusterInfo
    kinds: tuple[tuple[str, str], ...]
    namespaces: tuple[str, ...]
    command: tuple[str, ...]
    workload_yaml: str
    workloads: tuple[WorkloadPlan, ...] = ()
    paths: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    api_versions: Mapping[str, str] = field(default_factory=dict)
    seed: int | None = None
    seed_drawn: bool = False
    generators: int | None = None


@dataclass(frozen=True, slots=True)
class ThresholdVerdict:
    """Whether a threshold was met.

    Attributes:
        workload: What it is about; None for the run as a whole.
        quantile: Which statistic, of a latency.
        bound: ``max`` or ``min``.
        limit: The bound, in ``unit``.
        unit: ``seconds``, ``count``, ``perSecond`` or ``percent``.
        value: What was measured; None where there is no sample, or where the
            statistic was not reached. Both fail.
        missed_by: By how much it was not; None if it was, or without a value.
        text: All that in a sentence.
    """

    workload: str | None
    metric: str
    quantile: str | None
    bound: str
    limit: float
    unit: str
    value: float | None
    passed: bool
    missed_by: float | None
    text: str


@dataclass(frozen=True, slots=True)
class RunResult:
    """Everything about a run but its single objects.

    Attributes:
        finished_at: Wall clock, UTC.
        duration_s: From the run's start to its end, on the monotonic clock.
        exit_code: What the command exits with.
        problems: What went wrong, one sentence each; empty if it passed.
        error: The error that ended the run, if one did.
        remains: Whether objects of the run were left in the cluster on purpose.
        kinds: Latencies of all workloads together, and likewise of children.
        operations: What became of those that create nothing, of all workloads together.
        calls: How the API server answered, by verb and resource; also outside
            of iterations.
        clock: How far the server's clock is ahead of the client's; None
            without an answer that had a date.
        thresholds: Whether each was met, those of the run as a whole first.
        audit: What Prometheus measured meanwhile; None without an audit.
        outages: When the API server was gone, or what it calls.
        blind_spans: When nothing was seen, and by what.
        hooks: The commands that it called, in their order.
        stages: What it did when, in the order in which that began.
        rounds: When rounds of churn began.
        attribution: Where the time of slow objects went; None if that was turned off.
        generators: Those of a run that has several.
    """

    info: RunInfo
    finished_at: datetime
    duration_s: float
    outcome: RunOutcome
    exit_code: int
    problems: tuple[str, ...]
    error: BaseException | None
    remains: bool
    accounts: Accounts
    children: Accounts
    watch: WatchCounts
    namespaces: NamespaceCounts
    requests: Mapping[str, float]
    workloads: tuple[WorkloadResult, ...] = field(default_factory=tuple)
    kinds: Mapping[str, KindResult] = field(default_factory=dict)
    child_kinds: Mapping[str, KindResult] = field(default_factory=dict)
    operations: tuple[OperationResult, ...] = ()
    calls: tuple[CallResult, ...] = ()
    clock: ClockOffset | None = None
    thresholds: tuple[ThresholdVerdict, ...] = ()
    generator: GeneratorHealth | None = None
    audit: AuditRecord | None = None
    outages: tuple[OutageRecord, ...] = ()
    blind_spans: tuple[BlindSpan, ...] = ()
    hooks: tuple[HookRecord, ...] = ()
    stages: tuple[StageSpan, ...] = ()
    rounds: tuple[RoundStart, ...] = ()
    attribution: AttributionResult | None = None
    generators: tuple[GeneratorRecord, ...] = ()

    @property
    def run_id(self) -> str:
        """The value of the run's label."""
        return self.info.run_id
