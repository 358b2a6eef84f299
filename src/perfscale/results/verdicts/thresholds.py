"""Judges a run by the thresholds of its workload file."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from perfscale.config import format_duration
from perfscale.config.sections.metrics import OperationLatency, Unit
from perfscale.results.model.operations import OperationAccounts
from perfscale.results.model.run import ThresholdVerdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from perfscale.config import Config, Threshold
    from perfscale.config.sections.metrics import Metric
    from perfscale.results.measure.tallies.run import RunSum
    from perfscale.results.model.latency import LatencySummary
    from perfscale.results.model.operations import OperationResult
    from perfscale.results.model.workload import KindResult, Measured, Rate


class _Value(NamedTuple):
    """A value, or why there is none."""

    value: float | None
    why: str = "has no sample"


def judge_thresholds(config: Config, run_sum: RunSum) -> tuple[ThresholdVerdict, ...]:
    """Judge every threshold of a workload file: those of the run first."""
    return tuple(_verdicts(config, run_sum))


def _verdicts(config: Config, run_sum: RunSum) -> Iterator[ThresholdVerdict]:
    for threshold in config.global_config.thresholds:
        yield judge_threshold(threshold, run_sum)
    for workload, result in zip(config.workloads, run_sum.workloads, strict=True):
        for threshold in workload.thresholds:
            yield judge_threshold(threshold, result, workload.name)


def judge_threshold(
    threshold: Threshold, judged: Measured, workload: str | None = None
) -> ThresholdVerdict:
    """Judge one threshold; ``workload`` is the name of what is judged, if it has one."""
    metric, bound = threshold.measures, threshold.bound
    measured = _measure(metric, threshold, judged)
    beyond = None
    if measured.value is not None:
        beyond = measured.value - bound.value
        beyond = -beyond if metric.has_minimum else beyond
    passed = beyond is not None and beyond <= 0
    missed_by = None if passed else beyond
    return ThresholdVerdict(
        workload=workload,
        metric=threshold.subject,
        quantile=threshold.quantile,
        bound="min" if metric.has_minimum else "max",
        limit=bound.value,
        unit=bound.unit.value,
        value=None if measured.value is None else round(measured.value, 6),
        passed=passed,
        missed_by=None if missed_by is None else round(missed_by, 6),
        text=threshold_title(threshold, workload) + " " + _outcome(threshold, measured, missed_by),
    )


def threshold_title(threshold: Threshold, workload: str | None) -> str:
    """What a threshold is about, as in ``density: vmiReady p99``."""
    where = f"{workload}: " if workload is not None else ""
    return where + " ".join(part for part in (threshold.subject, threshold.quantile) if part)


def _outcome(threshold: Threshold, measured: _Value, missed_by: float | None) -> str:
    bound = threshold.bound
    if measured.value is None:
        return f"{measured.why}; {wanted(threshold)}"
    value = show(measured.value, bound.unit)
    if missed_by is None:
        return f"is {value}; {wanted(threshold)}"
    by = show(missed_by, bound.unit).replace("%", " points")
    return f"is {value}, {by} {'less' if threshold.measures.has_minimum else 'more'} than {bound}"


def wanted(threshold: Threshold) -> str:
    """What a threshold wants, as in ``at most 10s is wanted``."""
    return f"at {'least' if threshold.measures.has_minimum else 'most'} {threshold.bound} is wanted"


def show(value: float, unit: Unit) -> str:
    """A value with its unit, in at most four digits."""
    digits = f"{value:.4g}"
    match unit:
        case Unit.SECONDS:
            return format_duration(float(digits))
        case Unit.COUNT:
            return str(round(value))
        case Unit.PERCENT:
            return f"{digits}%"
        case _:
            return f"{digits}/s"


# -- metrics ------------------------------------------------------------------


def _measure(metric: Metric, threshold: Threshold, judged: Measured) -> _Value:
    if metric.operation is not None:
        summaries = _of_operation(metric, judged.operations)
        return _worst(_statistic(each, threshold.quantile or "") for each in summaries)
    if metric.kind is not None and metric.latency is not None:
        summary = _latency(metric, metric.latency, judged)
        return _statistic(summary, threshold.quantile or "")
    if metric.unit is Unit.PER_SECOND:
        return _rate(metric, judged.rate, share=threshold.bound.unit is Unit.PERCENT)
    count, whole, samples = _counted(metric, judged)
    if not samples:
        return _Value(None)
    return _Value(100 * count / whole if threshold.bound.unit is Unit.PERCENT else count)


def _counted(metric: Metric, judged: Measured) -> tuple[int, int, int]:
    """How many, of how many, and of how many it is known."""
    accounts = judged.accounts
    operations = sum((each.accounts for each in judged.operations), OperationAccounts())
    attempted = accounts.requested - accounts.not_attempted
    operated = operations.requested - operations.not_attempted
    match metric.name:
        case "failed":
            requested = accounts.requested + operations.requested
            return accounts.failed + operations.failed, requested, attempted + operated
        case "unready":
            return accounts.unready, accounts.requested, attempted
        case "unfinished":
            return operations.unfinished, operations.requested, operated
        case "leftover":
            return accounts.leftover, accounts.requested, attempted
    sent = sum(call.sent for call in judged.calls)
    errors = metric.name == "apiErrors"
    return sum(call.errors if errors else call.retries for call in judged.calls), sent, sent


def _of_operation(
    metric: Metric, operations: Iterable[OperationResult]
) -> Iterator[LatencySummary | None]:
    """Of each kind that the operation was done to."""
    for each in operations:
        if each.operation != metric.operation:
            continue
        match metric.latency:
            case OperationLatency.RESPONSE:
                yield each.response
            case OperationLatency.EFFECT:
                yield each.effect
            case OperationLatency.MILESTONE:
                yield each.milestones.get(metric.milestone or "")
            case _:
                yield each.time_in.get(metric.milestone or "")


def _worst(values: Iterable[_Value]) -> _Value:
    """The one that is hardest to accept: what has none, then the longest."""
    found = list(values)
    longest = max(found, key=lambda each: each.value or 0.0, default=_Value(None))
    return next((each for each in found if each.value is None), longest)


def _of_kind(metric: Metric, kinds: Mapping[str, KindResult]) -> KindResult | None:
    """The result of the metric's kind, and not of one of the same name in another group."""
    for name, result in kinds.items():
        version = result.api_version
        if metric.is_about(name, version.rpartition("/")[0] if version else None):
            return result
    return None


def _latency(metric: Metric, latency: str, judged: Measured) -> LatencySummary | None:
    """Of the objects of a kind; of the children where no object is of that kind."""
    found = _of_kind(metric, judged.kinds) or _of_kind(metric, judged.child_kinds)
    if found is None or not metric.churn:
        return None if found is None else found.latencies.get(latency)
    return None if found.churn is None else found.churn.latencies.get(latency)


def _statistic(summary: LatencySummary | None, quantile: str) -> _Value:
    if summary is None or not summary.count + summary.missing:
        return _Value(None)
    value: float | None = getattr(summary, quantile.replace(".", ""))
    total = summary.count + summary.missing
    return _Value(value, f"was not reached, as {summary.missing} of {total} are missing")


def _rate(metric: Metric, rate: Rate, *, share: bool) -> _Value:
    if metric.name == "sentQps":
        value = rate.sent_share if share else rate.sent
    else:
        value = rate.share if share else rate.achieved
    return _Value(100 * value if share and value is not None else value)
