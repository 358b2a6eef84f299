"""An HTTP server on loopback that answers exactly what a test tells it to, byte by byte."""

import asyncio
import json
import ssl
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

Handler = Callable[["Exchange"], Awaitable[None]]


@dataclass(frozen=True)
class Received:
    """A request as it came in; ``headers`` has the last of the fields of a name."""

    method: str
    target: str
    fields: list[tuple[str, str]]
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query))


class Exchange:
    """One request and the way to answer it."""

    def __init__(self, request: Received, writer: asyncio.StreamWriter) -> None:
        self.request = request
        self._writer = writer

    async def reply(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        fields = {"Content-Type": "application/json", "Content-Length": str(len(body))}
        self._head(status, fields | (headers or {}))
        self._writer.write(body)
        await self._writer.drain()

    async def reply_json(
        self, status: int, document: object, headers: dict[str, str] | None = None
    ) -> None:
        await self.reply(status, json.dumps(document).encode(), headers)

    def start_stream(self) -> None:
        self._head(200, {"Content-Type": "application/json", "Transfer-Encoding": "chunked"})

    async def write(self, data: bytes) -> None:
        """One chunk of a stream."""
        self._writer.write(b"%x\r\n%s\r\n" % (len(data), data))
        await self._writer.drain()

    def end_stream(self) -> None:
        self._writer.write(b"0\r\n\r\n")

    def reset(self) -> None:
        """Drop the connection without another word."""
        self._writer.transport.abort()

    async def write_raw(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    def _head(self, status: int, headers: dict[str, str]) -> None:
        lines = [f"HTTP/1.1 {status} Whatever", *(f"{k}: {v}" for k, v in headers.items())]
        self._writer.write("\r\n".join([*lines, "", ""]).encode())


class _Reader(asyncio.StreamReader):
    """Tells when the other side has hung up, also while nothing is being read."""

    def __init__(self) -> None:
        super().__init__()
        self.ended = asyncio.Event()

    def feed_eof(self) -> None:
        super().feed_eof()
        self.ended.set()

    def set_exception(self, exc: Exception) -> None:
        super().set_exception(exc)
        self.ended.set()


class ScriptedServer:
    """Takes a handler off the script for every request; the last one stays."""

    def __init__(self, scheme: str) -> None:
        self.requests: list[Received] = []
        self.connections = 0
        self.open_connections = 0
        self.port = 0
        self._scheme = scheme
        self._script: deque[Handler] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._quiet = asyncio.Event()
        self._quiet.set()

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self.port}"

    def will(self, *handlers: Handler) -> None:
        self._script.extend(handlers)

    def will_from_now_on(self, *handlers: Handler) -> None:
        self._script.clear()
        self.will(*handlers)

    async def no_connections(self) -> None:
        """Wait until the last client has hung up."""
        await self._quiet.wait()

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert isinstance(reader, _Reader)
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: _Reader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open_connections += 1
        self._quiet.clear()
        try:
            while (request := await _read(reader)) is not None:
                self.requests.append(request)
                handler = self._script.popleft() if len(self._script) > 1 else self._script[0]
                answering = asyncio.create_task(_answer(handler, Exchange(request, writer)))
                hung_up = asyncio.create_task(reader.ended.wait())
                parts: set[asyncio.Task[Any]] = {answering, hung_up}
                try:
                    await asyncio.wait(parts, return_when="FIRST_COMPLETED")
                    if not answering.done():
                        break
                    answering.result()
                finally:
                    for part in parts:
                        part.cancel()
                    await asyncio.wait(parts)
                if writer.transport.is_closing():
                    break
        except ConnectionError:
            pass
        finally:
            self.open_connections -= 1
            if not self.open_connections:
                self._quiet.set()
            writer.transport.abort()

    async def stop(self) -> None:
        for task in self._tasks.copy():
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks.copy())


async def _answer(handler: Handler, exchange: Exchange) -> None:
    await handler(exchange)


async def _read(reader: asyncio.StreamReader) -> Received | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.decode().split("\r\n")[:-2]
    method, target, _ = first.split(" ")
    fields = [(name.lower(), value) for name, value in (line.split(": ", 1) for line in lines)]
    headers = dict(fields)
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Received(method, target, fields, headers, body)


@asynccontextmanager
async def scripted_server(
    *handlers: Handler, tls: ssl.SSLContext | None = None, port: int = 0
) -> AsyncIterator[ScriptedServer]:
    scripted = ScriptedServer("https" if tls else "http")
    scripted.will(*handlers)
    server = await asyncio.get_running_loop().create_server(
        lambda: asyncio.StreamReaderProtocol(_Reader(), scripted.accept),
        "127.0.0.1",
        port,
        ssl=tls,
    )
    scripted.port = server.sockets[0].getsockname()[1]
    try:
        yield scripted
    finally:
        server.close()
        await scripted.stop()
        await server.wait_closed()


def answers(
    document: object, *, status: int = 200, headers: dict[str, str] | None = None
) -> Handler:
    async def handler(exchange: Exchange) -> None:
        await exchange.reply_json(status, document, headers)

    return handler


def refuses(
    status: int, reason: str, *, headers: dict[str, str] | None = None, **more: object
) -> Handler:
    return answers(status_object(status, reason, **more), status=status, headers=headers)


async def not_served(exchange: Exchange) -> None:
    """What an API server says of a kind that it does not know, or does not know yet."""
    await exchange.reply(404, b"404 page not found\n", {"Content-Type": "text/plain"})


async def not_permitted(exchange: Exchange) -> None:
    """What an API server says to somebody without the permission, or before it knows the roles."""
    message = 'pods is forbidden: User "a" cannot create resource "pods" in API group ""'
    await refuses(403, "Forbidden", message=message)(exchange)


def status_object(status: int, reason: str, **more: object) -> dict[str, Any]:
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "code": status,
        "reason": reason,
        "message": f"the server says {reason}",
        **more,
    }


async def resets(exchange: Exchange) -> None:
    exchange.reset()


async def never_answers(exchange: Exchange) -> None:  # noqa: ARG001 -- a handler's signature
    await asyncio.Event().wait()


class FakeTime:
    """A clock that only sleeping moves, and chance that always falls the same way."""

    def __init__(self, chance: float = 0.5) -> None:
        self.now = 1000.0
        self.slept: list[float] = []
        self._chance = chance
        self._moved = asyncio.Event()

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        self._moved.set()
        await asyncio.sleep(0)

    async def has_slept(self, times: int) -> None:
        """Wait until somebody has slept so many times."""
        while len(self.slept) < times:
            self._moved.clear()
            await self._moved.wait()

    def random(self) -> float:
        return self._chance
