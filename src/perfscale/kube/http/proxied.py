"""The way through an HTTP proxy: aiohttp's, which knows how to ask one for a tunnel."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from perfscale.kube.http.failures import (
    BROKEN_OFF,
    CHECK_PROXY,
    CLOSED,
    GARBLED,
    NO_CONNECTION_IN_TIME,
    SILENT,
    Failure,
    NoAnswerError,
    larger_than,
    lost,
    unanswered_for,
    unconnected,
    unresolved,
)
from perfscale.kube.http.sockets import Sockets
from perfscale.kube.http.transport import (
    CONNECT_TIMEOUT_S,
    KEEPALIVE_S,
    READ_BUFFER,
    Answer,
    Arrival,
    user_agent,
)

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from perfscale.kube.http.transport import AnswerStream, Endpoint, Request

_BY_TYPE: Final = (
    (aiohttp.ConnectionTimeoutError, NO_CONNECTION_IN_TIME),
    (aiohttp.ServerDisconnectedError, CLOSED),
    (aiohttp.ClientPayloadError, BROKEN_OFF),
)


class ProxiedTransport:
    """A `Transport` through the endpoint's proxy; made while the event loop runs.

    Args:
        endpoint: The API server and the proxy.
        tls: For https servers.
    """

    def __init__(self, endpoint: Endpoint, tls: ssl.SSLContext | None) -> None:
        self._endpoint = endpoint
        self._sockets = Sockets()
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                ssl=tls if tls is not None else True,
                limit=0,
                keepalive_timeout=KEEPALIVE_S,
                socket_factory=lambda address: self._sockets.make(*address[:3]),
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=[
                ("Accept", "application/json"),
                ("Accept-Encoding", "gzip"),
                ("User-Agent", user_agent()),
                *endpoint.headers,
            ],
            trust_env=False,
            auto_decompress=True,
            read_bufsize=READ_BUFFER,
        )
        # A GET or DELETE whose connection breaks would be sent once more by aiohttp itself: past
        # the rate limit, and without anybody counting it. There is no public way to say so.
        self._session._retry_connection = False  # noqa: SLF001

    async def ask(self, request: Request) -> Answer:
        """Send a request, and wait for all of the answer."""
        bounds = aiohttp.ClientTimeout(
            total=request.timeout_s, sock_connect=min(request.timeout_s, CONNECT_TIMEOUT_S)
        )
        with _explained(unanswered_for(request.timeout_s)):
            async with await self._send(request, bounds) as answer:
                body = bytearray()
                async for part in answer.content.iter_any():
                    body += part
                    if len(body) > request.largest:
                        raise NoAnswerError(larger_than(request.largest))
                warning = ", ".join(answer.headers.getall("Warning", ()))
                return Answer(answer.status, answer.headers, bytes(body), warning)

    async def open_stream(self, request: Request, clock: Callable[[], float]) -> AnswerStream:
        """Send a request, and wait for the head of the answer."""
        bounds = aiohttp.ClientTimeout(
            total=None, sock_connect=CONNECT_TIMEOUT_S, sock_read=request.timeout_s
        )
        with _explained(SILENT):
            return _Stream(await self._send(request, bounds), clock)

    async def aclose(self) -> None:
        """Close every connection."""
        await self._session.close()
        # aiohttp does not wait for connections that it gave up: cancelled requests and watches.
        await self._sockets.wait_closed()

    async def _send(
        self, request: Request, bounds: aiohttp.ClientTimeout
    ) -> aiohttp.ClientResponse:
        headers: CIMultiDict[str] = CIMultiDict()
        if request.content_type is not None:
            headers["Content-Type"] = request.content_type
        if request.authorization is not None:
            headers["Authorization"] = request.authorization
        return await self._session.request(
            request.method,
            URL(self._endpoint.server + request.target, encoded=True),
            data=request.body,
            headers=headers,
            timeout=bounds,
            allow_redirects=False,
            proxy=self._endpoint.proxy,
            server_hostname=self._endpoint.tls_server_name,
        )


class _Stream:
    def __init__(self, answer: aiohttp.ClientResponse, clock: Callable[[], float]) -> None:
        self.status = answer.status
        self.headers: Mapping[str, str] = answer.headers
        self._answer = answer
        self._clock = clock

    async def read_some(self) -> Sequence[Arrival]:
        with _explained(SILENT):
            data = await self._answer.content.readany()
        return self._stamped(data)

    def take_arrived(self) -> Sequence[Arrival]:
        with _explained(SILENT):
            data = self._answer.content.read_nowait()
        return self._stamped(data)

    def _stamped(self, data: bytes) -> Sequence[Arrival]:
        return [Arrival(self._clock(), data)] if data else []

    def close(self) -> None:
        self._answer.close()


@contextmanager
def _explained(timed_out: Failure) -> Iterator[None]:
    try:
        yield
    except (aiohttp.ClientError, OSError) as error:
        raise NoAnswerError(_explain(error, timed_out)) from error


def _explain(error: Exception, timed_out: Failure) -> Failure:
    for kind, failure in _BY_TYPE:
        if isinstance(error, kind):
            return failure
    if isinstance(error, TimeoutError):
        return timed_out
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return unresolved(error.host)
    if isinstance(error, aiohttp.ClientConnectorError):
        failure = unconnected(error.os_error)
        at_proxy = isinstance(error, aiohttp.ClientProxyConnectionError)
        return failure._replace(text=f"the proxy: {failure.text}") if at_proxy else failure
    if isinstance(error, aiohttp.ClientHttpProxyError):
        text = f"the proxy refused the connection with status {error.status}"
        return Failure(text, CHECK_PROXY, connecting=True)
    return GARBLED if isinstance(error, aiohttp.ClientResponseError) else lost(error)
