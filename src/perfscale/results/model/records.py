"""The frozen records that a run leaves behind.

Times named ``*_s`` are seconds since the run's start, read from one monotonic
clock; they are never mixed with the server's timestamps, which have a
resolution of one second and another clock.
"""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 -- msgspec reads a record's annotations
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime

    from perfscale.results.journal.entries import WorkloadInfo
    from perfscale.results.measure.calls import CallResult
    from perfscale.results.measure.clock import ClockOffset
    from perfscale.results.measure.latency import LatencySummary
    from perfscale.results.measure.phase_clock import PhaseClock
    from perfscale.results.model.accounts import Accounts
    from perfscale.results.model.audit import AuditRecord
    from perfscale.results.verdicts.blindness import BlindSpan
    from perfscale.results.verdicts.health import GeneratorHealth
    from perfscale.results.verdicts.outages import OutageRecord
    from perfscale.results.verdicts.thresholds import ThresholdVerdict

_NO_ANSWER: Final = "the run ended before the server answered the create request"
UNKNOWN: Final = (
    "the journal ends before the server answered the create request: whether it was created "
    "is unknown"
)
"""Why an object of a run that was killed has failed: nobody can ask it any more."""


class Outcome(StrEnum):
    """What became of one object."""

    READY = "ready"
    FAILED = "failed"
    UNREADY = "unready"
    NOT_ATTEMPTED = "notAttempted"

    @staticmethod
    def of(
        *, error: str | None, ready_s: float | None, uid: str | None, sent_s: float | None
    ) -> Outcome:
        """What the facts of an object's record make it."""
        if error is not None:
            return Outcome.FAILED
        if ready_s is not None:
            return Outcome.READY
        if uid is not None:
            return Outcome.UNREADY
        if sent_s is not None:
            return Outcome.FAILED
        return Outcome.NOT_ATTEMPTED

    def explain(self, error: str | None, detail: str | None) -> str | None:
        """Why an object failed or is not ready; None for one that is.

        Args:
            error: What made it fail, if something did.
            detail: What its status says of why it is not ready.
        """
        match self:
            case Outcome.FAILED:
                return error or _NO_ANSWER
            case Outcome.UNREADY:
                return detail
            case _:
                return None


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
class ObjectRecord:
    """One object's life, or one child's.

    Attributes:
        kind: CamelCase kind; ``Kind.group`` where the run has one of that name in
            another group too.
        namespace: None for a cluster-scoped object.
        name: Its name.
        uid: Given by the server; None if it never accepted the object.
        workload: Name of the workload.
        iteration: Counted from 1.
        replica: Counted from 1; None for a child, which a controller created.
        outcome: What became of it.
        error: Why it failed, or why it was not ready; None otherwise.
        scheduled_s: When its turn came by the target rate.
        admitted_s: When the rate limit and the in-flight bound let it go.
        sent_s: When its create request was sent first.
        created_s: When the server's answer arrived; for a child, when it was first seen.
        phases_s: When it was first seen in each phase, in that order.
        ready_s: When it was first seen ready.
        delete_requested_s: When its deletion was asked for.
        deleted_s: When it was seen gone.
        server: The server's own timestamps, as it wrote them (RFC 3339):
            ``creationTimestamp``, ``deletionTimestamp``, and the phases' under
            ``phases`` where the kind keeps them.
        owner_uid: Of what a child was made for.
        observed_s: When a watch told that it was added; None for a child, and
            for an object that was found in a list first.
        api_version: Of its kind; empty in records of earlier versions.
    """

    kind: str
    namespace: str | None
    name: str
    uid: str | None
    workload: str
    iteration: int
    replica: int | None
    outcome: Outcome
    error: str | None
    scheduled_s: float | None
    admitted_s: float | None
    sent_s: float | None
    created_s: float | None
    phases_s: Mapping[str, float]
    ready_s: float | None
    delete_requested_s: float | None
    deleted_s: float | None
    server: Mapping[str, object]
    owner_uid: str | None = None
    observed_s: float | None = None
    api_version: str = ""


@dataclass(frozen=True, slots=True)
class Transition:
    """Seconds that objects spent in one phase until the client saw them in the next."""

    before: str
    after: str
    duration: LatencySummary


@dataclass(frozen=True, slots=True)
class WatchDelay:
    """Seconds until a watch told of an object, after the server had stored it.

    It stored it some time between the create request and its answer, so the
    delay lies between the two.

    Attributes:
        at_least: From the answer to the event; 0 where the event came first.
        at_most: From the request to the event.
    """

    at_least: LatencySummary
    at_most: LatencySummary


@dataclass(frozen=True, slots=True)
class KindResult:
    """One kind's accounts and latencies.

    Attributes:
        accounts: The counts.
        phases: Seconds from the create request until each phase was first
            seen; ``Ready`` is readiness itself, in every kind.
        deletion: Seconds from the request to delete until seen gone.
        path: Those of the phases that lead to readiness, in their order.
        creation: Seconds from the create request to its answer; None for children.
        transitions: From each phase to the next.
        server_phases: Seconds from the API server's timestamp of the creation to
            the controllers' of each phase, both in whole seconds; empty for
            kinds in which they keep none.
        phase_clock: How far the clocks of the two are apart; None where it is
            not known.
        watch_delay: How late the watches told of objects; None where it is
            not known of any.
        api_version: Of the kind; empty if it is not known.
    """

    accounts: Accounts
    phases: Mapping[str, LatencySummary]
    deletion: LatencySummary
    path: tuple[str, ...] = ()
    creation: LatencySummary | None = None
    transitions: tuple[Transition, ...] = ()
    server_phases: Mapping[str, LatencySummary] = field(default_factory=dict)
    watch_delay: WatchDelay | None = None
    api_version: str = ""
    phase_clock: PhaseClock | None = None


