"""``summary.json``: a run's result as one JSON document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec
from msgspec import UNSET

from perfscale.results.model import document, run
from perfscale.results.model.accounts import Accounts
from perfscale.results.model.churn import ChurnResult, ChurnRound
from perfscale.results.model.client.calls import CallResult
from perfscale.results.model.client.clocks import ClockOffset, PhaseClock
from perfscale.results.model.client.health import InFlight, Lag
from perfscale.results.model.course.hooks import HookRecord
from perfscale.results.model.course.stages import RoundStart, StageSpan
from perfscale.results.model.interruptions import BlindSpan, OutageRecord
from perfscale.results.model.latency import (
    Earliest,
    LatencySummary,
    NotWaitedFor,
    PhaseStep,
    WatchDelay,
)
from perfscale.results.model.operations import OperationAccounts, OperationResult
from perfscale.results.model.workload import IterationResult, KindResult, Rate, WorkloadResult
from perfscale.results.verdicts.health import verdict_of

if TYPE_CHECKING:
    from perfscale.results.model.client.generators import GeneratorRecord
    from perfscale.results.model.client.health import GeneratorHealth
    from perfscale.results.model.course.attribution import (
        AttributedObject,
        AttributionResult,
        WaitCause,
    )

PartT = TypeVar("PartT", bound=document.Part)

_PARTS: Final[Mapping[type, type[document.Part]]] = {
    Accounts: document.Counts,
    BlindSpan: document.Blind,
    CallResult: document.CallCounts,
    ClockOffset: document.Clock,
    Earliest: document.Earliest,
    InFlight: document.InFlight,
    ChurnResult: document.Churned,
    ChurnRound: document.ChurnedRound,
    IterationResult: document.Iteration,
    KindResult: document.Kind,
    Lag: document.Lag,
    NotWaitedFor: document.NotWaitedFor,
    HookRecord: document.Hook,
    OperationAccounts: document.OperationCounts,
    OperationResult: document.Operation,
    OutageRecord: document.Outage,
    PhaseClock: document.PhaseClock,
    RoundStart: document.RoundStart,
    StageSpan: document.StageSpan,
    WatchDelay: document.Delay,
    WorkloadResult: document.Workload,
    run.ClusterInfo: document.Cluster,
    run.NamespaceCounts: document.Namespaces,
    run.WatchCounts: document.Watches,
}
"""What each part of a result is in the document, under the same names but for those below."""
_NAMES: Final[Mapping[type, Mapping[str, str]]] = {
    BlindSpan: {"ended_seconds": "until_s"},
    IterationResult: {"objects": "accounts"},
    KindResult: {"objects": "accounts"},
    OperationResult: {"operations": "accounts"},
    WorkloadResult: {"objects": "accounts"},
}
"""Fields of the document, and what the result calls them."""


def summarize(result: run.RunResult) -> dict[str, Any]:
    """The document: counts as integers, times in seconds, ``null`` where not reached."""
    info = result.info
    summary = _part(
        document.Summary,
        result,
        schema_version=document.SCHEMA_VERSION,
        started_at=info.started_at.isoformat(),
        finished_at=result.finished_at.isoformat(),
        thresholds=[document.Judgement(**asdict(each)) for each in result.thresholds],
        generator=_generator(result.generator),
        generators=[_one_of_several(each) for each in result.generators],
        cluster=_value(info.cluster),
        seed=info.seed,
        objects=_value(result.accounts),
        requests=dict(result.requests),
        attribution=described_attribution(result.attribution),
        audit=None if result.audit is None else result.audit.without_series(),
    )
    built: dict[str, Any] = msgspec.to_builtins(summary)
    return built


def describe_cluster(cluster: run.ClusterInfo) -> dict[str, Any]:
    """Where a load went, as the documents have it."""
    described: dict[str, Any] = msgspec.to_builtins(_value(cluster))
    return described


def described(part: Any) -> Any:  # noqa: ANN401 -- whatever a result holds
    """A part of a result as the document has it."""
    return _value(part)


def described_attribution(result: AttributionResult | None) -> document.Attribution | None:
    """Where the time of slow objects went, as the document has it."""
    if result is None:
        return None
    counts = result.counts
    return _part(
        document.Attribution,
        counts,
        problems=list(counts.problems),
        causes=_causes(result.causes),
        objects=[_slow_object(each) for each in result.objects],
    )


def _slow_object(slow: AttributedObject) -> document.SlowObject:
    """Times within it count from its create request."""
    segments = [
        document.Segment(
            cause=each.cause,
            began_seconds=round(each.began_s - slow.sent_s, 6),
            ended_seconds=round(each.ended_s - slow.sent_s, 6),
            precision_seconds=each.precision_s,
            source=each.source,
        )
        for each in slow.segments
    ]
    return _part(
        document.SlowObject,
        slow,
        latency_seconds=round(slow.lasted_s, 6),
        causes=_causes(slow.causes),
        segments=segments,
        notes=list(slow.notes),
    )


def _causes(causes: Mapping[WaitCause, float]) -> dict[str, float]:
    return {cause.value: round(lasted_s, 6) for cause, lasted_s in causes.items()}


def _generator(health: GeneratorHealth | None) -> document.Generator | None:
    if health is None:
        return None
    return _part(
        document.Generator, health.vitals, verdict=health.verdict, reasons=list(health.reasons)
    )


def _one_of_several(generator: GeneratorRecord) -> document.FleetGenerator:
    vitals = generator.vitals
    return _part(
        document.FleetGenerator,
        generator,
        verdict=verdict_of(generator),
        loop_lag=None if vitals is None else _value(vitals.loop_lag),
    )


def _part(kind: type[PartT], source: object, **known: object) -> PartT:
    """A part of the document: the fields that are known, and the others as ``source`` has them."""
    names = _NAMES.get(type(source), {})
    for field in kind.__struct_fields__:
        if field not in known:
            name = names.get(field) or field.replace("_seconds", "_s")
            known[field] = _value(getattr(source, name))
    return kind(**known)


def _value(value: Any) -> Any:  # noqa: ANN401, PLR0911 -- whatever a result holds
    """A part of a result as the document has it: times to the microsecond."""
    match value:
        case float():
            return round(value, 6)
        case None | int() | str():  # most are; what comes below takes longer to find out
            return value
        case tuple():
            return [_value(each) for each in value]
        case Mapping():
            return {str(key): _value(each) for key, each in value.items()}
        case Rate():
            return _rate(value)
        case LatencySummary():
            return _statistics(document.Statistics, value)
        case PhaseStep():
            return _statistics(
                document.Change, value.duration, before=value.before, after=value.after
            )
    kind = _PARTS.get(type(value))
    return value if kind is None else _part(kind, value)


def _statistics(kind: type[PartT], latency: LatencySummary, **known: object) -> PartT:
    earliest = UNSET if latency.earliest is None else _value(latency.earliest)
    unawaited = UNSET if latency.not_waited_for is None else _value(latency.not_waited_for)
    known |= {"earliest": earliest, "not_waited_for": unawaited}
    return _part(kind, latency, **known)


def _rate(rate: Rate) -> document.CreationRate:
    rates = {"offered_qps": rate.offered, "sent_qps": rate.sent, "achieved_qps": rate.achieved}
    rounded = {name: each and round(each, 3) for name, each in rates.items()}
    return _part(document.CreationRate, rate, target_qps=rate.target, sent=rate.creates, **rounded)
