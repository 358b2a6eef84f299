"""What a run says of the cluster: whether it counts, and what of it is kept for the page."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from perfscale.config.sections.metrics import Latency
from perfscale.errors import ThresholdError
from perfscale.results import RunOutcome
from perfscale.search.deciding.trials import Verdict
from perfscale.search.document import StepLatency, StepRate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perfscale.results import (
        LatencySummary,
        OperationResult,
        Rate,
        RunResult,
        ThresholdVerdict,
        WorkloadResult,
    )


class Judged(NamedTuple):
    """A verdict, and what it stands on; None of a run that did not come to its end."""

    verdict: Verdict | None
    reasons: tuple[str, ...] = ()


def judge_run(result: RunResult) -> Judged:
    """Whether the cluster has met the thresholds of the workload file.

    It does not count where the generator itself was lost or the limit, where something else than a
    threshold ended or failed the run, and where a percentile was not reached because objects
    failed: what the server refuses by a quota is no limit of its speed.
    """
    if result.outcome is RunOutcome.INTERRUPTED:
        return Judged(None)
    health = result.generator
    if health is not None and not health.verdict.stands:
        return Judged(Verdict.NOT_COUNTED, health.reasons)
    missed = [each for each in result.thresholds if not each.passed]
    ended_otherwise = result.error is not None and not isinstance(result.error, ThresholdError)
    lost = [] if ended_otherwise else [each for each in missed if _counts(each, result)]
    if lost:
        return Judged(Verdict.LOST, tuple(each.text for each in lost))
    if result.outcome is RunOutcome.PASSED:
        return Judged(Verdict.HOLDS)
    return Judged(Verdict.NOT_COUNTED, result.problems)


def _counts(threshold: ThresholdVerdict, result: RunResult) -> bool:
    if threshold.value is not None:
        return True
    operations = sum(each.accounts.failed for each in result.operations)
    return not (result.accounts.failed or operations)


def rates_of(result: RunResult) -> tuple[StepRate, ...]:
    """How fast each workload was sent and accepted."""
    return tuple(_rate(each.name, each.rate) for each in result.workloads)


def _rate(name: str, rate: Rate) -> StepRate:
    offered, sent, achieved = (
        None if each is None else round(each, 3)
        for each in (rate.offered, rate.sent, rate.achieved)
    )
    return StepRate(workload=name, offered_qps=offered, sent_qps=sent, achieved_qps=achieved)


def latencies_of(result: RunResult) -> tuple[StepLatency, ...]:
    """Readiness of each kind (the creation, where nothing was ready), and effects of operations."""
    return tuple(found for workload in result.workloads for found in _latencies(workload))


def _latencies(workload: WorkloadResult) -> Iterator[StepLatency]:
    for kind, measured in workload.kinds.items():
        ready = measured.phases.get(Latency.READY)
        if ready is not None and ready.count:
            yield _latency(workload.name, kind, None, Latency.READY.value, ready)
        elif measured.creation is not None:
            yield _latency(workload.name, kind, None, Latency.CREATION.value, measured.creation)
    for operation in workload.operations:
        yield _of_operation(workload.name, operation)


def _of_operation(workload: str, operation: OperationResult) -> StepLatency:
    effect = operation.effect
    has_effect = bool(effect.count + effect.missing)
    return _latency(
        workload,
        operation.kind,
        operation.operation,
        "effect" if has_effect else "response",
        effect if has_effect else operation.response,
    )


def _latency(
    workload: str, kind: str, operation: str | None, measure: str, summary: LatencySummary
) -> StepLatency:
    return StepLatency(
        workload=workload,
        kind=kind,
        operation=operation,
        measure=measure,
        count=summary.count,
        missing=summary.missing,
        p50=None if summary.p50 is None else round(summary.p50, 6),
        p99=None if summary.p99 is None else round(summary.p99, 6),
    )
