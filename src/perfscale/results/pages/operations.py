"""What was done to objects, on a run's page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from perfscale.results.pages.figures import Distributions, distribution_plot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from perfscale.results.measure.operations.latencies import SamplesOfOperations
    from perfscale.results.model.document import Operation, Statistics, Summary, Workload
    from perfscale.results.pages.plots import Plot

_BARS: Final = ("p50", "p90", "p95", "p99", "p99.9", "max")
"""The statistics that are compared by eye, and so have bars."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyTable:
    """A table of latencies, by name."""

    latencies: Mapping[str, Statistics]

    @property
    def longest(self) -> float:
        """The longest time in the table, which has the longest bar."""
        return max(
            (each.get(name) or 0.0 for each in self.latencies.values() for name in _BARS),
            default=0.0,
        )

    def bar(self, latency: str, statistic: str) -> float | None:
        """Length of a bar in percent; None for a statistic that has none."""
        value = self.latencies[latency].get(statistic) if statistic in _BARS else None
        if value is None or not self.longest:
            return None
        return round(100 * value / self.longest, 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationSection(LatencyTable):
    """One operation of one workload, on one kind.

    Attributes:
        key: Its id on the page.
        path: Where the summary has it, as keys and indices with dots between.
        judged: The latency that is looked at first: the effect, or an answer that is one.
        plot: The distributions of the latencies; None where there are no records.
    """

    key: str
    path: str
    workload: Workload
    measured: Operation
    judged: str
    plot: Plot | None


def operation_sections(
    summary: Summary, drawn_of: Callable[[Workload, Operation], Distributions]
) -> Iterator[OperationSection]:
    """The sections, in the order of the workloads, with the distributions that ``drawn_of`` has."""
    for number, workload in enumerate(summary.workloads):
        for index, operation in enumerate(workload.operations):
            latencies = _known(operation)
            drawn = drawn_of(workload, operation)
            key = f"operation-{number + 1}-{index + 1}"
            yield OperationSection(
                key=f"section-{key}",
                path=f"workloads.{number}.operations.{index}",
                workload=workload,
                measured=operation,
                latencies=latencies,
                judged="effect" if "effect" in latencies else "response",
                plot=distribution_plot(key, drawn, what="operations") if drawn.latencies else None,
            )


def distributions_of(
    samples: SamplesOfOperations, workload: Workload, operation: Operation
) -> Distributions:
    """What is drawn of the records of an operation."""
    found = samples.of(workload.name, operation.operation, operation.kind)
    # What does not fit among the lines of a plot are milestones on the way.
    order = sorted(_known(operation), key=lambda name: name in operation.milestones)
    drawn = {} if found is None else {name: found.named(name) for name in order}
    return Distributions({name: each for name, each in drawn.items() if each is not None})


def _known(operation: Operation) -> dict[str, Statistics]:
    """Its latencies that anything has begun."""
    return {name: each for name, each in operation.latencies.items() if each.count + each.missing}
