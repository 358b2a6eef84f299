"""The page of a run that has not begun."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from workloads import config

from perfscale.engine.events import Broadcast
from perfscale.live import LivePage, WebAddress, serve_page

TOKEN = "0123456789abcdef"  # noqa: S105 -- of no server


@asynccontextmanager
async def served(token: str | None = None, host: str = "127.0.0.1") -> AsyncIterator[LivePage]:
    events, address = Broadcast().subscribe(), WebAddress(host, 0, token)
    async with serve_page(address, events, lambda: None, lambda: None, config()) as page:
        page.url = page.url.replace("0.0.0.0", "127.0.0.1")  # noqa: S104 -- it has a token
        yield page
