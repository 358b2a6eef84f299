"""What a workload is going to do, in a line."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from perfscale.config import counted
from perfscale.config.sections.shape import mean_rate
from perfscale.kube.resources import kind_names
from perfscale.templates import (
    count_churned,
    count_objects,
    count_requests,
    objects_of_iteration,
    outline_workload,
    target_kind,
)
from perfscale.templates.scopes import group_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from perfscale.config import Config, Workload
    from perfscale.preflight import Factories
    from perfscale.results import WorkloadPlan
    from perfscale.templates import ObjectFactory, RequestCount, WorkloadOutline


_HUGE: Final = 10_000_000
"""Objects: etcd holds no more of the smallest ones in its 8 GiB.
https://etcd.io/docs/v3.5/dev-guide/limit/"""


def describe_workload(
    workload: WorkloadPlan | WorkloadOutline, operation: str | None, churned: str = ""
) -> str:
    """Describe a workload by its plan, or by what its file says.

    Args:
        workload: The plan or outline.
        operation: What it does to which objects; None where it creates some.
        churned: How much its churn replaces.
    """
    objects = ", ".join(f"{count} {kind}" for kind, count in workload.objects.items())
    does = objects if operation is None else operation
    iterations = f" in {workload.iterations} iterations" if workload.iterations > 1 else ""
    beside = f", {workload.churn}{churned}" if workload.churn else ""
    beside += ", in the background" if workload.background else ""
    if workload.shape:
        most = "at most " if workload.ends and workload.objects else ""
        return f"{most}{does}{iterations}, {workload.shape}{beside}"
    rate = (
        f"at {workload.qps:g}/s, {workload.burst} at once"
        if workload.qps
        else "as fast as the cluster takes them"
    )
    return f"{does}{iterations}, {rate}{beside}"


def describe_requests(requests: RequestCount) -> str:
    """As in ``, at most 50 requests``; empty where nothing is known of their number."""
    many = ""
    if requests.most is not None:
        many = f", {'' if requests.sure else 'at most '}{counted(requests.most, 'request')}"
    return f"{many}, until no other load is left" if requests.endless else many


def describe_file(config: Config, factories: Factories) -> Iterator[str]:
    """How many objects a file asks for, and a line for each of its workloads."""
    objects: Counter[tuple[str, str]] = Counter()
    for members in factories:
        objects.update(count_objects(members))
    called = kind_names((group_of(version), kind) for version, kind in objects)
    names = {(version, kind): called[group_of(version), kind] for version, kind in objects}
    by_name: Counter[str] = Counter()
    for key, count in objects.items():
        by_name[names[key]] += count
    source = config.source
    total = "".join(f", {count} {name}" for name, count in by_name.items())
    reading = f"; read as {source.reading}" if source.reading else ""
    yield f"{source.name}: valid; {counted(len(config.workloads), 'workload')}{total}{reading}"
    for workload, members in zip(config.workloads, factories, strict=True):
        outline = outline_workload(workload, members, names)
        does = _operation(config, factories, workload)
        yield f"  {workload.name}: {describe_workload(outline, does, _churned(members))}"
    yield from (f"  note: {each}" for each in source.notes)


def huge_workloads(factories: Factories) -> Iterator[str]:
    """A warning with its arithmetic for each workload that creates more than any cluster has."""
    for members in factories:
        total = count_objects(members).total()
        if total <= _HUGE:
            continue
        workload = members[0].workload
        in_each = objects_of_iteration(members, 1).total()
        of_what = f"{workload.iteration_count:,} iterations of up to {in_each:,}"
        rate = mean_rate(workload, in_each)
        days = f", which take {total / rate / 86_400:,.0f} days at {rate:g}/s" if rate else ""
        yield f"{workload.name} creates {total:,} objects, in {of_what}{days}"


def _operation(config: Config, factories: Factories, workload: Workload) -> str | None:
    key = target_kind(config, factories, workload)
    if key is None:
        return None
    requests = count_requests(config, factories, workload)
    return f"{workload.operation} {key[1]}{describe_requests(requests)}"


def _churned(members: Sequence[ObjectFactory]) -> str:
    """As in `` (100 of 1000 replicas in each, 4000 in all)``."""
    count = count_churned(members)
    churn = members[0].workload.churn if members else None
    if count is None or churn is None:
        return ""
    what = "replicas" if churn.replaces_objects else "iterations"
    total = f", {count.replaced * churn.rounds} in all" if churn.rounds else ""
    return f" ({count.replaced} of {count.present} {what} in each{total})"