@dataclass(frozen=True, slots=True)
class Rate:
    """The creation rate, in creates a second.

    Each rate counts the creates after the first burst, from when that was due;
    None with too few. See docs/measurements.md.

    Attributes:
        target: What was asked for; None where there was no limit.
        achieved: Those that the server accepted, until the last answer.
        held_back_s: Seconds that creates which the rate would have let go
            waited for a place among the requests in flight.
        share: The time that as many as were accepted should have taken, divided
            by the time that they took; None with too few, or without a limit.
        seconds: How long the creates took of which ``achieved`` is the rate.
        offered: Those that were due, until the last was; None without a limit.
        sent: Those that were sent, until the last was.
        sent_share: As ``share``, of those that were sent.
        sent_seconds: As ``seconds``, of ``sent``.
        creates: How many were sent, those of the first burst included.
        burst: How many may go at once.
    """

    target: float | None
    achieved: float | None
    held_back_s: float
    share: float | None = None
    seconds: float = 0.0
    offered: float | None = None
    sent: float | None = None
    sent_share: float | None = None
    sent_seconds: float = 0.0
    creates: int = 0
    burst: int = 1


@dataclass(frozen=True, slots=True)
class IterationResult:
    """One iteration, from its namespaces to its cleanup.

    ``started_s`` and ``finished_s`` are seconds since the run's start;
    ``problems`` says what went wrong, one sentence each; ``calls`` is how the
    API server answered meanwhile, by verb and resource.
    """

    iteration: int
    started_s: float
    finished_s: float
    accounts: Accounts
    children: Accounts
    rate: Rate
    kinds: Mapping[str, KindResult]
    child_kinds: Mapping[str, KindResult]
    problems: tuple[str, ...] = ()
    calls: tuple[CallResult, ...] = ()


@dataclass(frozen=True, slots=True)
class WorkloadResult:
    """One workload: its iterations, and all of them together.

    ``calls`` are those of its iterations; ``waits`` is whether it was to wait for its objects
    to be ready.
    """

    name: str
    iteration_count: int
    accounts: Accounts
    children: Accounts
    rate: Rate
    kinds: Mapping[str, KindResult]
    child_kinds: Mapping[str, KindResult]
    iterations: tuple[IterationResult, ...]
    calls: tuple[CallResult, ...] = ()
    waits: bool = True

    @property
    def not_waited_for(self) -> str | None:
        """That nothing waited for the objects that are unready, and how to wait; else None."""
        count = self.accounts.unready
        if self.waits or not count:
            return None
        return (
            f"{count} unready object{'s were' if count > 1 else ' was'} not waited for: "
            "with iterationCreationWait: true, an iteration waits until its objects are ready"
        )


@dataclass(frozen=True, slots=True)
class WatchCounts:
    """How often watches had to be opened again, and lists read again."""

    reconnects: int = 0
    relists: int = 0


@dataclass(frozen=True, slots=True)
class NamespaceCounts:
    """Namespaces the run created, those seen gone, and those left although asked to go."""

    created: int = 0
    deleted: int = 0
    leftover: int = 0


@dataclass(frozen=True, slots=True)
class ClusterInfo:
    """Where the load went. Holds no credentials.

    Attributes:
        context: Of the kubeconfig; None where there is none.
        server: URL of the API server.
        version: What it calls itself, and likewise below None if it is not known.
        nodes: How many nodes the cluster has.
        kubevirt: The version of KubeVirt; None too if the run does not use it.
    """

    context: str | None
    server: str
    version: str | None
    nodes: int | None = None
    kubevirt: str | None = None


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
        workloads: What is asked for.
        paths: Phases on the way to readiness, by kind, as records call it.
        api_versions: Of each kind.
    """

    run_id: str
    source: str | None
    started_at: datetime
    cluster: ClusterInfo
    kinds: tuple[tuple[str, str], ...]
    namespaces: tuple[str, ...]
    command: tuple[str, ...]
    workload_yaml: str
    workloads: tuple[WorkloadInfo, ...] = ()
    paths: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    api_versions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunResult:
    """Everything about a run but its single objects.

    Attributes:
        info: What was known before the first create.
        finished_at: Wall clock, UTC.
        duration_s: From the run's start to its end, on the monotonic clock.
        outcome: How it ended.
        exit_code: What the command exits with.
        problems: What went wrong, one sentence each; empty if it passed.
        error: The error that ended the run, if one did.
        remains: Whether objects of the run were left in the cluster on purpose.
        kinds: Latencies of all workloads together, and likewise of children.
        calls: How the API server answered, by verb and resource; also outside
            of iterations.
        clock: How far the server's clock is ahead of the client's; None
            without an answer that had a date.
        thresholds: Whether each was met, those of the run as a whole first.
        audit: What a Prometheus told of the run's time, if it was asked.
        outages: When the API server was gone, or what it calls.
        blind_spans: When nothing was seen, and by what.
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
    calls: tuple[CallResult, ...] = ()
    clock: ClockOffset | None = None
    thresholds: tuple[ThresholdVerdict, ...] = ()
    generator: GeneratorHealth | None = None
    audit: AuditRecord | None = None
    outages: tuple[OutageRecord, ...] = ()
    blind_spans: tuple[BlindSpan, ...] = ()

    @property
    def run_id(self) -> str:
        """The value of the run's label."""
        return self.info.run_id
