"""What a generator has left that was lost: objects of which it has said nothing."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Final

from perfscale.config.labels import (
    ITERATION_LABEL,
    RUN_LABEL,
    SHARD_LABEL,
    WORKLOAD_LABEL,
    selector_of,
)
from perfscale.engine.tracking.readiness import AnyObject
from perfscale.errors import PerfscaleError
from perfscale.kube.listing import page_decoder, read_pages
from perfscale.kube.resources import NAMESPACES, Place
from perfscale.results import LostObjectsEntry

if TYPE_CHECKING:
    from perfscale.engine.context import RunContext
    from perfscale.results import Replay

_LISTING_S: Final = 30.0
_DECODER: Final = page_decoder(AnyObject)


async def find_lost_objects(
    context: RunContext, replay: Replay, shard: int
) -> list[LostObjectsEntry]:
    """Find what is there of a generator's and is in no entry of its.

    What cannot be listed in time is a warning: it is not counted then.
    """
    found: dict[int, Counter[str]] = {}
    selector = selector_of({RUN_LABEL: context.run_id, SHARD_LABEL: str(shard)})
    created = {resource.name for resource in context.plan.resources.values()}
    try:
        async with asyncio.timeout(_LISTING_S):
            for place in context.plan.places:
                if place != Place(NAMESPACES) and place.resource.name in created:
                    await _list(context, place, selector, replay, shard, found)
    except (TimeoutError, PerfscaleError) as error:
        why = str(error) or f"no answer within {_LISTING_S:g} s"
        context.warn(f"what generator {shard} has left could not all be counted: {why}")
    return [LostObjectsEntry(number, dict(counts)) for number, counts in found.items()]


async def _list(
    context: RunContext,
    place: Place,
    selector: str,
    replay: Replay,
    shard: int,
    found: dict[int, Counter[str]],
) -> None:
    pages = read_pages(
        context.client,
        place.resource,
        _DECODER,
        namespace=place.namespace,
        label_selector=selector,
    )
    seen: dict[str, tuple[str, str]] = {}
    async for page in pages:
        if page.first:
            seen.clear()
        for item in page.items:
            labels = item.metadata.labels or {}
            if not item.metadata.owner_references:  # else a controller has made it
                where = labels.get(WORKLOAD_LABEL, ""), labels.get(ITERATION_LABEL, "")
                seen[item.metadata.uid] = where
    known = replay.uids_of(shard)
    for uid, (workload, iteration) in seen.items():
        number = replay.part_of(shard, workload, iteration)
        if uid not in known and number is not None:
            found.setdefault(number, Counter())[place.resource.kind_name] += 1
