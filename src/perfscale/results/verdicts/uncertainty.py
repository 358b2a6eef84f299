"""Whether what was not seen in time makes a run's percentiles uncertain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from perfscale.config.sections.metrics import PERCENTILES
from perfscale.results.model.latency import QUANTILES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from perfscale.results.model.latency import LatencySummary
    from perfscale.results.model.workload import WorkloadResult

_MOST_MOVED: Final = 0.05
"""A percentile that may be shorter by a larger share than this is uncertain."""


def doubts(workloads: Iterable[WorkloadResult]) -> Iterator[str]:
    """Say which percentiles are uncertain: the worst of each kind in each workload."""
    for workload in workloads:
        for kinds, of in ((workload.kinds, ""), (workload.child_kinds, " (children)")):
            for kind, result in kinds.items():
                if text := _worst(result.latencies):
                    yield f"{workload.name}, {kind}{of}: {text}"
        for operation in workload.operations:
            if text := _worst(operation.latencies):
                yield f"{workload.name}, {operation.operation} of {operation.kind}: {text}"


def _worst(latencies: Mapping[str, LatencySummary]) -> str:
    found = [doubt for name, each in latencies.items() for doubt in _doubts(name, each)]
    if not found:
        return ""
    _, worst = max(found)
    more = len(found) - 1
    others = f" ({more} more {'is' if more == 1 else 'are'} as uncertain)" if more else ""
    return f"{worst}: part of it happened while nothing was seen{others}"


def _doubts(name: str, latency: LatencySummary) -> Iterator[tuple[float, str]]:
    """By which share each percentile is uncertain, and that in words."""
    if latency.earliest is None:
        return
    for title, key in zip(PERCENTILES, QUANTILES, strict=True):
        value, earliest = getattr(latency, key), getattr(latency.earliest, key)
        if value and earliest is not None and value - earliest > _MOST_MOVED * value:
            text = f"{title} of {name} is {value:.3f} s, and may be as little as {earliest:.3f} s"
            yield 1 - earliest / value, text
