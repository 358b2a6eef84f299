"""Removes what a run has left within a bound, and finds out what keeps the rest.

What there is has been listed before: a person may have been shown it, and asked.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from perfscale.engine.removal.inventory import take_inventory
from perfscale.engine.removal.leftovers import describe_leftovers, reserved_s
from perfscale.engine.removal.removal import Removal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from perfscale.engine.removal.by_uid import RemovalByUid
    from perfscale.engine.removal.search import Listing
    from perfscale.kube.client import Client
    from perfscale.kube.resources import Place


class TimeBudget:
    """The bound on several steps together; what happens between them costs nothing.

    Args:
        bound_s: For all of them, in seconds.
    """

    def __init__(self, bound_s: float) -> None:
        self.bound_s = bound_s
        self._left_s = bound_s

    @asynccontextmanager
    async def spent(self, *, keeping_s: float = 0.0) -> AsyncIterator[None]:
        """Bound a step by what is left, less what is kept for later ones.

        Raises:
            TimeoutError: It took longer.
        """
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        try:
            async with asyncio.timeout(max(0.0, self._left_s - keeping_s)):
                yield
        finally:
            self._left_s -= loop.time() - began_s


@dataclass(frozen=True)
class Removed:
    """What the removal of a run came to.

    Attributes:
        left: How many objects are still there.
        timed_out: Whether it took longer than the bound.
        reasons: What keeps those that are there, a sentence for each group.
        unseen: Places that could not be listed, and why.
        undeleted: Places whose objects could not be deleted, and why.
    """

    left: int
    timed_out: bool
    undeleted: Mapping[Place, Exception]
    unseen: Mapping[Place, Exception] = field(default_factory=dict)
    reasons: tuple[str, ...] = ()


async def remove_run(
    client: Client, listing: Listing, selector: str, strays: RemovalByUid, time: TimeBudget
) -> Removed:
    """Delete what a run has left, and wait until it is gone or the time is over.

    Args:
        client: The way to the cluster.
        listing: What was found of the run.
        selector: Its label.
        strays: Its objects that have lost the label.
        time: The bound, of which some is kept to find out what is left.

    Raises:
        ClusterError: Nothing at all could be listed.
    """
    removal = Removal(client, listing.places, selector)
    try:
        async with time.spent(keeping_s=reserved_s(time.bound_s)):
            await removal.run()
            await strays.run()
    except TimeoutError:
        timed_out = True
    else:
        timed_out = False
        if not removal.last.found and not strays.left:
            return Removed(0, timed_out, removal.undeleted, removal.last.unseen)
    # A server that did not answer in time has what it was seen to have.
    found = removal.last if removal.last.versions else listing.present
    unseen = {} if timed_out else removal.last.unseen
    reasons: list[str] = []
    try:
        async with time.spent():
            found = await take_inventory(client, listing.places, selector)
            reasons = await describe_leftovers(client, found)
    except TimeoutError:
        reasons.append("there was no time to find out what keeps them")
    left = found.count + len(strays.left)
    return Removed(left, timed_out, removal.undeleted, unseen, tuple(reasons))
