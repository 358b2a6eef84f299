"""Requests to the API server: retries, errors, and the few verbs that a run needs."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from perfscale.kube.calls import call_of
from perfscale.kube.decoding import OBJECT, UNREADABLE, illegible
from perfscale.kube.http.failures import NoAnswerError
from perfscale.kube.http.transport import LARGEST_LIST, Request
from perfscale.kube.ratelimit import RateLimiter
from perfscale.kube.retrying.failure_handler import FailureHandler
from perfscale.kube.retrying.known_server import KnownServer
from perfscale.kube.retrying.retry import Timing
from perfscale.kube.status import error_from_answer
from perfscale.kube.wire import SUCCESS, Wire, target

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from perfscale.errors import ApiError, UnreachableError
    from perfscale.kube.auth.credentials import Credentials
    from perfscale.kube.calls import RequestObserver
    from perfscale.kube.http.transport import Answer, AnswerStream, Endpoint, Transport
    from perfscale.kube.resources import Resource
    from perfscale.kube.retrying.outages import OutageSpan
    from perfscale.kube.stats import RequestStats

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
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
        known: What was found out about the server.
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
        known: KnownServer | None = None,
        observer: RequestObserver | None = None,
    ) -> None:
        self.server = endpoint.server
        self.settings = settings or ClientSettings()
        self.timing = timing or Timing()
        self.known = known or KnownServer(self.timing.clock)
        self._transport = transport
        self._endpoint = endpoint
        self._observer = observer
        self._wire = Wire(transport, credentials, limiter or RateLimiter(0), self.timing.clock)
        self._failures = FailureHandler(
            self.server, self.settings.max_unavailable_s, self.timing, self._wire, self.known
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
            known=self.known,
            observer=observer,
        )

    def observed_by(self, observer: RequestObserver) -> Client:
        """The same client, rate limit and counters, whose requests ``observer`` is notified of."""
        view = copy(self)
        view._observer = observer  # noqa: SLF001 -- a client of ours, just made
        return view

    @property
    def stats(self) -> RequestStats:
        """What it counted so far that no observer is notified of."""
        return self._wire.stats

    @property
    def outages(self) -> Sequence[OutageSpan]:
        """Those so far, of the server and of what it calls, in the order of their beginning."""
        return self._failures.outages

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
    ) -> Answer:
        """Send a request, and send it again while there is hope.

        Args:
            method: HTTP method.
            path: URL path, as `Resource.path` gives it.
            params: Query parameters.
            body: The body, ready to send.
            content_type: Its type.
            timeout_s: For each attempt; by default the client's.
            retry: Whether to send it again after 429, 5xx and lost connections.
            keep_body: Whether the answer has its body; without, it is read and let go.

        Raises:
            ApiError: The server refused it; a subclass for each kind of refusal.
            CredentialsError: 401, also with renewed credentials; of those that have worked
                before, also after a while.
            UnreachableError: The server cannot be reached, or has been gone
                for longer than the bound.
        """
        request = self._request(method, path, params, body, content_type, timeout_s)
        _, answer = await self._exchange(request, _nothing, retry=retry, keep_body=keep_body)
        return answer

    async def send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int] | None = None,
        body: bytes | None = None,
        content_type: str = "application/json",
        on_sent: Callable[[float], None] | None = None,
        on_retry: Callable[[bool], None] | None = None,
    ) -> Answer:
        """Send a request whose times are measured. Raises what `request` raises.

        ``on_sent`` is called when it is first sent, as by `create_and_read`, and ``on_retry``
        before it is sent again, with whether it had been refused.
        """
        request = self._request(method, path, params, body, content_type)
        request.on_sent = on_sent
        request.on_retry = on_retry
        _, answer = await self._exchange(request, _nothing)
        return answer

    def list_and_read(
        self,
        decoder: msgspec.json.Decoder[T],
        path: str,
        params: Mapping[str, str | int],
        *,
        on_sent: Callable[[float], None] | None = None,
    ) -> Awaitable[tuple[T, Answer]]:
        """GET a page of a list whose times are measured, and decode it. Raises what `read` raises.

        ``on_sent`` is called as by `send`.
        """
        request = self._request("GET", path, params)
        request.on_sent = on_sent
        request.largest = LARGEST_LIST
        return self._exchange(request, decoder.decode)

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
            content_type=None if body is None else content_type,
        )

    async def _exchange(
        self,
        request: Request,
        decode: Callable[[bytes], T],
        *,
        retry: bool = True,
        keep_body: bool = True,
    ) -> tuple[T, Answer]:
        """Send a request, and send it again while there is hope."""
        wire, waits = self._wire, None
        send = self._transport.ask if keep_body else wire.skim
        while True:
            trouble: ApiError | NoAnswerError
            try:
                await wire.admit(request)
                answer = await send(request)
            except NoAnswerError as error:
                trouble = error
            else:
                answer.attempts = request.attempts
                answer.answered_s = self.timing.clock()
                wire.answered(request, answer, answer.answered_s)
                status, headers, body = answer.status, answer.headers, answer.body
                if status in SUCCESS:
                    try:
                        content = decode(body)
                    except UNREADABLE as error:
                        trouble = illegible(request.what, status, headers, error)
                    else:
                        self._failures.success(request.call)
                        return content, answer
                else:
                    trouble = error_from_answer(status, headers, body, path=request.path)
            waits = waits or self._failures.waits(request, retry=retry)
            await self._failures.wait(request, trouble, waits)
            if request.on_retry is not None:
                request.on_retry(not isinstance(trouble, NoAnswerError))

    async def open_stream(
        self, path: str, params: Mapping[str, str | int] | None = None
    ) -> AnswerStream:
        """Open an answer that goes on and on: a watch. It is not retried, and its reader closes it.

        What breaks it later is for `broken` to explain.

        Raises:
            ApiError: The server refused it; a subclass for each kind of refusal.
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
        while True:
            try:
                await self._wire.admit(request)
                answer = await self._transport.open_stream(request, self.timing.clock)
                refused = answer.status not in SUCCESS
                content = await self._wire.explanation(request, answer) if refused else b""
            except NoAnswerError as error:
                self._failures.after_no_answer(request, error, None)
                raise
            self._wire.answered(request, answer, self.timing.clock())
            if not refused:
                self._failures.success(request.call)
                return answer
            refusal = error_from_answer(answer.status, answer.headers, content, path=path)
            await self._failures.after_refusal(request, refusal, None)

    def broken(self, error: NoAnswerError) -> UnreachableError:
        """Count and explain what reading an open stream has raised."""
        return self._failures.broken(error)

    # -- the verbs of a run -------------------------------------------------

    def create_and_read(
        self,
        decoder: msgspec.json.Decoder[T],
        resource: Resource,
        namespace: str | None,
        body: bytes,
        params: Mapping[str, str | int] | None = None,
        *,
        on_sent: Callable[[float], None] | None = None,
    ) -> Awaitable[tuple[T, Answer]]:
        """POST an object, and decode what the server made of it. Raises what `request` raises.

        A retry of a create whose answer was lost may raise AlreadyExistsError,
        with ``attempts`` above 1.

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
            body,
            "application/json",
            on_sent,
        )
        return self._exchange(request, decoder.decode)

    async def delete(
        self,
        resource: Resource,
        namespace: str | None,
        name: str,
        *,
        uid: str | None = None,
        propagation: str = "Background",
    ) -> Answer:
        """DELETE one object; with ``uid``, only if it is still that one.

        Raises what `request` raises: NotFoundError where it is gone, also when
        a retry finds that the first attempt did it; ConflictError where another
        object has taken its name.
        """
        options: dict[str, Any] = {"propagationPolicy": propagation}
        if uid is not None:
            options["preconditions"] = {"uid": uid}
        path, body = resource.path(namespace, name), _delete_options(options)
        _, answer = await self._exchange(self._request("DELETE", path, body=body), OBJECT.decode)
        return answer

    async def delete_collection(
        self,
        resource: Resource,
        namespace: str | None,
        *,
        label_selector: str,
        propagation: str = "Background",
        timeout_s: float | None = None,
        retry: bool = True,
    ) -> Answer:
        """DELETE every object that the selector selects. Raises what `request` raises.

        The body, which holds every one of the objects, is not kept.
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
