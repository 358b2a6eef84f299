"""Requests to the API server: retries, errors, and the few verbs that a run needs."""

from __future__ import annotations

from contextlib import asynccontextmanager
from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import msgspec

from perfscale.kube.calls import call_of
from perfscale.kube.decoding import OBJECT, UNREADABLE, illegible
from perfscale.kube.http.failures import NoAnswerError
from perfscale.kube.http.transport import LARGEST_LIST, Request
from perfscale.kube.ratelimit import RateLimiter
from perfscale.kube.retrying.aftermath import Aftermath, Known, StreamingLists, Waits
from perfscale.kube.retrying.proven import Proven
from perfscale.kube.retrying.recovery import Recovery
from perfscale.kube.retrying.retry import Timing
from perfscale.kube.status import error_from_answer
from perfscale.kube.wire import SUCCESS, Stream, Wire, target

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence

    from perfscale.errors import ApiError
    from perfscale.kube.auth.credentials import Credentials
    from perfscale.kube.calls import RequestObserver
    from perfscale.kube.http.transport import AnswerStream, Endpoint, Transport
    from perfscale.kube.resources import Resource
    from perfscale.kube.retrying.outages import OutageSpan
    from perfscale.kube.stats import RequestStats

T = TypeVar("T")


class Response(NamedTuple):
    """A successful answer.

    Attributes:
        status: HTTP status, 200 to 299.
        body: The body, as it came.
        headers: The answer's headers.
        attempts: How often the request was sent; after the first, an earlier
            one may have been carried out although its answer was lost.
        answered_s: When the whole answer was there, on the client's clock.
        warning: What its ``Warning`` fields say, all of them; mostly nothing.
    """

    status: int
    body: bytes
    headers: Mapping[str, str]
    attempts: int
    answered_s: float
    warning: str


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """Bounds of a client.

    Attributes:
        request_timeout_s: One request, from sending it to the end of the answer.
        max_unavailable_s: How long the server may be gone.
        watch_idle_timeout_s: How long a watch may be silent, bookmarks included.
    """

    request_timeout_s: float = 60.0
    max_unavailable_s: float = 300.0
    watch_idle_timeout_s: float = 90.0


