"""Serves the metrics of a run on loopback, in the run's own event loop."""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST

from perfscale.errors import UsageError
from perfscale.exporter.metrics import RunMetrics
from perfscale.loopback import own_address_only

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from perfscale.engine.snapshot import RunSnapshot

_HOST: Final = "127.0.0.1"
_PATH: Final = "/metrics"
_SHUTDOWN_S: Final = 1.0
"""How long an answer under way may take when the context ends."""


@asynccontextmanager
async def serve_metrics(
    snapshot: Callable[[], RunSnapshot | None], *, port: int = 0
) -> AsyncIterator[str]:
    """Serve the metrics of a run on loopback for as long as the context lives.

    Args:
        snapshot: Where the run stands: `LoadGenerator.snapshot`.
        port: The port on 127.0.0.1; 0 takes a free one.

    Yields:
        The URL of the metrics.

    Raises:
        UsageError: The port cannot be listened on.
    """
    metrics = RunMetrics(snapshot)

    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=metrics.text(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app = web.Application(middlewares=[own_address_only(_HOST)])
    app.router.add_get(_PATH, answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_S)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, _HOST, port).start()
        except OSError as error:
            raise UsageError(
                f"metrics: cannot listen on {_HOST}:{port}: {_reason(error)}",
                hint="give another port, or 0 for a free one",
            ) from error
        yield f"http://{_HOST}:{runner.addresses[0][1]}{_PATH}"
    finally:
        await runner.cleanup()


def _reason(error: OSError) -> str:
    """Why, without the address that asyncio puts into the text."""
    return os.strerror(error.errno).lower() if error.errno else str(error)
