"""One request onto the wire, with as little work as possible for each.

The session is our own: the one that kubernetes_asyncio makes searches the
environment and netrc for every request, and its generated API classes cost
several times what the request itself does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlencode

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from perfscale.kube.connector import Connector
from perfscale.kube.stats import RequestStats

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping

    from perfscale.errors import UnreachableError
    from perfscale.kube.calls import Call, RequestObserver
    from perfscale.kube.credentials import Credentials
    from perfscale.kube.failures import Failure
    from perfscale.kube.ratelimit import RateLimiter

_SAFE: Final = "/:@!$&'()*+,;=~"
"""What RFC 3986 allows in a path besides letters, digits and ``-._``."""
_CONNECT_TIMEOUT_S: Final = 30.0
_KEEPALIVE_S: Final = 60.0
"""Less than the 90 s after which kube-apiserver closes an idle connection, so
that no request is sent on one that is just being closed."""
_READ_BUFFER: Final = 1 << 18


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The API server, and the way there.

    Attributes:
        server: URL without a slash at its end; it may have a path.
        proxy: URL of the proxy, possibly with credentials in it.
        tls_server_name: Name that the server's certificate is for, where it is
            not the URL's host.
    """

    server: str
    proxy: str | None = field(default=None, repr=False)
    tls_server_name: str | None = None


class Request:
    """A request, and what became of it so far.

    Attributes:
        call: What it asks for.
        attempts: How often it was sent.
        sent_s: When it was first sent.
        last_sent_s: When it was last sent.
        authorization: The credentials that it was last sent with.
        renewals: How often they were replaced because of it.
    """

    __slots__ = (
        "attempts",
        "authorization",
        "body",
        "call",
        "content_type",
        "last_sent_s",
        "method",
        "renewals",
        "sent_s",
        "timeout",
        "url",
    )

    def __init__(
        self,
        method: str,
        url: URL,
        timeout: aiohttp.ClientTimeout,
        call: Call,
        *,
        body: bytes | None = None,
        content_type: str | None = None,
    ) -> None:
        self.call = call
        self.method = method
        self.url = url
        self.timeout = timeout
        self.body = body
        self.content_type = content_type if body is not None else None
        self.attempts = 0
        self.renewals = 0
        self.sent_s = self.last_sent_s = 0.0
        self.authorization: str | None = None


