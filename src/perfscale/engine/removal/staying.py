"""Objects that stay at the end of a run: looked at once more, and their children."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from perfscale.engine.concurrency import run_bounded
from perfscale.engine.tracking.readiness import ACCEPTED
from perfscale.errors import ApiError, ClusterError
from perfscale.kube.decoding import version_number
from perfscale.kube.listing import page_decoder, read_pages

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from perfscale.engine.context import RunContext
    from perfscale.engine.removal.verification import ObjectVerifier
    from perfscale.engine.tracking.rows import IterationScope, TrackedObject
    from perfscale.kube.listing import Page
    from perfscale.kube.resources import Place

_STAYING_S: Final = 30.0
_BEHIND_S: Final = 1.0
"""How far one watch may be behind another."""
_LISTS: Final = 4


async def verify_staying(context: RunContext, verifier: ObjectVerifier) -> None:
    """Find what has failed or gone of the objects that were waited for and stay.

    An object that was ready has failed if it ends, or somebody deletes it, before the run deletes
    it. The watches show the end of one that stays a moment late: the run would be over by then.
    Where it cannot be found out, there is a warning, and what the watches have shown counts.
    """
    waited_for = {each.name for each in context.config.workloads if each.waits_for_creation}
    staying = [
        scope
        for scope in context.tracker.open_scopes()
        if scope.workload in waited_for and scope.present and not scope.deletion_requested
    ]
    if not staying:
        return
    created = {resource.name for resource in context.plan.resources.values()}
    reads = [
        partial(_read_ends if place.resource.name in created else _read_unseen, context, place)
        for place in context.places
    ]
    try:
        async with asyncio.timeout(_STAYING_S):
            await run_bounded(reads, limit=_LISTS)
            await _see_children_ready(context, staying)
            for scope in staying:
                await verifier.wait_until_known(scope)
    except (TimeoutError, ApiError, ClusterError) as error:
        why = str(error) or f"no answer within {_STAYING_S:g} s"
        context.warn(f"the objects that stay could not be looked at once more: {why}")


async def _see_children_ready(context: RunContext, scopes: Iterable[IterationScope]) -> None:
    """Wait a moment for children that their owners are ahead of.

    A child is ready before its owner is; but each kind has a watch of its own, and that of the
    owners may be the quicker one.
    """
    waiting = [child for scope in scopes for child in scope.children]

    def are_seen() -> bool:
        while waiting and not _may_become_ready(waiting[-1]):
            waiting.pop()
        return not waiting

    await context.changed.wait_until(are_seen, timeout_s=_BEHIND_S)


def _may_become_ready(child: TrackedObject) -> bool:
    return child.present and child.ready_s is None and child.error is None


def _read(context: RunContext, place: Place) -> AsyncIterator[Page[Any]]:
    """All of the run that is in a place, as its watch decodes it."""
    return read_pages(
        context.client,
        place.resource,
        page_decoder(context.rules.of(place.resource).decoder),
        namespace=place.namespace,
        label_selector=context.selector,
    )


async def _read_unseen(context: RunContext, place: Place) -> None:
    """Take children from a list that no watch has shown yet: they count, however late it is."""
    resource, rule = place.resource, context.rules.of(place.resource)
    async for page in _read(context, place):
        now = context.stopwatch.now()
        for obj in page.items:
            metadata = obj.metadata
            if not context.tracker.has_seen(metadata.uid):
                reading = ACCEPTED if rule.read is None else rule.read(obj)
                context.publish(
                    context.tracker.observe(resource, "MODIFIED", metadata, reading, now)
                )


async def _read_ends(context: RunContext, place: Place) -> None:
    """Take the ends of objects from a list, page by page; what it does not hold may be gone."""
    resource, rules = place.resource, context.rules
    rule = rules.of(resource)
    seen: set[str] = set()
    version = ""
    async for page in _read(context, place):
        if page.first:
            seen.clear()
        version, now = page.version, context.stopwatch.now()
        for obj in page.items:
            metadata = obj.metadata
            seen.add(metadata.uid)
            reading = ACCEPTED if rule.read is None else rule.read(obj)
            if metadata.deletion_timestamp is not None or rules.has_failed(resource, reading):
                context.publish(
                    context.tracker.observe(resource, "MODIFIED", metadata, reading, now)
                )
    now = context.stopwatch.now()
    context.publish(context.tracker.reconcile(place, (), version_number(version), now, seen=seen))
