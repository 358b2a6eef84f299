"""When faults happen: at a time since the server's start, or at a request's number."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

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


class Uptime:
    """How long the server has been there.

    Args:
        clock: Monotonic, in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began_s: float | None = None

    def begin(self) -> None:
        """The server has started."""
        self._began_s = self._clock()

    def is_within(self, after_s: float, lasts_s: float | None) -> bool:
        """Whether it is so long since the start, and not longer than it lasts."""
        if not after_s and lasts_s is None:
            return True
        if self._began_s is None:
            return False
        since_s = self._clock() - self._began_s - after_s
        return since_s >= 0 and (lasts_s is None or since_s < lasts_s)
