"""``summary.json``: a run's result as one JSON document."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import msgspec

from perfscale.results.model import document

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from perfscale.results.model.accounts import Accounts
    from perfscale.results.model.calls import CallResult
    from perfscale.results.model.clocks import ClockOffset, PhaseClock
    from perfscale.results.model.health import GeneratorHealth, Lag
    from perfscale.results.model.interruptions import BlindSpan, OutageRecord
    from perfscale.results.model.latency import LatencySummary, WatchDelay
    from perfscale.results.model.run import RunResult
    from perfscale.results.model.workload import IterationResult, KindResult, Rate, WorkloadResult


def summarize(result: RunResult) -> dict[str, Any]:
    """The document: counts as integers, times in seconds, ``null`` where not reached."""
    info = result.info
    summary = document.Summary(
        schema_version=document.SCHEMA_VERSION,
        run_id=info.run_id,
        started_at=info.started_at.isoformat(),
        finished_at=result.finished_at.isoformat(),
        duration_seconds=round(result.duration_s, 6),
        outcome=result.outcome,
        exit_code=result.exit_code,
        problems=list(result.problems),
        thresholds=[document.Judgement(**asdict(each)) for each in result.thresholds],
        generator=_generator(result.generator),
        cluster=document.Cluster(**asdict(info.cluster)),
        seed=info.seed,
        objects=_counts(result.accounts),
        children=_counts(result.children),
        namespaces=document.Namespaces(**asdict(result.namespaces)),
        watch=document.Watches(**asdict(result.watch)),
        outages=[_outage(each) for each in result.outages],
        blind_spans=[_blind(each) for each in result.blind_spans],
        requests=dict(result.requests),
        clock=_clock(result.clock),
        calls=_calls(result.calls),
        kinds=_kinds(result.kinds),
        child_kinds=_kinds(result.child_kinds),
        workloads=[_workload(workload) for workload in result.workloads],
        audit=None if result.audit is None else result.audit.without_series(),
    )
    built: dict[str, Any] = msgspec.to_builtins(summary)
    return built


def _workload(workload: WorkloadResult) -> document.Workload:
    return document.Workload(
        name=workload.name,
        iteration_count=workload.iteration_count,
        objects=_counts(workload.accounts),
        children=_counts(workload.children),
        rate=_rate(workload.rate),
        calls=_calls(workload.calls),
        kinds=_kinds(workload.kinds),
        child_kinds=_kinds(workload.child_kinds),
        iterations=[_iteration(iteration) for iteration in workload.iterations],
        not_waited_for=workload.not_waited_for,
    )


def _iteration(iteration: IterationResult) -> document.Iteration:
    return document.Iteration(
        iteration=iteration.iteration,
        started_seconds=round(iteration.started_s, 6),
        finished_seconds=round(iteration.finished_s, 6),
        problems=list(iteration.problems),
        objects=_counts(iteration.accounts),
        children=_counts(iteration.children),
        rate=_rate(iteration.rate),
        calls=_calls(iteration.calls),
        kinds=_kinds(iteration.kinds),
        child_kinds=_kinds(iteration.child_kinds),
    )


def _counts(accounts: Accounts) -> document.Counts:
    return document.Counts(**asdict(accounts))


def _rate(rate: Rate) -> document.CreationRate:
    return document.CreationRate(
        target_qps=rate.target,
        offered_qps=_per_second(rate.offered),
        sent_qps=_per_second(rate.sent),
        achieved_qps=_per_second(rate.achieved),
        sent=rate.creates,
        burst=rate.burst,
        held_back_seconds=round(rate.held_back_s, 6),
    )


def _per_second(rate: float | None) -> float | None:
    return None if rate is None else round(rate, 3)


def _generator(health: GeneratorHealth | None) -> document.Generator | None:
    if health is None:
        return None
    vitals = health.vitals
    return document.Generator(
        verdict=health.verdict,
        reasons=list(health.reasons),
        loop_lag=_lag(vitals.loop_lag),
        limiter_lag=_lag(vitals.limiter_lag),
        send_lag=_lag(vitals.send_lag),
        in_flight=document.InFlight(**msgspec.structs.asdict(vitals.in_flight)),
    )


def _outage(outage: OutageRecord) -> document.Outage:
    return document.Outage(
        began_seconds=round(outage.began_s, 6),
        ended_seconds=round(outage.ended_s, 6),
        what=outage.what,
        name=outage.name,
        retries=outage.retries,
        creates=outage.creates,
    )


def _blind(span: BlindSpan) -> document.Blind:
    return document.Blind(
        cause=span.cause,
        kind=span.kind,
        namespace=span.namespace,
        began_seconds=round(span.began_s, 6),
        ended_seconds=round(span.until_s, 6),
    )


def _lag(lag: Lag) -> document.Lag:
    return document.Lag(**msgspec.structs.asdict(lag))


def _clock(clock: ClockOffset | None) -> document.Clock | None:
    if clock is None:
        return None
    return document.Clock(
        offset_seconds=round(clock.offset_s, 6),
        uncertainty_seconds=round(clock.uncertainty_s, 6),
        low_seconds=clock.low_s,
        high_seconds=clock.high_s,
        consistent=clock.consistent,
    )


def _calls(calls: Iterable[CallResult]) -> list[document.CallCounts]:
    return [
        document.CallCounts(
            verb=call.verb,
            resource=call.resource,
            sent=call.sent,
            statuses={str(status): count for status, count in call.statuses.items()},
            timeouts=call.timeouts,
            connection_errors=call.connection_errors,
            retries=call.retries,
            throttled_seconds=round(call.throttled_s, 6),
            latency=_statistics(call.latency),
        )
        for call in calls
    ]


def _kinds(kinds: Mapping[str, KindResult]) -> dict[str, document.Kind]:
    return {kind: _kind(result) for kind, result in kinds.items()}


def _kind(result: KindResult) -> document.Kind:
    return document.Kind(
        api_version=result.api_version,
        objects=_counts(result.accounts),
        phases=_phases(result.phases),
        creation=None if result.creation is None else _statistics(result.creation),
        deletion=_statistics(result.deletion),
        transitions=[
            document.Change(before=each.before, after=each.after, **_rounded(each.duration))
            for each in result.transitions
        ],
        server_phases=_phases(result.server_phases),
        phase_clock=_phase_clock(result.phase_clock),
        watch_delay=_watch_delay(result.watch_delay),
    )


def _phases(phases: Mapping[str, LatencySummary]) -> dict[str, document.Statistics]:
    return {phase: _statistics(latency) for phase, latency in phases.items()}


def _phase_clock(clock: PhaseClock | None) -> document.PhaseClock | None:
    if clock is None:
        return None
    return document.PhaseClock(
        low_seconds=clock.low_s,
        high_seconds=clock.high_s,
        consistent=clock.consistent,
        negative=clock.negative,
        reason=clock.reason,
    )


def _watch_delay(delay: WatchDelay | None) -> document.Delay | None:
    if delay is None:
        return None
    return document.Delay(at_least=_statistics(delay.at_least), at_most=_statistics(delay.at_most))


def _statistics(latency: LatencySummary) -> document.Statistics:
    return document.Statistics(**_rounded(latency))


def _rounded(latency: LatencySummary) -> dict[str, Any]:
    """To microseconds."""
    statistics = _all_rounded(asdict(latency))
    earliest = statistics.pop("earliest")
    if earliest is not None:
        statistics["earliest"] = document.Earliest(**_all_rounded(earliest))
    return statistics


def _all_rounded(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: round(value, 6) if isinstance(value, float) else value
        for name, value in values.items()
    }
