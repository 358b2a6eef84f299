"""Sockets that are really closed when their owner says so.

An event loop closes a connection some turns later, one with TLS possibly only
after a farewell from the other side. A loop that ends before that would leave
sockets behind.
"""

from __future__ import annotations

import asyncio
import socket
import weakref
from typing import Final

_FAREWELL_S: Final = 2.0
"""How long the other side may take; a server that is gone says nothing at all."""
_LOOK_AGAIN_S: Final = 0.005


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
        self._made.add(made)

    async def wait_closed(self) -> None:
        """Return once every socket is closed, within a bound."""
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + _FAREWELL_S
        while any(each.fileno() >= 0 for each in self._made):
            if loop.time() > deadline_s:
                return
            await asyncio.sleep(_LOOK_AGAIN_S)


def leave_to_loop(made: socket.socket, loop: asyncio.AbstractEventLoop) -> None:
    """Give up a socket of which a loop could make no connection, and which the loop closes.

    uvloop closes the descriptor, and the object does not know when the connection broke before
    the loop had taken note of it. Collected later, the object would close whatever has got the
    same number meanwhile: https://github.com/MagicStack/uvloop/issues/738
    """
    if type(loop).__module__.partition(".")[0] == "uvloop":
        made.detach()
