"""The way straight to the API server: connections of our own, kept and used again.

A SOCKS5 proxy, as `ssh -D` opens one, only makes these connections, and knows nothing of what
goes over them: https://www.rfc-editor.org/rfc/rfc1928

A general HTTP client spends several times what a request needs, on choices that
are made once and for all here: one server, one set of header fields, JSON.
"""

from __future__ import annotations

import asyncio
import math
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from perfscale.kube.http.connection import Connection
from perfscale.kube.http.failures import (
    CHECK_PROXY,
    CLOSED,
    NO_CONNECTION_IN_TIME,
    Failure,
    NoAnswerError,
    unconnected,
    unresolved,
)
from perfscale.kube.http.sockets import Sockets, leave_to_loop
from perfscale.kube.http.transport import CONNECT_TIMEOUT_S, user_agent

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Sequence

    from perfscale.kube.http.transport import Answer, AnswerStream, Endpoint, Request

    _Address = tuple[
        int, int, int, str, tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]
    ]

_CHECK_S: Final = 0.05
"""The least between two checks of the deadlines."""
_PORTS: Final = {"http": 80, "https": 443}


class DirectTransport:
    """A `Transport` without an HTTP proxy; made while the event loop runs.

    There are as many connections as requests and streams at a time. Of those
    that rest, the one that was used last is used first.

    Args:
        endpoint: The API server, and possibly a SOCKS5 proxy.
        tls: For https servers.

    Attributes:
        connections: Those that are open.
        idle: Those that may carry another request, in the order in which they became idle.
        next_check_s: When deadlines are checked, on the loop's clock.
    """

    def __init__(self, endpoint: Endpoint, tls: ssl.SSLContext | None) -> None:
        url = urlsplit(endpoint.server)
        self._socks = endpoint.proxy
        self._host = url.hostname or ""
        self._port = url.port or _PORTS[url.scheme]
        self._path = url.path
        self._tls = tls
        self._tls_name = (endpoint.tls_server_name or self._host.rstrip(".")) if tls else None
        self._fixed = (
            f"Host: {url.netloc}\r\nAccept: application/json\r\nAccept-Encoding: gzip\r\n"
            f"User-Agent: {user_agent()}\r\n"
            + "".join(f"{name}: {value}\r\n" for name, value in endpoint.headers)
        )
        self._fields: dict[str | None, str] = {}
        self._fields_for: str | None = None
        self._loop = asyncio.get_running_loop()
        self._sockets = Sockets()
        self._timer: asyncio.TimerHandle | None = None
        self.connections: set[Connection] = set()
        self.idle: dict[Connection, None] = {}
        self.next_check_s = math.inf
        self._closed = False

    async def ask(self, request: Request) -> Answer:
        """Send a request, and wait for all of the answer."""
        deadline_s = self._loop.time() + request.timeout_s
        connection = self._take_idle() or await self._connect(request.timeout_s)
        answer = connection.send(
            self._message(request), request.timeout_s, deadline_s, request.largest
        )
        try:
            return await answer
        except asyncio.CancelledError:
            # If the answer is set, the connection has been released, and another request
            # may be on it already: closing it would break that one.
            if answer.cancelled():
                connection.abort()
            raise

    async def open_stream(self, request: Request, clock: Callable[[], float]) -> AnswerStream:
        """Send a request, and wait for the head of the answer."""
        connection = self._take_idle() or await self._connect(CONNECT_TIMEOUT_S)
        await connection.open_stream(self._message(request), request.timeout_s, clock)
        return connection

    async def aclose(self) -> None:
        """Close every connection."""
        self._closed = True
        for connection in tuple(self.connections):
            connection.abort()
        await self._sockets.wait_closed()
        if self._timer is not None:
            self._timer.cancel()

    def check_by(self, at_s: float) -> None:
        """Check the deadlines then, which is before the next check."""
        if self._timer is not None:
            self._timer.cancel()
        self.next_check_s = at_s
        self._timer = self._loop.call_at(at_s, self._check_deadlines)

    # -- requests -----------------------------------------------------------

    def _message(self, request: Request) -> bytes:
        """Head and body; the fields are made once for each type and each token."""
        if request.authorization != self._fields_for:
            self._fields.clear()
            self._fields_for = request.authorization
        fields = self._fields.get(request.content_type)
        if fields is None:
            fields = self._fixed
            if request.authorization is not None:
                fields += f"Authorization: {request.authorization}\r\n"
            if request.content_type is not None:
                fields += f"Content-Type: {request.content_type}\r\n"
            self._fields[request.content_type] = fields
        first = f"{request.method} {self._path}{request.target} HTTP/1.1\r\n"
        body = request.body
        if body is None and request.method == "GET":
            return f"{first}{fields}\r\n".encode()
        body = body or b""
        return f"{first}{fields}Content-Length: {len(body)}\r\n\r\n".encode() + body

    # -- connections --------------------------------------------------------

    def _take_idle(self) -> Connection | None:
        while self.idle:
            connection, _ = self.idle.popitem()
            if not connection.transport.is_closing():
                return connection
        return None

    async def _connect(self, timeout_s: float) -> Connection:
        try:
            async with asyncio.timeout(min(timeout_s, CONNECT_TIMEOUT_S)):
                connection = await self._open()
        except TimeoutError as error:
            raise NoAnswerError(NO_CONNECTION_IN_TIME) from error
        except OSError as error:
            raise NoAnswerError(unconnected(error)) from error
        if self._closed:
            connection.abort()
            raise NoAnswerError(CLOSED)
        return connection

    async def _open(self) -> Connection:
        """A connection to the first of the addresses that there is one to."""
        if self._socks is None:
            sock = await self._reach(await self._resolve())
        else:
            sock = await _connect_through(self._socks, self._host, self._port)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._sockets.keep(sock)
        try:
            _, connection = await self._loop.create_connection(
                lambda: Connection(self._loop, self),
                sock=sock,
                ssl=self._tls,
                server_hostname=self._tls_name,
            )
        except BaseException:
            leave_to_loop(sock, self._loop)
            raise
        return connection

    async def _resolve(self) -> Sequence[_Address]:
        where, kind = (self._host, self._port), socket.SOCK_STREAM
        with suppress(OSError, UnicodeError):  # an address needs no thread to look it up
            return socket.getaddrinfo(*where, type=kind, flags=socket.AI_NUMERICHOST)
        try:
            return await self._loop.getaddrinfo(*where, type=kind)
        except (OSError, UnicodeError) as error:
            raise NoAnswerError(unresolved(self._host)) from error

    async def _reach(self, addresses: Sequence[_Address]) -> socket.socket:
        last: OSError | None = None
        for family, kind, protocol, _, address in addresses:
            sock = self._sockets.make(family, kind, protocol)
            try:
                await self._loop.sock_connect(sock, address)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            except OSError as error:
                sock.close()
                last = error
            except BaseException:
                sock.close()
                raise
            else:
                return sock
        raise last or OSError

    def _check_deadlines(self) -> None:
        """Between one check and the next, most connections have got later deadlines."""
        self._timer, self.next_check_s = None, math.inf
        now_s = self._loop.time()
        checked = [connection.check_deadline(now_s) for connection in tuple(self.connections)]
        due_s = min([self.next_check_s, *checked])
        if due_s < math.inf:
            self.check_by(max(due_s, now_s + _CHECK_S))


async def _connect_through(proxy: str, host: str, port: int) -> socket.socket:
    """A connection to a server, made by the proxy, which looks the name up as with kubectl.

    Args:
        proxy: Its URL, ``socks5://``, possibly with credentials in it.
        host: Name or address of the server.
        port: Of the server.

    Raises:
        NoAnswerError: The proxy cannot be reached, or refuses.
        TimeoutError: It took too long.
    """
    from python_socks import (  # noqa: PLC0415 -- seldom needed
        ProxyConnectionError,
        ProxyError,
        ProxyTimeoutError,
    )
    from python_socks.async_.asyncio import Proxy  # noqa: PLC0415

    way = Proxy.from_url(proxy.replace("socks5h://", "socks5://", 1), rdns=True)
    try:
        return await way.connect(host, port)
    except ProxyTimeoutError:
        raise
    except ProxyConnectionError as error:
        cause = error.__cause__
        failure = unconnected(cause if isinstance(cause, OSError) else error)
        raise NoAnswerError(failure._replace(text=f"the proxy: {failure.text}")) from error
    except ProxyError as error:
        text = f"the proxy refused the connection: {error}"
        raise NoAnswerError(Failure(text, CHECK_PROXY, connecting=True)) from error
