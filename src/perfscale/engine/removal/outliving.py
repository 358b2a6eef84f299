"""Removes what generators make between the death of their coordinator and their own end.

Nobody can reach them then, and they end by themselves. So a removal before that is not the last.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

from perfscale.engine.removal.by_uid import RemovalByUid
from perfscale.engine.removal.cleanup import Removed, remove_run
from perfscale.engine.removal.inventory import take_inventory
from perfscale.engine.removal.search import Listing
from perfscale.engine.sharding.lease import OUTLIVES_S

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perfscale.engine.removal.cleanup import TimeBudget
    from perfscale.engine.removal.inventory import Inventory
    from perfscale.kube.client import Client
    from perfscale.kube.resources import Place
    from perfscale.results import Located

_WRITTEN_S: Final = 2.0
"""How old the last entry in the journal of a living coordinator may be."""
_AGAIN_S: Final = 2.0
"""How long after the removal it is checked whether somebody goes on making objects."""


def is_divided(present: Inventory, run_id: str) -> bool:
    """Whether several generators have made what there is of a run."""
    shares = (finding.runs.get(run_id) for finding in present.found.values())
    return any(share is not None and share.divided for share in shares)


def outlives_s(located: Located | None, *, divided: bool) -> float:
    """For how many seconds from now generators of a run may make more, if it was killed.

    Args:
        located: The run as its folder has it, if there is one.
        divided: Whether what there is of it says that there are several.
    """
    if not (divided or (located is not None and located.run.generators)):
        return 0.0
    if located is None:
        return OUTLIVES_S
    if located.has_ended():
        return 0.0
    return max(0.0, OUTLIVES_S + _WRITTEN_S - located.silent_s(time.time()))


async def remove_later(
    client: Client,
    places: list[Place],
    selector: str,
    budget: TimeBudget,
    until_s: float,
) -> Removed:
    """Wait until no generator can make more, and remove what they have made meanwhile.

    Args:
        client: The way to the cluster.
        places: Where the run's objects may be.
        selector: Its label.
        budget: The bound.
        until_s: When its generators have ended, on the loop's clock, if it was killed.

    Raises:
        ClusterError: Nothing at all could be listed.
    """
    undeleted: Mapping[Place, Exception] = {}
    try:
        found = await _look(client, places, selector, budget, until_s)
        if found.found:
            listing, strays = Listing(found, places), RemovalByUid(client, (), lambda _: None)
            removed = await remove_run(client, listing, selector, strays, budget)
            if removed.left or removed.timed_out:
                return removed
            undeleted = removed.undeleted
            again_s = asyncio.get_running_loop().time() + _AGAIN_S
            found = await _look(client, places, selector, budget, again_s)
    except TimeoutError:
        why = "the time was over before its generators had ended: they may have made more"
        return Removed(0, timed_out=True, undeleted=undeleted, reasons=(why,))
    goes_on = ("the run goes on, and makes more: stop it first",) if found.found else ()
    return Removed(found.count, False, undeleted, found.unseen, goes_on)


async def _look(
    client: Client, places: list[Place], selector: str, budget: TimeBudget, at_s: float
) -> Inventory:
    async with budget.spent():
        await asyncio.sleep(at_s - asyncio.get_running_loop().time())
        return await take_inventory(client, places, selector)
