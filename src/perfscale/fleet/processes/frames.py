"""Frames over a pipe: each is its length in four bytes, and so many bytes after that.

An empty one shows that somebody is there; any other holds messages, as a list in MessagePack.
"""

from __future__ import annotations

import asyncio
import json
import struct
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perfscale.fleet.messages import Message

_LENGTH: Final = struct.Struct("!I")
LONGEST: Final = 64 * 2**20
"""A frame that is longer is not ours: something else has written to the pipe."""
_encoder: Final = msgspec.msgpack.Encoder()


class FrameError(Exception):
    """What comes out of the pipe is no frame."""


def encode_messages(messages: Sequence[Message]) -> bytes:
    """What a frame holds."""
    try:
        return _encoder.encode(messages)
    except UnicodeEncodeError:  # a file's name, in the text of an error, need not be Unicode
        text = json.dumps(msgspec.to_builtins(messages), ensure_ascii=False)
        return _encoder.encode(json.loads(text.encode(errors="replace")))


def write_frame(writer: asyncio.StreamWriter, frame: bytes) -> None:
    """Put a frame into the pipe's buffer; `drain` of the writer bounds what waits there."""
    writer.write(_LENGTH.pack(len(frame)))
    writer.write(frame)


async def read_frame(reader: asyncio.StreamReader) -> bytes | None:
    """The next frame; None at the end of the pipe, also in the middle of a frame.

    Raises:
        FrameError: The other side did not write a frame.
    """
    try:
        (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
        if length > LONGEST:
            raise FrameError(f"a frame of {length} bytes: something else wrote to the pipe")
        return await reader.readexactly(length)
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
