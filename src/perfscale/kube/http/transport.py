"""Requests and answers, whichever way they go: straight to the API server, or through a proxy."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from perfscale.kube.calls import Call, RequestObserver

CONNECT_TIMEOUT_S: Final = 30.0
"""For one connection, the TLS handshake included."""
KEEPALIVE_S: Final = 60.0
"""Less than the 90 s after which kube-apiserver closes an idle connection, so
that no request is sent on one that is just being closed."""
READ_BUFFER: Final = 1 << 18
"""Bytes of a stream that may wait for its reader."""
LONGEST_LINE: Final = 1 << 27
"""Bytes of an event: far above what etcd can store, and so what the API server can send."""
LARGEST_OBJECT: Final = 1 << 26
"""Bytes of an answer about one object, by the same reckoning: decompressed, it could be a
thousand times what is sent."""
LARGEST_LIST: Final = 1 << 29
"""Bytes of a page; the largest is a whole list that could not be had in pages."""
GATHER_S: Final = 0.1
"""The least between two wake-ups of a stream's reader: what comes meanwhile gathers. To wake one
finds the processor's caches cold, which takes several times what an event does."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The API server, and the way there.

    Attributes:
        server: URL without a slash at its end; it may have a path.
        proxy: URL of the proxy, possibly with credentials in it.
        tls_server_name: Name that the server's certificate is for, where it is
            not the URL's host.
        headers: Fields that every request has beside those of HTTP itself.
    """

    server: str
    proxy: str | None = field(default=None, repr=False)
    tls_server_name: str | None = None
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True, eq=False)
class Request:
    """A request, and what became of it so far.

    Attributes:
        call: What it asks for.
        observer: Notified of its answer; carried by each request, as loads that run side by side
            share a client's connections and counters.
        on_sent: Called with the moment at which it is sent for the first time.
        on_retry: Called before it is sent again, with whether it was refused; otherwise there was
            no answer, and it may have been carried out.
        method: HTTP method.
        target: Path below the server's URL, and the query, encoded.
        body: The body, ready to send.
        content_type: The body's; None without one.
        largest: Bytes of the answer at most, decompressed, which its sender may change; of a
            stream there is no bound.
        timeout_s: Bound from sending it to the end of the answer; for a stream,
            of any silence in it.
        attempts: How often it was sent.
        sent_s: When it was first sent.
        last_sent_s: When it was last sent.
        authorization: The credentials that it was last sent with.
        renewals: How often they were replaced because of it.
    """

    method: str
    target: str
    timeout_s: float
    call: Call
    observer: RequestObserver | None = None
    body: bytes | None = None
    content_type: str | None = None
    on_sent: Callable[[float], None] | None = None
    on_retry: Callable[[bool], None] | None = None
    largest: int = LARGEST_OBJECT
    attempts: int = 0
    renewals: int = 0
    sent_s: float = 0.0
    last_sent_s: float = 0.0
    authorization: str | None = field(default=None, repr=False)

    @property
    def what(self) -> str:
        """Its name, for messages."""
        return f"{self.method} {self.path}"

    @property
    def path(self) -> str:
        """Path below the server's URL, decoded."""
        return unquote(self.target.partition("?")[0])


@dataclass(slots=True)
class Answer:
    """A whole answer.

    Attributes:
        status: HTTP status.
        headers: Looked up in any case.
        body: The body, decompressed.
        warning: What its ``Warning`` fields say, all of them; mostly nothing.
        attempts: How often the client sent the request; after the first, an earlier one may
            have been carried out although its answer was lost.
        answered_s: When the whole answer was there, on the client's clock.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    warning: str = ""
    attempts: int = 0
    answered_s: float = 0.0


class Arrival(NamedTuple):
    """Something that came on a stream.

    Attributes:
        at_s: When it was read off the connection, on the clock that the stream was opened with.
        data: Decompressed; at least a byte.
    """

    at_s: float
    data: bytes


class AnswerStream(Protocol):
    """An answer that goes on and on; its reader closes it."""

    @property
    def status(self) -> int:
        """HTTP status."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Looked up in any case."""

    async def read_some(self) -> Sequence[Arrival]:
        """All that has come since, in order; nothing at the end.

        Raises:
            NoAnswerError: The connection broke, or was silent for too long.
        """

    def take_arrived(self) -> Sequence[Arrival]:
        """What has come and was not read yet, without waiting for more; it may be nothing."""

    def close(self) -> None:
        """Read no more of it."""


class Transport(Protocol):
    """A way to one API server.

    Nothing is sent twice, no redirect is followed, and the environment is not
    asked. Cancelling a request closes its connection.
    """

    async def ask(self, request: Request) -> Answer:
        """Send a request, and wait for all of the answer.

        Raises:
            NoAnswerError: There was none in time, or not all of it.
        """

    async def open_stream(self, request: Request, clock: Callable[[], float]) -> AnswerStream:
        """Send a request, and wait for the head of the answer. Raises the same.

        Arrivals are stamped by ``clock``.
        """

    async def aclose(self) -> None:
        """Close every connection. Requests in flight fail."""


def user_agent() -> str:
    """What we call ourselves."""
    try:
        return f"perfscale/{version('perfscale-load-generator')}"
    except PackageNotFoundError:
        return "perfscale/0"
