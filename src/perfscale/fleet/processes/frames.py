"""Messages over a pipe: each is its length in four bytes, and so many bytes after that."""

from __future__ import annotations

import asyncio
import struct
from typing import Final

_LENGTH: Final = struct.Struct("!I")
LONGEST: Final = 64 * 2**20
"""A message that is longer is not ours: something else has written to the pipe."""


class FrameError(Exception):
    """What comes out of the pipe is no message."""


def write_frame(writer: asyncio.StreamWriter, frame: bytes) -> None:
    """Put a message into the pipe's buffer; `drain` of the writer bounds what waits there."""
    writer.write(_LENGTH.pack(len(frame)))
    writer.write(frame)


async def read_frame(reader: asyncio.StreamReader) -> bytes | None:
    """The next message; None at the end of the pipe, also in the middle of a message.

    Raises:
        FrameError: The other side did not write a message.
    """
    try:
        (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
        if length > LONGEST:
            raise FrameError(f"a message of {length} bytes: something else wrote to the pipe")
        return await reader.readexactly(length)
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
