"""Finds thresholds of operations with ``abortOnFail`` that cannot be met any more.

As with objects, a percentile is lost once so many have taken longer than its bound that no others
can bring it back. Operations are counted when they are let go, and those that are not are looked
at each time. How many there will be is known when the first iteration of a workload begins; of
a load that ends by its time it is not, and its thresholds are judged at the end.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Final, Protocol

from perfscale.config.sections.metrics import PERCENTILES
from perfscale.results import operation_rule, threshold_title

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from perfscale.config import Config, Threshold, Workload
    from perfscale.results import ObjectLife, OperationLife, WorkloadPlan

QUANTILES: Final = {**PERCENTILES, "max": 1.0}
"""The statistics of a latency that can be lost before the end."""


class CountedScope(Protocol):
    """An iteration's objects, of this process or of others."""

    @property
    def workload(self) -> str:
        """Name of its workload."""

    @property
    def objects(self) -> Sequence[ObjectLife]:
        """In the order in which they were created."""

    @property
    def failed(self) -> int:
        """How many have failed."""


class CountedIteration(Protocol):
    """An iteration's operations, likewise."""

    @property
    def workload(self) -> Workload:
        """What the workload file says of its workload."""

    @property
    def scope(self) -> CountedScope:
        """The iteration's objects."""

    @property
    def requested(self) -> Mapping[str, int]:
        """Operations that it asks for, by kind."""

    @property
    def ends(self) -> bool:
        """Whether its load ends by its time."""

    @property
    def open_operations(self) -> Collection[OperationLife]:
        """Those that are neither done nor have failed."""

    @property
    def decided_operations(self) -> Collection[OperationLife]:
        """The others, until they are recorded."""


class _LatencyThreshold:
    """One threshold of a latency of an operation.

    Attributes:
        over: Operations that have taken longer, of those that were let go.
    """

    def __init__(self, workload: str | None, threshold: Threshold) -> None:
        metric = threshold.measures
        self.workload = workload
        self.threshold = threshold
        self.operation = metric.operation
        self.over = 0
        self._quantile = QUANTILES[threshold.quantile or ""]
        self._limit_s = threshold.bound.value
        self._rule = operation_rule(metric.latency or "", metric.milestone)

    def is_about(self, iteration: CountedIteration) -> bool:
        """Whether an iteration's operations count."""
        workload = iteration.workload
        return self.operation == workload.operation and self.workload in {None, workload.name}

    def enough(self, total: int) -> int:
        """How many longer ones of a ``total`` are too many."""
        return total - math.floor((total - 1) * self._quantile)

    def is_over(self, operation: OperationLife, now: float) -> bool:
        """Whether it has taken longer than the bound, or never gets there."""
        begun_s, reached_s = self._rule.times_s(operation)
        if begun_s is None or self._rule.is_skipped(operation):
            return False
        if reached_s is not None:
            return reached_s - begun_s > self._limit_s
        return operation.error is not None or now - begun_s > self._limit_s


class OperationThresholds:
    """Every threshold of an operation that can end a run.

    Args:
        config: The workload file.
        workloads: What each workload is going to do.
    """

    def __init__(self, config: Config, workloads: Iterable[WorkloadPlan]) -> None:
        self._plans = {each.name: each for each in workloads if each.operation != "create"}
        self._iterations: dict[CountedScope, CountedIteration] = {}
        self._totals: Counter[str] = Counter()
        thresholds: list[tuple[str | None, Threshold]] = [
            *((None, each) for each in config.global_config.thresholds),
            *(
                (workload.name, each)
                for workload in config.workloads
                for each in workload.thresholds
            ),
        ]
        self._latencies = [
            _LatencyThreshold(workload, threshold)
            for workload, threshold in thresholds
            if threshold.abort_on_fail and threshold.measures.operation is not None
        ]

    @property
    def is_empty(self) -> bool:
        """Whether there are none."""
        return not self._latencies

    def open(self, iteration: CountedIteration) -> None:
        """An iteration begins: how many operations its workload has is known from now on."""
        plan = self._plans.get(iteration.workload.name)
        if plan is None:
            return
        self._iterations[iteration.scope] = iteration
        if not iteration.ends:
            self._totals[plan.name] = plan.iterations * sum(iteration.requested.values())

    def requested(self, workload: str | None, operation: str | None = None) -> int | None:
        """How many operations there will be of a workload, or of all; None if it is not known."""
        names = [
            name
            for name, plan in self._plans.items()
            if workload in {None, name} and operation in {None, plan.operation}
        ]
        if any(name not in self._totals for name in names):
            return None
        return sum(self._totals[name] for name in names)

    def record(self, iteration: CountedIteration, decided: Iterable[OperationLife]) -> None:
        """Nothing more happens to these: what has not got there never will."""
        for latency in self._latencies:
            if latency.is_about(iteration):
                latency.over += sum(latency.is_over(each, math.inf) for each in decided)

    def close(self, scope: CountedScope) -> None:
        """An iteration is about to be let go."""
        self._iterations.pop(scope, None)

    def lost(self, now: float) -> Iterator[str]:
        """What cannot be met any more, a sentence for each."""
        for latency in self._latencies:
            total = self.requested(latency.workload, latency.operation)
            if not total:
                continue
            over = latency.over + sum(
                latency.is_over(operation, now)
                for iteration in self._iterations.values()
                if latency.is_about(iteration)
                for operation in (*iteration.decided_operations, *iteration.open_operations)
            )
            if over >= latency.enough(total):
                title = threshold_title(latency.threshold, latency.workload)
                yield (
                    f"{title} cannot be met any more: {over} of {total} have taken longer than "
                    f"{latency.threshold.bound}, or failed"
                )
