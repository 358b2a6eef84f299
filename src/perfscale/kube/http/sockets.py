"""Sockets that are really closed when their owner says so.

An event loop closes a connection some turns later, one with TLS possibly only
after a farewell from the other side. A loop that ends before that would leave
sockets behind.
"""

from __future__ import annotations

import asyncio
import socket
import sys
import weakref
from typing import Final

_FAREWELL_S: Final = 2.0
"""How long the other side may take; a server that is gone says nothing at all."""
_LOOK_AGAIN_S: Final = 0.005
_PROBED_AFTER_S: Final = 15
"""For so long nothing may come before the kernel probes whether the other side is there."""
_PROBE_EVERY_S: Final = 5
_PROBES: Final = 3
"""So a network that is gone without a word is noticed within 30 s, as client-go does with its pings
of HTTP/2 within 45 s: a watch, on which only the server speaks, would wait for far longer."""


class Sockets:
    """Those that were made for one owner."""

    def __init__(self) -> None:
        self._made: weakref.WeakSet[socket.socket] = weakref.WeakSet()

    def make(self, family: int, kind: int, protocol: int) -> socket.socket:
        """A socket for an event loop."""
        made = socket.socket(family, kind, protocol)
        made.setblocking(False)
        self.keep(made)
        return made

    def keep(self, made: socket.socket) -> None:
        """One that was connected elsewhere, for the owner."""
        _probe(made)
        self._made.add(made)

    async def wait_closed(self) -> None:
        """Return once every socket is closed, within a bound."""
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + _FAREWELL_S
        while any(each.fileno() >= 0 for each in self._made):
            if loop.time() > deadline_s:
                return
            await asyncio.sleep(_LOOK_AGAIN_S)


def _probe(made: socket.socket) -> None:
    """Let the kernel find out whether the other side is there; bytes that come cost nothing."""
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if sys.platform == "linux":
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _PROBED_AFTER_S)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, _PROBE_EVERY_S)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, _PROBES)


def leave_to_loop(made: socket.socket, loop: asyncio.AbstractEventLoop) -> None:
    """Give up a socket of which a loop could make no connection, and which the loop closes.

    uvloop closes the descriptor, and the object does not know when the connection broke before
    the loop had taken note of it. Collected later, the object would close whatever has got the
    same number meanwhile: https://github.com/MagicStack/uvloop/issues/738
    """
    if type(loop).__module__.partition(".")[0] == "uvloop":
        made.detach()
