"""What a workload's operations are done to, found once when it begins."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple
from zlib import crc32

from perfscale.config.operations import Request
from perfscale.engine.sharding.coordination import Arrival, Moment
from perfscale.engine.tracking.readiness import AnyObject
from perfscale.errors import RunFailedError
from perfscale.kube.listing import page_decoder, read_pages
from perfscale.kube.resources import NAMESPACES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping, Sequence

    from perfscale.config import Workload
    from perfscale.config.sections.operating.targets import Targets
    from perfscale.engine.context import RunContext
    from perfscale.engine.sharding.shard import Shard
    from perfscale.engine.tracking.rows import TrackedObject
    from perfscale.preflight import OperationPlan

_PAGE: Final = page_decoder(AnyObject)


@dataclass(frozen=True, slots=True)
class Target:
    """One object, or one collection, which has no name.

    Attributes:
        namespace: None for a cluster-scoped object, and for a collection of all namespaces.
        name: None for a collection.
        uid: None for a collection.
        index: Counted from 1.
        labels: Its own, for patches, and of objects that the run did not make.
        row: What the run knows of it, if it made it.
        is_namespace: Whether what is in it goes with it.
    """

    namespace: str | None
    name: str | None = None
    uid: str | None = None
    index: int = 1
    labels: Mapping[str, str] | None = None
    row: TrackedObject | None = None
    is_namespace: bool = False


class _Found(NamedTuple):
    namespace: str | None
    name: str
    uid: str
    labels: Mapping[str, str] | None
    row: TrackedObject | None


async def find_targets(
    context: RunContext, workload: Workload, plan: OperationPlan, seed: int | None
) -> list[Target]:
    """List what a workload's operations are done to.

    Args:
        context: The run's.
        workload: The workload.
        plan: What the preflight found out about it.
        seed: Of the draw, where only some of them are meant; None draws at random.

    Raises:
        RunFailedError: There is nothing to do it to.
        ApiError: They cannot be listed.
        ClusterError: The cluster cannot be reached.
    """
    targets = workload.targets
    if targets is None:
        raise ValueError(f"{workload.name} has no targets")
    reads = plan.operation.request in {Request.LIST, Request.WATCH}
    if reads and targets.workload is None:
        return [Target(plan.namespace)]
    found = await _found(context, targets, plan)
    namespaces = dict.fromkeys(each.namespace for each in found) if reads else {}
    named = tuple(name for name in namespaces if name is not None)
    arrival = Arrival(count=len(found), names=named)
    release = await context.reach(Moment.TARGETS, workload, arrival=arrival)
    if not sum(release.counts) and not targets.optional:
        raise RunFailedError(f"{workload.name}: {_missing(targets, plan)}")
    if reads:
        ordered = list(namespaces)
        if not context.shard.is_whole:
            ordered = sorted({*namespaces, *release.names}, key=str)
        return [Target(namespace, index=n) for n, namespace in enumerate(ordered, start=1)]
    wanted = _wanted(sum(release.counts), targets)
    before, own = _drawn(context.shard, wanted, release.counts)
    is_namespace = plan.target.name == NAMESPACES.name
    return [
        Target(each.namespace, each.name, each.uid, n, each.labels, each.row, is_namespace)
        for n, each in enumerate(draw(found, own, workload.name, seed), start=before + 1)
    ]


def _wanted(total: int, targets: Targets) -> int:
    """How many are meant of all that are there."""
    if targets.count is not None:
        return min(total, targets.count)
    if targets.share is not None:
        return math.ceil(targets.share * total - 1e-9)
    return total


def _drawn(shard: Shard, wanted: int, counts: tuple[int, ...]) -> tuple[int, int]:
    """How many shards before this one draw, and how many this one does."""
    if shard.is_coordinator:
        return 0, 0
    before = sum(counts[: shard.index])
    return wanted * before // (sum(counts) or 1), shard.draw(wanted, counts)


async def _found(context: RunContext, targets: Targets, plan: OperationPlan) -> list[_Found]:
    """Everything that is meant; a patch may look at labels, which the run does not keep."""
    if context.shard.is_coordinator:
        return []
    is_made = targets.workload is not None
    if is_made and plan.operation.request is not Request.PATCH:
        return list(_own(context, targets, plan))
    shard = context.shard
    listed = [each async for each in _listed(context, plan)]
    if not plan.own and not shard.is_whole:
        # Lists differ from generator to generator where others create and delete: what decides
        # whose an object is must be its own.
        listed = [each for each in listed if crc32(each.uid.encode()) % shard.count == shard.index]
    if not is_made:
        return listed
    return [each for each in listed if each.row is not None and not each.row.is_child]


def draw(found: Sequence[_Found], wanted: int, workload: str, seed: int | None) -> list[_Found]:
    """As many as are meant, in their own order; the same for the same seed."""
    if wanted == len(found):
        return list(found)
    ordered = sorted(range(len(found)), key=lambda n: (str(found[n].namespace), found[n].name))
    chance = random.Random(None if seed is None else f"{seed}/{workload}")  # noqa: S311
    return [found[n] for n in sorted(chance.sample(ordered, wanted))]


def _own(context: RunContext, targets: Targets, plan: OperationPlan) -> Iterator[_Found]:
    """What an earlier workload of the run made and is still there."""
    for scope in context.tracker.open_scopes():
        if scope.workload != targets.workload:
            continue
        for row in scope.objects:
            is_there = row.present and row.deletion_timestamp is None
            if (
                is_there
                and row.delete_requested_s is None
                and row.resource.name == plan.target.name
            ):
                yield _Found(row.namespace, row.name, row.uid or "", None, row)


async def _listed(context: RunContext, plan: OperationPlan) -> AsyncIterator[_Found]:
    found: list[_Found] = []
    pages = read_pages(
        context.client,
        plan.target,
        _PAGE,
        namespace=plan.namespace,
        label_selector=plan.selector,
    )
    rows = _rows(context)
    async for page in pages:
        if page.first:
            found.clear()
        for item in page.items:
            metadata = item.metadata
            if metadata.deletion_timestamp is None:
                labels = metadata.labels
                row = rows.get(metadata.uid)
                found.append(_Found(metadata.namespace, metadata.name, metadata.uid, labels, row))
    for each in found:
        yield each


def _rows(context: RunContext) -> dict[str, TrackedObject]:
    """The run's own by their UIDs, children too: a selector may mean them."""
    scopes = context.tracker.open_scopes()
    return {row.uid: row for scope in scopes for row in scope.rows if row.uid is not None}


def _missing(targets: Targets, plan: OperationPlan) -> str:
    kind = plan.target.kind_name
    if targets.workload is not None:
        return f"no {kind} of workload {targets.workload} is there"
    where = f" in namespace {targets.namespace}" if targets.namespace else ""
    which = f" with {targets.label_selector}" if targets.label_selector else ""
    return f"there is no {kind}{where}{which}"
