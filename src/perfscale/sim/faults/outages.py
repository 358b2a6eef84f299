"""Outages: the API server is gone for a while, once or again and again."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Sequence

    from aiohttp import web
    from aiohttp.typedefs import Handler

    from perfscale.sim.faults.model import Outage
    from perfscale.sim.listening import Listener
    from perfscale.sim.store import Store


class Outages:
    """Lets the server go and come back, at its times or at requests of a number.

    One that is due while the server is gone already begins when it is back.

    Args:
        outages: The outages.
        store: What forgets its history where an outage says so.
        injected: Where to count them.
    """

    def __init__(self, outages: Sequence[Outage], store: Store, injected: Counter[str]) -> None:
        self._outages = outages
        self._store = store
        self._injected = injected
        self._requests = 0
        self._waiting: dict[int, list[asyncio.Event]] = {}
        self._turn = asyncio.Lock()

    @property
    def count_requests(self) -> bool:
        """Whether requests have to pass through here."""
        return any(outage.after_requests is not None for outage in self._outages)

    async def __call__(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Count a request, and let it be answered."""
        self._requests += 1
        for event in self._waiting.pop(self._requests, ()):
            event.set()
        return await handler(request)

    async def run(self, listener: Listener) -> None:
        """Lead the server through its outages; ends with the last."""
        async with asyncio.TaskGroup() as tasks:
            for number, outage in enumerate(self._outages):
                tasks.create_task(self._lead(outage, listener), name=f"outage {number}")

    async def _lead(self, outage: Outage, listener: Listener) -> None:
        await self._beginning(outage)
        while True:
            async with self._turn:
                self._injected["outages"] += 1
                await listener.go_away(resetting=outage.connections == "reset")
                await asyncio.sleep(outage.lasts)
                if outage.forgets:
                    self._store.compact()
                await listener.come_back()
            if outage.every is None:
                return
            await asyncio.sleep(outage.every - outage.lasts)

    async def _beginning(self, outage: Outage) -> None:
        if outage.after_requests is None:
            await asyncio.sleep(outage.after or 0.0)
            return
        event = asyncio.Event()
        self._waiting.setdefault(outage.after_requests, []).append(event)
        await event.wait()
