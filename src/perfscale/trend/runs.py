"""The numbers of a run's folder, for series over many runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from perfscale.config.sections.metrics import Latency
from perfscale.results.folder.reading import read_summary
from perfscale.results.history import read_head
from perfscale.results.model.client.health import Validity
from perfscale.results.model.run import RunOutcome
from perfscale.trend.history import Key, LeftOut, Measured, Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from perfscale.results.history import RunHead
    from perfscale.results.model.document import Kind, Statistics, Workload
    from perfscale.trend.history import Collected

_STATISTICS: Final = ("p50", "p95", "p99")
_JUDGED: Final = (Latency.READY, Latency.DELETION)


def add_run(collected: Collected, folder: Path) -> None:
    """Take the numbers of a run, unless they are not to be compared with those of others.

    Raises:
        ResultsError: It is no run, or a file of it cannot be read.
    """
    head = read_head(folder)
    why = _why_left_out(head)
    if why:
        collected.left_out.append(LeftOut(folder, why))
        return
    summary = read_summary(folder)
    cluster = head.cluster.identity
    collected.clusters[cluster] = head.cluster.name
    found: list[Measured] = []
    for workload in summary.workloads:
        found += _of_workload(workload, cluster)
    if summary.audit is not None and summary.audit.total is not None:
        whole = ", ".join(each.name for each in summary.workloads)
        found += (
            Measured(Key(whole, cluster, f"Prometheus: {name}"), each.value, each.unit)
            for name, each in summary.audit.total.values.items()
        )
    collected.add(Source(folder, head.started_at, head.run_id, _mark(head)), found)


def _why_left_out(head: RunHead) -> str:
    """Empty for a run whose numbers say something of the cluster."""
    if head.outcome is None:
        return "it has no summary: it goes on, or was killed"
    if not head.came_to_its_end:
        return f"it was {head.outcome}"
    if head.generator is Validity.GENERATOR_LOST:
        return "a generator was lost, so it was not the load that was asked for"
    if head.generator is Validity.GENERATOR_LIMITED:
        return "the generator was the limit, so it says less of the cluster"
    return ""


def _mark(head: RunHead) -> str:
    if head.generator is Validity.UNCERTAIN:
        return "uncertain"
    return "failed" if head.outcome is RunOutcome.FAILED else ""


def _of_workload(workload: Workload, cluster: str) -> Iterator[Measured]:
    def key(metric: str) -> Key:
        return Key(workload.name, cluster, metric)

    if workload.rate.achieved_qps is not None:
        rate = key(f"{workload.sends} accepted")
        yield Measured(rate, workload.rate.achieved_qps, "/s", higher_is_better=True)
    attempted = workload.objects.requested - workload.objects.not_attempted
    if attempted:
        missing = 100 * (attempted - workload.objects.ready) / attempted
        yield Measured(key("not ready"), missing, "%")
    for kinds, suffix in ((workload.kinds, ""), (workload.child_kinds, " (children)")):
        for kind, measured in kinds.items():
            for name, latency in _latencies(measured).items():
                yield from _percentiles(key(f"{kind}{suffix}: {name}"), latency)
    for done in workload.operations:
        tried = done.operations.requested - done.operations.not_attempted
        what = f"{done.operation} of {done.kind}"
        if tried:
            share = 100 * (tried - done.operations.done) / tried
            yield Measured(key(f"{what}: not done"), share, "%")
        # Where the answer is the effect, there is none beside it.
        name = "effect" if "effect" in done.latencies else "response"
        yield from _percentiles(key(f"{what}: {name}"), done.latencies[name])


def _latencies(kind: Kind) -> Mapping[str, Statistics]:
    every = kind.latencies
    return {str(name): every[name] for name in _JUDGED if name in every}


def _percentiles(key: Key, latency: Statistics) -> Iterator[Measured]:
    """Those of a latency that has samples."""
    if latency.count + latency.missing:
        for statistic in _STATISTICS:
            metric = f"{key.metric} {statistic}"
            yield Measured(key._replace(metric=metric), latency.get(statistic), "s")
