"""Finds thresholds with ``abortOnFail`` that cannot be met any more.

A percentile is lost for good once so many objects have taken longer than its
bound that no others can bring it back. Each object is checked once, when it
has got there or when its time is up: objects are created one after the other,
so those whose time is up come first, and a cursor goes along them.
"""

from __future__ import annotations

import math
from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING

from perfscale.config.sections.metrics import MILESTONES, Unit
from perfscale.engine.accounting.operation_thresholds import QUANTILES, OperationThresholds
from perfscale.errors import ThresholdError
from perfscale.results import DELETION, latency_rule, threshold_title

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from perfscale.config import Config, Threshold
    from perfscale.config.sections.metrics import Metric
    from perfscale.config.sections.thresholds import Bound
    from perfscale.engine.accounting.operation_thresholds import CountedIteration, CountedScope
    from perfscale.results import Calls, ObjectLife, OperationLife, WorkloadPlan


class _LatencyThreshold:
    """One threshold of a latency, over all the objects of its kind."""

    def __init__(self, threshold: Threshold, metric: Metric, total: int) -> None:
        self.total = total
        self.over = 0
        rank = math.floor((total - 1) * QUANTILES[threshold.quantile or ""])
        self.enough = total - rank
        self._limit_s = threshold.bound.value
        self._metric = metric
        self._rule = latency_rule(metric.latency or "")
        self._cursors: dict[CountedScope, int] = {}

    @property
    def lost(self) -> bool:
        """Whether the statistic is beyond its bound, whatever the others do."""
        return self.over >= self.enough

    def count(self, scope: CountedScope, now: float) -> None:
        """Count the objects about which something is certain by now."""
        objects = scope.objects
        cursor = self._cursors.get(scope, 0)
        while cursor < len(objects):
            over = self._is_over(objects[cursor], now)
            if over is None:
                break
            self.over += over
            cursor += 1
        self._cursors[scope] = cursor

    def drop(self, scope: CountedScope, gone: Collection[ObjectLife]) -> None:
        """Count those of an iteration that are gone, and are about to be let go."""
        objects, cursor = scope.objects, self._cursors.get(scope, 0)
        rest = (row for row in objects[cursor:] if row in gone)
        self.over += sum(bool(self._is_over(row, math.inf)) for row in rest)
        self._cursors[scope] = cursor - sum(row in gone for row in objects[:cursor])

    def close(self, scope: CountedScope) -> None:
        """Count the rest: what has not got there never will."""
        self.count(scope, math.inf)
        del self._cursors[scope]

    def _counts(self, row: ObjectLife) -> bool:
        """Whether it is about an object; what churn creates and deletes is measured apart."""
        of_churn = row.round is not None or (self._rule is DELETION and row.replaced_in is not None)
        return not of_churn and self._metric.is_about(row.resource.kind_name, row.resource.group)

    def _is_over(self, row: ObjectLife, now: float) -> bool | None:
        """Whether it took longer than the bound; None while nobody knows."""
        if not self._counts(row):
            return False
        begun_s, reached_s = self._rule.times_s(row, row.sent_s)
        if begun_s is None:
            return False if now == math.inf else None
        if reached_s is not None:
            return reached_s - begun_s > self._limit_s
        if self._rule.is_skipped(row):
            return False
        if now - begun_s > self._limit_s:
            return self._had_time(row, begun_s)
        return None

    def _had_time(self, row: ObjectLife, begun_s: float) -> bool:
        """Whether an object was there for so long; of a milestone, which nothing waits for."""
        until_s = row.delete_requested_s
        if self._rule.name not in MILESTONES or until_s is None or row.error is not None:
            return True
        return until_s - begun_s > self._limit_s


