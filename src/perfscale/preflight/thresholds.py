"""Thresholds that could never be met, because nothing of their kind will be there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from perfscale.config.operations import CREATE
from perfscale.config.sections.metrics import Latency
from perfscale.templates.scopes import group_of

if TYPE_CHECKING:
    from collections.abc import Collection, Container, Iterable, Iterator, Sequence

    from perfscale.config import Config, Threshold
    from perfscale.config.reading.source import KeyPath
    from perfscale.config.sections.metrics import Metric
    from perfscale.errors import Problem
    from perfscale.templates import ObjectFactory

GroupKind: TypeAlias = tuple[str, str]
"""API group and kind."""
_OF_OBJECTS: Final = frozenset({"unready", "leftover"})
_OF_OPERATIONS: Final = frozenset({"unfinished"})


def find_unmeasurable_thresholds(
    config: Config,
    factories: Sequence[Sequence[ObjectFactory]],
    served: Container[tuple[str, str]],
) -> Iterator[Problem]:
    """A problem for each threshold of what the run, or the workload, does not do.

    Args:
        config: The workload file.
        factories: Its compiled templates, by workload and object.
        served: The kinds, by ``apiVersion`` and name, that the cluster has.
    """
    all_done: set[str] = set()
    all_created: set[GroupKind] = set()
    all_followed: set[GroupKind] = set()
    churned: set[GroupKind] = set()
    for number, (workload, members) in enumerate(zip(config.workloads, factories, strict=True)):
        created = {
            (group_of(version), kind) for factory in members for version, kind in factory.kinds
        }
        made = [each for factory in members for each in factory.children().items()]
        followed = created.union(
            (group_of(version), kind)
            for key, kinds in made
            if key in served
            for version, kind in kinds
        )
        for index, threshold in enumerate(workload.thresholds):
            place: KeyPath = ("workloads", number, "thresholds", index, "metric")
            yield from _judge(config, place, threshold, created, followed)
            yield from _judge_churn(config, place, threshold, followed if workload.churn else ())
            yield from _judge_operation(config, place, threshold, {workload.operation})
        all_done.add(workload.operation)
        all_created |= created
        all_followed |= followed
        churned |= followed if workload.churn else set()
    for index, threshold in enumerate(config.global_config.thresholds):
        place = ("globalConfig", "thresholds", index, "metric")
        yield from _judge(config, place, threshold, all_created, all_followed)
        yield from _judge_churn(config, place, threshold, churned)
        yield from _judge_operation(config, place, threshold, all_done)


def _judge(
    config: Config,
    path: KeyPath,
    threshold: Threshold,
    created: Collection[GroupKind],
    followed: Collection[GroupKind],
) -> Iterator[Problem]:
    metric = threshold.measures
    kinds = created if metric.latency == Latency.CREATION else followed
    if metric.kind is not None and not metric.churn and not _is_among(metric, kinds):
        why = f"there will be no {metric.kind} to measure"
        yield config.problem(path, f"{metric.name} would have no sample: {why}")


def _is_among(metric: Metric, kinds: Iterable[GroupKind]) -> bool:
    return any(metric.is_about(kind, group) for group, kind in kinds)


def _judge_churn(
    config: Config, path: KeyPath, threshold: Threshold, churned: Collection[GroupKind]
) -> Iterator[Problem]:
    """Of what no churn replaces."""
    metric = threshold.measures
    if metric.churn and not _is_among(metric, churned):
        why = f"no churn replaces {metric.kind}: write churn in its workload"
        yield config.problem(path, f"{metric.name} would have no sample: {why}")


def _judge_operation(
    config: Config, path: KeyPath, threshold: Threshold, done: Collection[str]
) -> Iterator[Problem]:
    """Of an operation that is not done, or of outcomes that what is done does not have."""
    metric = threshold.measures
    what = " and ".join(sorted(done))
    if metric.operation is not None and metric.operation not in done:
        why = f"there will be no {metric.operation} to measure, only {what}"
    elif metric.name in _OF_OBJECTS and CREATE.name not in done:
        why = f"{what} makes no objects; operations are failed or unfinished"
    elif metric.name in _OF_OPERATIONS and done == {CREATE.name}:
        why = "creates are failed or unready"
    else:
        return
    yield config.problem(path, f"{metric.name} would have no sample: {why}")