class Wire:
    """Sends requests to one endpoint, when the limiter admits them, and counts what became of them.

    Attributes:
        stats: What it counted so far.
        credentials: Who we are.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        endpoint: Endpoint,
        credentials: Credentials,
        limiter: RateLimiter,
        clock: Callable[[], float],
        observer: RequestObserver | None = None,
    ) -> None:
        self.stats = RequestStats()
        self._observer = observer
        self.credentials = credentials
        self._session = session
        self._server = endpoint.server
        self._proxy = endpoint.proxy
        self._tls_server_name = endpoint.tls_server_name
        self._limiter = limiter
        self._clock = clock
        self._headers: dict[str | None, CIMultiDict[str]] = {}
        self._headers_for: str | None = None

    def url(self, path: str, params: Mapping[str, str | int] | None = None) -> URL:
        """The URL of a path, encoded here once and for all."""
        url = f"{self._server}{quote(path, safe=_SAFE)}"
        return URL(f"{url}?{urlencode(params, quote_via=quote)}" if params else url, encoded=True)

    async def send(self, request: Request) -> aiohttp.ClientResponse:
        """Send a request, once, and return when the answer's headers are there.

        The caller closes the answer (``async with``). Raises what aiohttp does.
        """
        if self.credentials.due:
            await self.credentials.renew()
        await self._limiter.acquire()
        request.authorization = self.credentials.authorization
        request.attempts += 1
        request.last_sent_s = self._clock()
        if request.attempts == 1:
            request.sent_s = request.last_sent_s
        self.stats.sent += 1
        answer = await self._session.request(
            request.method,
            request.url,
            data=request.body,
            headers=self._prepared(request.content_type, request.authorization),
            timeout=request.timeout,
            allow_redirects=False,
            proxy=self._proxy,
            server_hostname=self._tls_server_name,
        )
        self.stats.count_answer(answer.status)
        return answer

    def answered(self, request: Request, answer: aiohttp.ClientResponse, answered_s: float) -> None:
        """The whole answer to a request was there at ``answered_s``; of a watch, its headers."""
        if self._observer is not None:
            self._observer.answered(
                request.call,
                answer.status,
                request.last_sent_s,
                answered_s,
                answer.headers.get("Date"),
            )

    def failed(self, failure: Failure, request: Request | None = None) -> Failure:
        """Count a request without an answer, or for None a stream that broke off."""
        if failure.timeout:
            self.stats.timeouts += 1
        else:
            self.stats.connection_errors += 1
        if self._observer is not None and request is not None:
            self._observer.unanswered(request.call, timeout=failure.timeout)
        return failure

    def retried(self, request: Request, throttled_s: float) -> None:
        """A request is going to be sent again, after it has waited so long because of a 429."""
        self.stats.retries += 1
        if self._observer is not None:
            self._observer.retried(request.call, throttled_s)

    def _prepared(self, content_type: str | None, authorization: str | None) -> CIMultiDict[str]:
        """The headers of a request, made once for each type and each token."""
        if authorization != self._headers_for:
            self._headers.clear()
            self._headers_for = authorization
        headers = self._headers.get(content_type)
        if headers is None:
            headers = CIMultiDict()
            if content_type is not None:
                headers["Content-Type"] = content_type
            if authorization is not None:
                headers["Authorization"] = authorization
            self._headers[content_type] = headers
        return headers


class Stream:
    """The body of an answer that goes on and on, buffer by buffer."""

    def __init__(
        self, content: aiohttp.StreamReader, explain: Callable[[Exception], UnreachableError]
    ) -> None:
        self._content = content
        self._explain = explain

    def __aiter__(self) -> Stream:
        return self

    async def __anext__(self) -> bytes:
        """The next bytes, as many as there are.

        Raises:
            UnreachableError: The connection broke, or was silent for too long.
        """
        try:
            chunk = await self._content.readany()
        except (aiohttp.ClientError, OSError) as error:
            raise self._explain(error) from error
        if not chunk:
            raise StopAsyncIteration
        return chunk


def open_session(
    tls: ssl.SSLContext | None = None, *, max_connections: int = 0
) -> aiohttp.ClientSession:
    """A session that takes nothing from the environment.

    Args:
        tls: For https servers.
        max_connections: Most connections at a time, 0 for no bound. Each
            request in flight and each watch takes one.
    """
    session = aiohttp.ClientSession(
        connector=Connector(tls, limit=max_connections, keepalive_s=_KEEPALIVE_S),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            "User-Agent": f"perfscale/{_own_version()}",
        },
        trust_env=False,
        auto_decompress=True,
        read_bufsize=_READ_BUFFER,
    )
    # A GET or DELETE whose connection breaks would be sent once more by aiohttp itself: past
    # the rate limit, and without anybody counting it. There is no public way to say so.
    session._retry_connection = False  # noqa: SLF001
    return session


def bounded(total_s: float) -> aiohttp.ClientTimeout:
    """Bounds of a request with an end."""
    return aiohttp.ClientTimeout(total=total_s, sock_connect=min(total_s, _CONNECT_TIMEOUT_S))


def unbounded(silence_s: float) -> aiohttp.ClientTimeout:
    """Bounds of a stream: only its silence."""
    return aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_TIMEOUT_S, sock_read=silence_s)


def _own_version() -> str:
    try:
        return version("perfscale-load-generator")
    except PackageNotFoundError:
        return "0"