class Client:
    """Speaks to one API server.

    The transport stays the caller's to close. Cancelling a request closes its
    connection; whether the server has carried it out is then not known.

    Attributes:
        server: The server's URL.
        settings: Its bounds.
        timing: Its clock, which all the times in answers are on.
        streaming_lists: What was found out about the server's streaming lists.
        proven: What has worked on the server.
        recovery: Who waits for the server to answer again.
    """

    def __init__(
        self,
        transport: Transport,
        endpoint: Endpoint,
        credentials: Credentials,
        *,
        limiter: RateLimiter | None = None,
        settings: ClientSettings | None = None,
        timing: Timing | None = None,
        known: Known | None = None,
        observer: RequestObserver | None = None,
    ) -> None:
        self.server = endpoint.server
        self.settings = settings or ClientSettings()
        self.timing = timing or Timing()
        self._known = known or Known(StreamingLists(), Proven(self.timing.clock), Recovery())
        self.streaming_lists = self._known.streaming_lists
        self.proven = self._known.proven
        self.recovery = self._known.recovery
        self._transport = transport
        self._endpoint = endpoint
        self._observer = observer
        self._wire = Wire(transport, credentials, limiter or RateLimiter(0), self.timing.clock)
        self._aftermath = Aftermath(
            self.server, self.settings.max_unavailable_s, self.timing, self._wire, self._known
        )

    def limited(self, limiter: RateLimiter, observer: RequestObserver | None = None) -> Client:
        """A client on the same connections, with a rate limit and counters of its own."""
        return Client(
            self._transport,
            self._endpoint,
            self._wire.credentials,
            limiter=limiter,
            settings=self.settings,
            timing=self.timing,
            known=self._known,
            observer=observer,
        )

    def observed_by(self, observer: RequestObserver) -> Client:
        """The same client, rate limit and counters, whose requests ``observer`` is notified of."""
        view = copy(self)
        view._observer = observer  # noqa: SLF001 -- a client of ours, just made
        return view

    @property
    def stats(self) -> RequestStats:
        """What was counted so far."""
        return self._wire.stats

    @property
    def outages(self) -> Sequence[OutageSpan]:
        """Those so far, of the server and of what it calls, in the order of their beginning."""
        return self._aftermath.outages

    # -- any request --------------------------------------------------------

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int] | None = None,
        body: bytes | None = None,
        content_type: str = "application/json",
        timeout_s: float | None = None,
        retry: bool = True,
        keep_body: bool = True,
    ) -> Response:
        """Send a request, and send it again while there is hope.

        Args:
            method: HTTP method.
            path: URL path, as `Resource.path` gives it.
            params: Query parameters.
            body: The body, ready to send.
            content_type: Its type.
            timeout_s: For each attempt; by default the client's.
            retry: Whether to send it again after 429, 5xx and lost connections.
            keep_body: Whether the response has its body; without, it is read and let go.

        Raises:
            ApiError: The server refused it; the subclass tells how.
            CredentialsError: 401, also with renewed credentials; of those that have worked
                before, also after a while.
            UnreachableError: The server cannot be reached, or has been gone
                for longer than the bound.
        """
        request = self._request(method, path, params, body, content_type, timeout_s)
        _, response = await self._exchange(request, _nothing, retry=retry, keep_body=keep_body)
        return response

    async def send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int] | None = None,
        body: bytes | None = None,
        content_type: str = "application/json",
        on_sent: Callable[[float], None] | None = None,
    ) -> Response:
        """Send a request whose times are measured. Raises what `request` raises.

        ``on_sent`` is called when it is first sent, as by `create_and_read`.
        """
        request = self._request(method, path, params, body, content_type)
        request.on_sent = on_sent
        if request.call.verb == "list":
            request.largest = LARGEST_LIST
        _, response = await self._exchange(request, _nothing)
        return response

    async def read(
        self,
        decoder: msgspec.json.Decoder[T],
        path: str,
        params: Mapping[str, str | int] | None = None,
        *,
        retry: bool = True,
    ) -> T:
        """GET what ``decoder`` decodes.

        Raises what `request` raises; IllegibleError where the answers are something else.
        """
        request = self._request("GET", path, params)
        if request.call.verb == "list":
            request.largest = LARGEST_LIST
        content, _ = await self._exchange(request, decoder.decode, retry=retry)
        return content

    def _request(
        self,
        method: str,
        path: str,
        params: Mapping[str, str | int] | None = None,
        body: bytes | None = None,
        content_type: str = "application/json",
        timeout_s: float | None = None,
    ) -> Request:
        return Request(
            method,
            target(path, params),
            self.settings.request_timeout_s if timeout_s is None else timeout_s,
            call_of(method, path),
            self._observer,
            body=body,
            content_type=content_type,
        )

    async def _exchange(
        self,
        request: Request,
        decode: Callable[[bytes], T],
        *,
        retry: bool = True,
        keep_body: bool = True,
    ) -> tuple[T, Response]:
        """Send a request, and send it again while there is hope."""
        waits: Waits | None = None
        while True:
            trouble: ApiError | NoAnswerError
            try:
                answer = await self._wire.ask(request, keep_body=keep_body)
            except NoAnswerError as error:
                trouble = error
            else:
                answered_s = self.timing.clock()
                self._wire.answered(request, answer, answered_s)
                status, headers, body, warning = answer
                if status in SUCCESS:
                    try:
                        content = decode(body)
                    except UNREADABLE as error:
                        trouble = illegible(request.what, status, headers, error)
                    else:
                        self._aftermath.success(request.call)
                        return content, Response(
                            status,
                            body,
                            headers,
                            request.attempts,
                            answered_s,
                            warning,
                        )
                else:
                    trouble = error_from_answer(status, headers, body, path=request.path)
            waits = waits or self._aftermath.waits(request, retry=retry)
            await self._aftermath.wait(request, trouble, waits)

    @asynccontextmanager
    async def open_stream(
        self, path: str, params: Mapping[str, str | int] | None = None
    ) -> AsyncIterator[Stream]:
        """Open an answer that goes on and on: a watch. It is not retried.

        Raises:
            ApiError: The server refused it; the subclass tells how.
            CredentialsError: 401, also with renewed credentials.
            UnreachableError: No connection, or no answer in time.
        """
        request = Request(
            "GET",
            target(path, params),
            self.settings.watch_idle_timeout_s,
            call_of("GET", path, watch=True),
            self._observer,
        )
        answer = await self._open(request, path)
        self._wire.answered(request, answer, self.timing.clock())
        self._aftermath.success(request.call)
        try:
            yield Stream(answer, self._aftermath.broken)
        finally:
            answer.close()

    async def _open(self, request: Request, path: str) -> AnswerStream:
        while True:
            try:
                answer = await self._wire.open_stream(request)
                if answer.status in SUCCESS:
                    return answer
                content = await self._wire.explanation(request, answer)
            except NoAnswerError as error:
                self._aftermath.after_no_answer(request, error, None)
                raise
            self._wire.answered(request, answer, self.timing.clock())
            refusal = error_from_answer(answer.status, answer.headers, content, path=path)
            await self._aftermath.after_refusal(request, refusal, None)

    # -- the verbs of a run -------------------------------------------------

    async def create(self, resource: Resource, namespace: str | None, body: bytes) -> Response:
        """POST an object. Raises what `request` raises.

        A retry of a create whose answer was lost may raise AlreadyExistsError,
        with ``attempts`` above 1.
        """
        return await self.request("POST", resource.path(namespace), body=body)

    async def create_and_read(
        self,
        decoder: msgspec.json.Decoder[T],
        resource: Resource,
        namespace: str | None,
        body: bytes,
        params: Mapping[str, str | int] | None = None,
        *,
        on_sent: Callable[[float], None] | None = None,
    ) -> tuple[T, Response]:
        """POST an object, and decode what the server made of it. Raises what `create` raises.

        ``on_sent`` is called when it is first sent, after the limiter has admitted it, with the
        time on the client's clock. An event about the object may come before the answer does.

        A create whose answer cannot be read is sent again: then, too, an AlreadyExistsError
        may be about the object itself.
        """
        path = resource.path(namespace)
        request = Request(
            "POST",
            target(path, params),
            self.settings.request_timeout_s,
            call_of("POST", path),
            self._observer,
            body=body,
            content_type="application/json",
        )
        request.on_sent = on_sent
        return await self._exchange(request, decoder.decode)

    async def delete(
        self,
        resource: Resource,
        namespace: str | None,
        name: str,
        *,
        uid: str | None = None,
        propagation: str = "Background",
    ) -> Response:
        """DELETE one object; with ``uid``, only if it is still that one.

        Raises what `request` raises: NotFoundError where it is gone, also when
        a retry finds that the first attempt did it; ConflictError where another
        object has taken its name.
        """
        options: dict[str, Any] = {"propagationPolicy": propagation}
        if uid is not None:
            options["preconditions"] = {"uid": uid}
        path, body = resource.path(namespace, name), _delete_options(options)
        _, response = await self._exchange(self._request("DELETE", path, body=body), OBJECT.decode)
        return response

    async def delete_collection(
        self,
        resource: Resource,
        namespace: str | None,
        *,
        label_selector: str,
        propagation: str = "Background",
        timeout_s: float | None = None,
        retry: bool = True,
    ) -> Response:
        """DELETE every object that the selector selects. Raises what `request` raises.

        The response has no body: the answer holds every one of the objects.
        """
        return await self.request(
            "DELETE",
            resource.path(namespace),
            params={"labelSelector": label_selector},
            body=_delete_options({"propagationPolicy": propagation}),
            timeout_s=timeout_s,
            retry=retry,
            keep_body=False,
        )


def _nothing(_: bytes) -> None:
    """Where nobody wants to know what an answer says."""


def _delete_options(options: dict[str, Any]) -> bytes:
    return msgspec.json.encode({"kind": "DeleteOptions", "apiVersion": "v1", **options})
