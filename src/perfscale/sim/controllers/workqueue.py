"""The items that need a look, each at most once, and none at two workers at a time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from perfscale.sim.controllers.schedule import Item


class Meter(Protocol):
    """Who wants to know what goes through a work queue."""

    def added(self, item: Item) -> None:
        """An item has begun to wait."""

    def taken(self, item: Item) -> None:
        """An item waits no more."""


class WorkQueue:
    """First in, first out; what is added while it is being worked on comes again after.

    So an item's worker never races with itself, and however many events an object had in
    the meantime, reconciling its latest version once is enough.

    Args:
        meter: Follows the queue.
    """

    def __init__(self, meter: Meter | None = None) -> None:
        self._meter = meter
        self._queue: asyncio.Queue[Item] = asyncio.Queue()
        self._waiting: set[Item] = set()
        self._busy: set[Item] = set()

    def add(self, item: Item) -> None:
        """Queue the item, if it is not in the queue already."""
        if item in self._waiting:
            return
        self._waiting.add(item)
        if self._meter is not None:
            self._meter.added(item)
        if item not in self._busy:
            self._queue.put_nowait(item)

    async def get(self) -> Item:
        """Take the next item; `done` must follow."""
        item = await self._queue.get()
        self._waiting.discard(item)
        self._busy.add(item)
        if self._meter is not None:
            self._meter.taken(item)
        return item

    def done(self, item: Item) -> None:
        """Give back an item that `get` returned."""
        self._busy.discard(item)
        if item in self._waiting:
            self._queue.put_nowait(item)
