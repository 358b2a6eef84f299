"""The way straight to a scripted server, and what such a server may say."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import cache

import trustme
from scripted_server import (
    Exchange,
    Handler,
)

from perfscale.kube.calls import call_of
from perfscale.kube.http.direct import DirectTransport
from perfscale.kube.http.transport import AnswerStream, Endpoint, Request, Transport

AUTHORITY = trustme.CA()


def issued(name: str = "127.0.0.1", *, age: timedelta = timedelta()) -> ssl.SSLContext:
    now = datetime.now(UTC) - age
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    AUTHORITY.issue_cert(
        name, not_before=now - timedelta(days=1), not_after=now + timedelta(days=1)
    ).configure_cert(context)
    return context


@cache
def trusting() -> ssl.SSLContext:
    context = ssl.create_default_context()
    AUTHORITY.configure_trust(context)
    return context


@asynccontextmanager
async def way_to(url: str) -> AsyncIterator[DirectTransport]:
    transport = DirectTransport(Endpoint(url), trusting() if url.startswith("https") else None)
    try:
        yield transport
    finally:
        await transport.aclose()


def get(path: str = "/", *, timeout_s: float = 60) -> Request:
    return Request("GET", path, timeout_s, call_of("GET", path))


async def opened(
    transport: Transport,
    request: Request | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> AnswerStream:
    return await transport.open_stream(request or get(), clock)


async def read_piece(stream: AnswerStream) -> bytes:
    """All that a stream has to give now; empty at its end."""
    return b"".join(arrival.data for arrival in await stream.read_some())


async def read_all(transport: Transport, request: Request) -> bytes:
    """A stream from its beginning to its end."""
    found, stream = b"", await opened(transport, request)
    try:
        while piece := await read_piece(stream):
            found += piece
    finally:
        stream.close()
    return found


def says(*pieces: bytes) -> Handler:
    """Answers these bytes."""

    async def handler(exchange: Exchange) -> None:
        for piece in pieces:
            await exchange.write_raw(piece)

    return handler


def then_closes(handler: Handler) -> Handler:
    async def closing(exchange: Exchange) -> None:
        await handler(exchange)
        exchange.reset()

    return closing


async def some_turns() -> None:
    """Let the loop see what has come already."""
    for _ in range(20):
        await asyncio.sleep(0)


def reply(body: bytes, *fields: bytes) -> bytes:
    return b"\r\n".join([b"HTTP/1.1 200 OK", b"Content-Length: %d" % len(body), *fields, b"", body])
