"""Looks once more at what stays in the cluster when the load is over.

An object that was ready has failed if it ends, or somebody deletes it, before the run asks it to
go. Of one that stays nothing is asked, and the watches tell of its end a moment late: the run
would be over by then.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Final

from perfscale.engine.concurrency import run_bounded
from perfscale.engine.tracking.readiness import ACCEPTED, rule_for
from perfscale.errors import ApiError, ClusterError
from perfscale.kube.decoding import version_number
from perfscale.kube.listing import page_decoder, read_pages

if TYPE_CHECKING:
    from perfscale.engine.context import RunContext
    from perfscale.engine.removal.inspection import Inspector
    from perfscale.kube.resources import Place

_BOUND_S: Final = 30.0
_CONCURRENCY: Final = 4


async def look_again(context: RunContext, inspector: Inspector) -> None:
    """Find what has failed or gone of the objects that were waited for and stay.

    Where that cannot be found out, it is said, and what the watches have told counts.
    """
    waited_for = {each.name for each in context.config.workloads if each.iteration_creation_wait}
    staying = [
        scope
        for scope in context.tracker.open_scopes()
        if scope.workload in waited_for and scope.present and not scope.deletion_requested
    ]
    if not staying:
        return
    created = {resource.name for resource in context.plan.resources.values()}
    places = [place for place in context.plan.places if place.resource.name in created]
    try:
        async with asyncio.timeout(_BOUND_S):
            await run_bounded(
                (partial(_look, context, each) for each in places), limit=_CONCURRENCY
            )
            for scope in staying:
                await inspector.wait_until_known(scope)
    except (TimeoutError, ApiError, ClusterError) as error:
        why = str(error) or f"no answer within {_BOUND_S:g} s"
        context.warn(f"the objects that stay could not be looked at once more: {why}")


async def _look(context: RunContext, place: Place) -> None:
    """Take the ends of objects from a list, page by page; what it does not hold may be gone."""
    resource, rule = place.resource, rule_for(place.resource)
    seen: set[str] = set()
    version = ""
    pages = read_pages(
        context.client,
        resource,
        page_decoder(rule.decoder),
        namespace=place.namespace,
        label_selector=context.selector,
    )
    async for page in pages:
        if page.first:
            seen.clear()
        version, now = page.version, context.stopwatch.now()
        for obj in page.items:
            metadata = obj.metadata
            seen.add(metadata.uid)
            reading = ACCEPTED if rule.read is None else rule.read(obj)
            if reading.failure is not None or metadata.deletion_timestamp is not None:
                context.publish(
                    context.tracker.observe(resource, "MODIFIED", metadata, reading, now)
                )
    now = context.stopwatch.now()
    context.publish(context.tracker.reconcile(place, (), version_number(version), now, seen=seen))
