"""Answers of status 200 that are not what they should be: garbage, endless pages, gzip bombs."""

from __future__ import annotations

import asyncio
import re
import struct
import zlib
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from perfscale.sim.apiserver.negotiation import JSON_TYPE, answer, refuse
from perfscale.sim.storage import refusals
from perfscale.sim.storage.records import decode, encode, watch_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from aiohttp.typedefs import Handler

    from perfscale.sim.apiserver.target import Target
    from perfscale.sim.storage.records import JSON

_LEVELS: Final = 100_000
_HUGE_VERSION: Final = "9" * 5000
_NO_DATE: Final = "the day before yesterday"
_LOGIN: Final = (
    "<!DOCTYPE html><html><head><title>Sign in</title></head><body><form method=post>"
    "<input name=user><input name=password type=password></form></body></html>\n"
)
# Whatever a client asks for, each key that it may look for has a value of another type.
_WRONG_TYPES: Final = {
    "kind": 1,
    "apiVersion": {},
    "metadata": "none",
    "items": {"a": 1},
    "spec": [],
    "status": 7,
    "type": 5,
    "object": [],
    "groups": "none",
    "resources": 3,
    "versions": 1,
    "gitVersion": {},
}
_BODIES: Final[dict[str, tuple[str, Callable[[], bytes]]]] = {
    "html": ("text/html", _LOGIN.encode),
    "empty": (JSON_TYPE, lambda: b""),
    "null": (JSON_TYPE, lambda: b"null\n"),
    "list": (JSON_TYPE, lambda: b"[1,2]\n"),
    "wrongTypes": (JSON_TYPE, lambda: encode(_WRONG_TYPES) + b"\n"),
    "deep": (JSON_TYPE, lambda: b'{"a":' * _LEVELS + b"1" + b"}" * _LEVELS + b"\n"),
}
ALTERED: Final = ("hugeVersion", "badTimestamps")
"""The bodies that are right but for one thing, so that the request is carried out."""

_EXPIRING: Final = "expiring"
_TOKEN: Final = re.compile(rf"(endless|{_EXPIRING})\.(\d{{1,20}})\.(\d{{1,20}})", re.ASCII)
_OK: Final = 200

_MEBIBYTE: Final = 1024 * 1024
# RFC 1952: deflate, no flags, no time, of no known system.
_HEADER: Final = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
_BEGINS: Final = b'{"kind":"List","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":['
_ENDS: Final = b"]}\n"


async def garbage(
    body: str, request: web.Request, handler: Handler, target: Target | None, verb: str
) -> web.StreamResponse:
    """The answer with that body."""
    if body not in ALTERED:
        media, make = _BODIES[body]
        return answer(make(), media)
    if verb == "watch" and target is not None:
        resource = target.resource
        obj: JSON = {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": {}}
        _alter(obj, body)
        return answer(watch_line("BOOKMARK", encode(obj)))
    response = await handler(request)
    content = response.body if isinstance(response, web.Response) else None
    if not isinstance(content, bytes) or response.content_type != JSON_TYPE:
        return response
    document = decode(content)
    _alter(document, body)
    return answer(encode(document), status=response.status)


def _alter(document: Any, body: str) -> None:  # noqa: ANN401 - JSON
    items = document.get("items") if isinstance(document, dict) else None
    for each in (document, *(items or ())):
        metadata = each.get("metadata") if isinstance(each, dict) else None
        if not isinstance(metadata, dict):
            continue
        if body == "hugeVersion":
            metadata["resourceVersion"] = _HUGE_VERSION
        elif "creationTimestamp" in metadata:
            metadata["creationTimestamp"] = _NO_DATE


def is_endless(token: str) -> bool:
    """Whether a continue token is one that `with_token` has made."""
    return _TOKEN.fullmatch(token) is not None


def with_token(response: web.StreamResponse, kind: str) -> web.StreamResponse:
    """The first page of a list, as if there were more."""
    content = response.body if isinstance(response, web.Response) else None
    if response.status != _OK or not isinstance(content, bytes):
        return response
    page = decode(content)
    version = page["metadata"].get("resourceVersion", "1")
    page["metadata"] |= {"continue": f"{kind}.{version}.1", "remainingItemCount": 1}
    return answer(encode(page))


def next_page(token: str, target: Target) -> web.Response:
    """What a token of `with_token` leads to."""
    kind, version, number = token.split(".")
    if kind == _EXPIRING:
        return refuse(refusals.expired_token(), target.resource)
    metadata = {"resourceVersion": version, "continue": f"{kind}.{version}.{int(number) + 1}"}
    page = {
        "kind": target.kind.list_kind,
        "apiVersion": target.resource.api_version,
        "metadata": metadata,
        "items": [],
    }
    return answer(encode(page))


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