class AbortThresholds:
    """Every threshold of a run that can end it.

    Args:
        config: The workload file.
        workloads: How many objects of each kind there will be.
        calls_of: The requests so far, of a workload, or of the run for None.
    """

    def __init__(
        self,
        config: Config,
        workloads: Iterable[WorkloadPlan],
        calls_of: Callable[[str | None], Calls],
    ) -> None:
        self._calls_of = calls_of
        self._operations = OperationThresholds(config, workloads)
        self._failed: Counter[str] = Counter()
        self._latencies: list[tuple[str | None, Threshold, _LatencyThreshold]] = []
        self._counts: list[tuple[str | None, Threshold]] = []
        objects: dict[str | None, Counter[str]] = {
            each.name: Counter(each.objects) for each in workloads
        }
        objects[None] = sum(objects.values(), Counter())
        self._objects = {name: counts.total() for name, counts in objects.items()}
        self._add(None, config.global_config.thresholds, objects[None])
        for workload in config.workloads:
            self._add(workload.name, workload.thresholds, objects[workload.name])

    def _add(
        self, workload: str | None, thresholds: Iterable[Threshold], objects: Mapping[str, int]
    ) -> None:
        for threshold in thresholds:
            metric = threshold.measures
            if not threshold.abort_on_fail or metric.operation is not None:
                continue
            if metric.kind is None or metric.latency is None:
                self._counts.append((workload, threshold))
            elif total := sum(count for kind, count in objects.items() if metric.is_about(kind)):
                # How many children there will be nobody knows: those are judged at the end.
                latency = _LatencyThreshold(threshold, metric, total)
                self._latencies.append((workload, threshold, latency))

    @property
    def is_empty(self) -> bool:
        """Whether there are none."""
        return not (self._latencies or self._counts) and self._operations.is_empty

    def open(self, iteration: CountedIteration) -> None:
        """An iteration begins."""
        self._operations.open(iteration)

    def record_operations(
        self, iteration: CountedIteration, decided: Iterable[OperationLife]
    ) -> None:
        """Nothing more happens to these operations, which are about to be let go."""
        self._operations.record(iteration, decided)

    def check(self, scopes: Iterable[CountedScope], now: float) -> ThresholdError | None:
        """What is lost by now, if anything is.

        Args:
            scopes: The iterations that are not closed yet.
            now: Seconds since the run's start.
        """
        scopes = list(scopes)
        for workload, _, latency in self._latencies:
            for scope in scopes:
                if workload in {None, scope.workload}:
                    latency.count(scope, now)
        lost = next(chain(self._lost(scopes), self._operations.lost(now)), None)
        return None if lost is None else ThresholdError(lost)

    def drop(self, scope: CountedScope, gone: Collection[ObjectLife]) -> None:
        """Take objects of an iteration that churn has deleted, before their rows are let go."""
        for workload, _, latency in self._latencies:
            if workload in {None, scope.workload}:
                latency.drop(scope, gone)

    def close(self, scope: CountedScope) -> None:
        """Take the last of an iteration, whose rows are about to be let go."""
        self._operations.close(scope)
        self._failed[scope.workload] += scope.failed
        for workload, _, latency in self._latencies:
            if workload in {None, scope.workload}:
                latency.close(scope)

    def _lost(self, scopes: Iterable[CountedScope]) -> Iterator[str]:
        for workload, threshold, latency in self._latencies:
            if latency.lost:
                yield (
                    f"{threshold_title(threshold, workload)} cannot be met any more: "
                    f"{latency.over} of {latency.total} have taken longer than {threshold.bound}, "
                    "or failed"
                )
        for workload, threshold in self._counts:
            count = self._count(workload, threshold.metric, scopes)
            bound = threshold.bound
            most = self._most(workload, bound)
            if most is not None and count > most:
                yield (
                    f"{threshold_title(threshold, workload)} cannot be met any more: it is "
                    f"{count}, and at most {bound} is wanted"
                )

    def _most(self, workload: str | None, bound: Bound) -> float | None:
        """How many are accepted; None while it is not known of how many that is a share."""
        if bound.unit is not Unit.PERCENT:
            return bound.value
        operations = self._operations.requested(workload)
        return None if operations is None else bound.of(self._objects[workload] + operations)

    def _count(self, workload: str | None, metric: str, scopes: Iterable[CountedScope]) -> int:
        if metric == "failed":
            ours = (each for each in scopes if workload in {None, each.workload})
            retired = self._failed.total() if workload is None else self._failed[workload]
            return retired + sum(scope.failed for scope in ours)
        calls = self._calls_of(workload)
        return calls.errors if metric == "apiErrors" else calls.retries
