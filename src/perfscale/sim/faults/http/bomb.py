"""A small answer that becomes a very large one where it is decompressed."""

from __future__ import annotations

import asyncio
import struct
import zlib
from typing import TYPE_CHECKING, Final

from aiohttp import web

from perfscale.sim.apiserver.negotiation import JSON_TYPE

if TYPE_CHECKING:
    from collections.abc import Iterator

_MEBIBYTE: Final = 1024 * 1024
# RFC 1952: deflate, no flags, no time, of no known system.
_HEADER: Final = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
_BEGINS: Final = b'{"kind":"List","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":['
_ENDS: Final = b"]}\n"


async def gzip_bomb(request: web.Request, mebibytes: int) -> web.StreamResponse:
    """Answer with a list of nothing but blanks, so many MiB of them."""
    response = web.StreamResponse(headers={"Content-Type": JSON_TYPE, "Content-Encoding": "gzip"})
    await response.prepare(request)
    for part in gzipped(mebibytes):
        await response.write(part)
        await asyncio.sleep(0)  # writing to a socket that takes it all never suspends
    return response


def gzipped(mebibytes: int) -> Iterator[bytes]:
    """The parts of the compressed answer, without ever holding what it stands for."""
    blanks = b" " * _MEBIBYTE
    compressed = _deflated(blanks, zlib.Z_FULL_FLUSH)
    crc = zlib.crc32(_BEGINS)
    yield _HEADER + _deflated(_BEGINS, zlib.Z_FULL_FLUSH)
    for _ in range(mebibytes):
        crc = zlib.crc32(blanks, crc)
        yield compressed
    crc = zlib.crc32(_ENDS, crc)
    size = len(_BEGINS) + mebibytes * _MEBIBYTE + len(_ENDS)
    yield _deflated(_ENDS, zlib.Z_FINISH) + struct.pack("<II", crc, size % 2**32)


def _deflated(content: bytes, flush: int) -> bytes:
    """Blocks that do not look back, so that they can follow on any others."""
    compressor = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    return compressor.compress(content) + compressor.flush(flush)
