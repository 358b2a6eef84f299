"""Outages: the API server is gone for a while, and may come back with an older state."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Sequence

    from aiohttp import web
    from aiohttp.typedefs import Handler

    from perfscale.sim.apiserver.listening import Listener
    from perfscale.sim.faults.model import Outage, Restoration
    from perfscale.sim.storage.store import Store


class Moments:
    """Counts the requests, for those who wait for one of them; a middleware."""

    def __init__(self) -> None:
        self._requests = 0
        self._waiting: dict[int, list[asyncio.Event]] = {}

    async def __call__(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Count a request, and let it be answered."""
        self._requests += 1
        for event in self._waiting.pop(self._requests, ()):
            event.set()
        return await handler(request)

    async def until(
        self, began_s: float, after_s: float | None, after_requests: int | None
    ) -> None:
        """Wait for the time (since `began_s` of the loop's clock), or else the request."""
        if after_requests is None:
            await asyncio.sleep(began_s + (after_s or 0.0) - asyncio.get_running_loop().time())
        elif after_requests > self._requests:
            event = asyncio.Event()
            self._waiting.setdefault(after_requests, []).append(event)
            await event.wait()


class Outages:
    """Lets the server go and come back, at its times or at requests of a number.

    One that is due while the server is gone already begins when it is back.
    """

    def __init__(
        self,
        outages: Sequence[Outage],
        restored: Restoration | None,
        store: Store,
        moments: Moments,
        injected: Counter[str],
    ) -> None:
        self._outages = outages
        self._restored = restored
        self._store = store
        self._moments = moments
        self._injected = injected
        self._turn = asyncio.Lock()

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self._outages) or self._restored is not None

    @property
    def count_requests(self) -> bool:
        """Whether requests have to be counted."""
        numbers = [outage.after_requests for outage in self._outages]
        if self._restored is not None:
            numbers += [self._restored.copy_after_requests, self._restored.after_requests]
        return any(number is not None for number in numbers)

    async def run(self, listener: Listener) -> None:
        """Lead the server through its outages; ends with the last."""
        began_s = asyncio.get_running_loop().time()
        async with asyncio.TaskGroup() as tasks:
            for number, outage in enumerate(self._outages):
                leading = self._lead(outage, listener, began_s)
                tasks.create_task(leading, name=f"outage {number}")
            if self._restored is not None:
                restoring = self._restore(self._restored, listener, began_s)
                tasks.create_task(restoring, name="restoration")

    async def _lead(self, outage: Outage, listener: Listener, began_s: float) -> None:
        await self._moments.until(began_s, outage.after, outage.after_requests)
        forget = self._store.compact if outage.forgets else None
        resetting = outage.connections == "reset"
        while True:
            await self._go("outages", listener, outage.lasts, forget, resetting=resetting)
            if outage.every is None:
                return
            await asyncio.sleep(outage.every - outage.lasts)

    async def _restore(self, restored: Restoration, listener: Listener, began_s: float) -> None:
        await self._moments.until(began_s, restored.copy_after, restored.copy_after_requests)
        backup = self._store.backup()
        await self._moments.until(began_s, restored.after, restored.after_requests)
        put_back = partial(self._store.restore, backup)
        await self._go("restored", listener, restored.lasts, put_back)

    async def _go(
        self,
        counted_as: str,
        listener: Listener,
        lasts_s: float,
        before_return: Callable[[], None] | None,
        *,
        resetting: bool = False,
    ) -> None:
        async with self._turn:
            self._injected[counted_as] += 1
            await listener.go_away(resetting=resetting)
            await asyncio.sleep(lasts_s)
            if before_return is not None:
                before_return()
            await listener.come_back()
