"""The moments at which something happens: a time since the start, or a request's number."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiohttp import web
    from aiohttp.typedefs import Handler


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
