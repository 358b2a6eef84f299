"""Breaking connections the way a server does that dies."""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import asyncio

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
