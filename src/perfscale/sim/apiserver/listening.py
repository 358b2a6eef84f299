"""The server's port: listening there, going away for a while, and coming back to it."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Final

from aiohttp import web

# How long requests under way may take when the server stops.
_SHUTDOWN_S: Final = 1.0
# Of the loop: to make a connection, and to choose its protocol.
_TURNS: Final = 3
# A load engine opens hundreds of connections at once.
_BACKLOG: Final = 1024
# struct linger: on, with no time to linger: closing then sends a reset (socket(7)).
_NO_FAREWELL: Final = struct.pack("ii", 1, 0)


def reset(transport: asyncio.BaseTransport | None) -> None:
    """Close a connection without a farewell: the other side sees ``connection reset``."""
    if transport is None or transport.is_closing():
        return
    connection = transport.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_FAREWELL)
    # Those of uvloop are transports without being of asyncio's classes.
    if hasattr(transport, "abort"):
        transport.abort()


class _Resetting(asyncio.Protocol):
    """Takes every connection, and breaks it."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        reset(transport)


class Listener:
    """An application on a port of this machine.

    Port 0 takes a free one, and keeps it while the listener is away.
    """

    def __init__(self, app: web.Application, host: str, port: int) -> None:
        self._app = app
        self._host = host
        self._port = port
        self._address: tuple[str, int] | None = None
        self._runner: web.AppRunner | None = None
        self._site: web.TCPSite | None = None
        self._placeholder: socket.socket | None = None
        self._resetting: asyncio.Server | None = None

    @property
    def url(self) -> str:
        """Where it listens, also while it is away."""
        if self._address is None:
            raise RuntimeError("the server does not listen: enter its context first")
        host, port = self._address
        return f"http://{host}:{port}"

    async def start(self) -> None:
        """Listen; raises `OSError` if the port is taken."""
        # A watch whose client has gone must not wait for the next event to notice.
        runner = web.AppRunner(
            self._app, access_log=None, handler_cancellation=True, shutdown_timeout=_SHUTDOWN_S
        )
        self._runner = runner
        await runner.setup()
        try:
            self._site = await self._listen(runner, self._port)
        except BaseException:
            await self.stop()
            raise
        host, port = runner.addresses[0][:2]
        self._address = (host, port)

    async def stop(self) -> None:
        """Finish the requests under way, and stop listening."""
        self._stand_down()
        self._site = self._address = None
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def go_away(self, *, resetting: bool = False) -> None:
        """Break every connection and take no more, as a server does that is killed.

        With `resetting`, new connections are taken and broken, instead of refused.
        """
        if self._site is None or self._runner is None or self._address is None:
            return
        site, self._site = self._site, None
        await self._accept_no_more(site)
        await site.stop()
        # Bound without listening: the port stays ours, and connections to it are refused.
        self._placeholder = socket.socket()
        self._placeholder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._placeholder.bind(self._address)
        for connection in self._runner.server.connections if self._runner.server else ():
            reset(connection.transport)
        if resetting:
            self._resetting = await asyncio.get_running_loop().create_server(
                _Resetting, *self._address, backlog=_BACKLOG, reuse_address=True
            )

    async def come_back(self) -> None:
        """Listen again, after `go_away`."""
        if self._site is not None or self._runner is None or self._address is None:
            return
        if self._resetting is not None:
            self._resetting.close()
        self._site = await self._listen(self._runner, self._address[1])
        self._stand_down()

    @staticmethod
    async def _accept_no_more(site: web.TCPSite) -> None:
        """Let the connections that were taken be made before the server closes.

        asyncio takes a connection in one turn of its loop and makes its transport
        in the next. If the server closes in between, the transport is lost, and
        its socket stays open: https://github.com/python/cpython/issues/109564
        """
        loop = asyncio.get_running_loop()
        server = site._server  # noqa: SLF001 -- there is no other way to its sockets
        for listening in server.sockets if isinstance(server, asyncio.Server) else ():
            loop.remove_reader(listening.fileno())
        for _ in range(_TURNS):
            await asyncio.sleep(0)

    async def _listen(self, runner: web.AppRunner, port: int) -> web.TCPSite:
        site = web.TCPSite(runner, self._host, port, backlog=_BACKLOG, reuse_address=True)
        await site.start()
        return site

    def _stand_down(self) -> None:
        if self._resetting is not None:
            self._resetting.close()
            self._resetting = None
        if self._placeholder is not None:
            self._placeholder.close()
            self._placeholder = None
