"""What goes through the pipes to and from a generator."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from perfscale.fleet.messages import Ended, Probe, ToCoordinator
from perfscale.fleet.processes.frames import LONGEST, FrameError, encode_messages, read_frame


def reader_of(data: bytes) -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    return reader


async def test_a_frame_that_was_cut_off_is_the_end_of_the_pipe() -> None:
    whole = (3).to_bytes(4, "big") + b"abc"
    reader = reader_of(whole + whole[:-1])
    assert await read_frame(reader) == b"abc"
    assert await read_frame(reader) is None


async def test_what_something_else_wrote_to_the_pipe_is_no_frame() -> None:
    with pytest.raises(FrameError, match="something else wrote to the pipe"):
        await read_frame(reader_of((LONGEST + 1).to_bytes(4, "big")))


def test_an_error_with_a_name_that_is_no_unicode_is_sent_all_the_same() -> None:
    frame = encode_messages([Ended("no such file: \udcff.yaml", 1)])
    assert msgspec.msgpack.decode(frame, type=list[ToCoordinator]) == [
        Ended("no such file: ?.yaml", 1)
    ]
    assert encode_messages([Probe(1)])
