"""Connections that are really closed when they are said to be.

Closing a TLS connection takes a farewell from the other side, and aiohttp does
not wait for those of connections that it gave up one by one: cancelled
requests and watches. An event loop that ends right after the session would
leave them, and their sockets, behind.
"""

from __future__ import annotations

import asyncio
import socket
import weakref
from typing import TYPE_CHECKING, Final

import aiohttp

if TYPE_CHECKING:
    import ssl

_FAREWELL_S: Final = 2.0
"""How long the other side may take; a server that is gone says nothing at all."""
_LOOK_AGAIN_S: Final = 0.005

_AddressInfo = tuple[int | socket.AddressFamily, int | socket.SocketKind, int, str, object]


class Connector(aiohttp.TCPConnector):
    """aiohttp's connector, whose ``close`` returns once every socket is closed.

    Args:
        tls: For https servers.
        limit: Most connections at a time; 0 for no bound.
        keepalive_s: How long an idle connection is kept.
    """

    def __init__(self, tls: ssl.SSLContext | None, *, limit: int, keepalive_s: float) -> None:
        super().__init__(
            ssl=tls if tls is not None else True,
            limit=limit,
            keepalive_timeout=keepalive_s,
            socket_factory=self._make_socket,
        )
        self._sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()

    def _make_socket(self, address: _AddressInfo) -> socket.socket:
        family, kind, protocol, _, _ = address
        made = socket.socket(family, kind, protocol)
        made.setblocking(False)
        self._sockets.add(made)
        return made

    async def close(self, *, abort_ssl: bool = True) -> None:
        """Close every connection, and wait for the farewells, within a bound."""
        await super().close(abort_ssl=abort_ssl)
        deadline_s = asyncio.get_running_loop().time() + _FAREWELL_S
        while any(each.fileno() >= 0 for each in self._sockets):
            if asyncio.get_running_loop().time() > deadline_s:
                return
            await asyncio.sleep(_LOOK_AGAIN_S)
