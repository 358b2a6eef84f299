"""Requests to the API server: retries, errors, and the few verbs that a run needs."""

from __future__ import annotations

import logging
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from perfscale.errors import (
    CredentialsError,
    DependencyError,
    NotPermittedError,
    UnreachableError,
)
from perfscale.kube.calls import call_of
from perfscale.kube.failures import Failure, NoAnswerError
from perfscale.kube.initial import StreamingLists
from perfscale.kube.listing import DEFAULT_PAGE, page_decoder, read_pages
from perfscale.kube.outages import DependencyOutages, Outage, OutageLog
from perfscale.kube.proven import Proven
from perfscale.kube.ratelimit import RateLimiter
from perfscale.kube.recovery import Pause, Recovery
from perfscale.kube.retry import UNAVAILABLE, Patience, Timing
from perfscale.kube.status import error_from_answer
from perfscale.kube.transport import Answer, Request
from perfscale.kube.wire import SUCCESS, Stream, Wire, read_rest, target

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from perfscale.errors import ApiError
    from perfscale.kube.calls import RequestObserver
    from perfscale.kube.credentials import Credentials
    from perfscale.kube.outages import OutageSpan
    from perfscale.kube.resources import Resource
    from perfscale.kube.stats import RequestStats
    from perfscale.kube.transport import AnswerStream, Endpoint, Transport

_log = logging.getLogger(__name__)

_RENEWALS: Final = 2
"""How often one request has its credentials replaced: a second time for those
that ran out while the request waited to be sent again."""


class Response(NamedTuple):
    """A successful answer.

    Attributes:
        status: HTTP status, 200 to 299.
        body: The body, as it came.
        headers: The answer's headers.
        attempts: How often the request was sent; after the first, an earlier
            one may have been carried out although its answer was lost.
        sent_s: When it was first sent, after the run's limiter had admitted
            it, on the client's clock.
        answered_s: When the whole answer was there, on the client's clock.
    """

    status: int
    body: bytes
    headers: Mapping[str, str]
    attempts: int
    sent_s: float
    answered_s: float


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


class Known(NamedTuple):
    """What was found out about one server, for every client of it to know."""

    streaming_lists: StreamingLists
    proven: Proven
    recovery: Recovery


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
        self._wire = Wire(
            transport, credentials, limiter or RateLimiter(0), self.timing.clock, observer
        )
        self._log = OutageLog(self._wire.stats)
        self._outage = Outage(self.timing.clock, self._log)
        self._dependencies = DependencyOutages(self.timing.clock, self._log)

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

    @property
    def stats(self) -> RequestStats:
        """What was counted so far."""
        return self._wire.stats

    @property
    def outages(self) -> Sequence[OutageSpan]:
        """Those so far, of the server and of what it calls, in the order of their beginning."""
        return self._log.spans

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
        request = Request(
            method,
            target(path, params),
            self.settings.request_timeout_s if timeout_s is None else timeout_s,
            call_of(method, path),
            body=body,
            content_type=content_type,
        )
        patience: Patience | None = None
        # Reads are no load: they are sent again as soon as anything else succeeds.
        pause = Pause(self.recovery, self.timing, eager=method == "GET")
        while True:
            try:
                answer = await self._wire.ask(request, keep_body=keep_body)
            except NoAnswerError as error:
                patience = patience or self._patience()
                delay_s = self._after_silence(request, error, patience if retry else None)
                throttled, asked_s = False, 0.0
            else:
                if answer.status in SUCCESS:
                    self._succeeded(request)
                    return self._response(request, answer)
                self._wire.answered(request, answer, self.timing.clock())
                patience = patience or self._patience()
                refusal = error_from_answer(answer.status, answer.headers, answer.body, path=path)
                delay_s = await self._after_refusal(request, refusal, patience if retry else None)
                throttled, asked_s = answer.status == 429, refusal.retry_after_s or 0.0
            self._wire.retried(request, delay_s if throttled else 0.0)
            await pause.sleep(delay_s, at_least_s=delay_s if throttled else asked_s)

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
        )
        answer = await self._open(request, path)
        self._wire.answered(request, answer, self.timing.clock())
        self._succeeded(request)
        try:
            yield Stream(answer, self._broken)
        finally:
            answer.close()

    async def _open(self, request: Request, path: str) -> AnswerStream:
        while True:
            try:
                answer = await self._wire.open_stream(request)
                if answer.status in SUCCESS:
                    return answer
                content = await read_rest(answer)
            except NoAnswerError as error:
                failure = self._wire.failed(error.failure, request)
                self._lost_touch(failure)
                raise self._unreachable(failure, request) from error
            self._wire.answered(request, answer, self.timing.clock())
            await self._after_refusal(
                request,
                error_from_answer(answer.status, answer.headers, content, path=path),
                None,
            )

    def _succeeded(self, request: Request) -> None:
        if self._outage.end():
            self.recovery.outage_over()
        self.proven.add(request.call)
        if self.recovery.sleepers:
            self.recovery.notify()
        if self._dependencies.held_up:
            self._dependencies.worked(request.call)

    def _response(self, request: Request, answer: Answer) -> Response:
        answered_s = self.timing.clock()
        self._wire.answered(request, answer, answered_s)
        return Response(
            answer.status,
            answer.body,
            answer.headers,
            request.attempts,
            request.sent_s,
            answered_s,
        )

    def _patience(self) -> Patience:
        return Patience(self.timing, self.settings.max_unavailable_s)

    # -- after a failure ----------------------------------------------------

    def _after_silence(
        self, request: Request, error: NoAnswerError, patience: Patience | None
    ) -> float:
        """How long to wait before sending it again; raises where there is no hope.

        Until the server has answered for the first time, a connection that
        cannot be made is a mistake in the configuration, and said at once.
        """
        failure = self._wire.failed(error.failure, request)
        outage_s = self._lost_touch(failure)
        hopeless = not self._outage.reached and (failure.connecting or failure.timeout)
        if patience is None or hopeless:
            raise self._unreachable(failure, request) from error
        delay_s = patience.after_silence(outage_s)
        if delay_s is None:
            raise self._unreachable(failure, request, gone=True) from error
        return delay_s

    def _lost_touch(self, failure: Failure) -> float:
        """For how long the server has been gone: not at all, if it is our own machine's fault."""
        if failure.local:
            return 0.0
        self.proven.disturb()
        return self._outage.lasted_s(connecting=failure.connecting)

    async def _after_refusal(
        self, request: Request, refusal: ApiError, patience: Patience | None
    ) -> float:
        """The same after an error answer; renews the credentials after a 401."""
        refusal.attempts = request.attempts
        refusal.sent_s = request.sent_s
        refusal.answered_s = self.timing.clock()
        outage_s = self._judge(request, refusal)
        if refusal.status == 401 and await self._replace_credentials(request, refusal):
            return 0.0
        delay_s = None
        if patience is not None:
            creating = request.method == "POST"
            delay_s = patience.after_answer(refusal, outage_s, creating=creating)
        if delay_s is not None:
            return delay_s
        if refusal.status == 401:
            raise self._rejected(refusal) from refusal
        if patience is not None and patience.is_over(outage_s):
            raise self._unreachable(Failure(str(refusal)), request, gone=True) from refusal
        raise refusal

    def _judge(self, request: Request, refusal: ApiError) -> float:
        """For how long the server has been gone, if that is what it says."""
        if isinstance(refusal, DependencyError):
            self._dependencies.failed(request.call, refusal)
        elif refusal.status in UNAVAILABLE:
            self.proven.disturb()
            return self._outage.lasted_s()
        elif refusal.status == 401:
            refusal.may_pass = self.proven.doubts_rejection()
        elif isinstance(refusal, NotPermittedError):
            refusal.may_pass = self.proven.doubts_refusal(request.call)
        elif (refusal.status or 0) < 500 and self._dependencies.held_up:
            self._dependencies.worked(request.call)
        if refusal.may_pass:
            self._outage.lasted_s()
        elif self._outage.end():
            self.recovery.outage_over()
        return 0.0

    async def _replace_credentials(self, request: Request, refusal: ApiError) -> bool:
        """Whether another attempt carries other credentials.

        Raises:
            CredentialsError: There are none to be had, and those in hand never worked.
        """
        request.renewals += 1
        if request.renewals > _RENEWALS:
            return False
        self.stats.credential_renewals += 1
        try:
            return await self._wire.credentials.replace(request.authorization)
        except CredentialsError as error:
            if not refusal.may_pass:
                raise
            _log.warning("credentials could not be renewed: %s", error)
            return False

    def _rejected(self, refusal: ApiError) -> CredentialsError:
        error = CredentialsError(
            f"{self.server} refused the credentials: {refusal}",
            status=refusal.status,
            reason=refusal.reason,
            hint="log in to the cluster again, or check the user of the kubeconfig's context",
        )
        error.may_pass = refusal.may_pass
        return error

    def _broken(self, error: NoAnswerError) -> UnreachableError:
        """Count and explain a stream that broke off."""
        return self._unreachable(self._wire.failed(error.failure))

    def _unreachable(
        self, failure: Failure, request: Request | None = None, *, gone: bool = False
    ) -> UnreachableError:
        bound_s = self.settings.max_unavailable_s
        text = f"no answer from {self.server} for {bound_s:g} s" if gone else self.server
        error = UnreachableError(f"{text}: {failure.text}", hint=failure.hint)
        if request is not None:
            error.attempts = request.attempts
            error.sent_s = request.sent_s if request.attempts else None
        return error

    # -- the verbs of a run -------------------------------------------------

    async def get_json(
        self, path: str, params: Mapping[str, str | int] | None = None
    ) -> dict[str, Any]:
        """GET a JSON object. Raises what `request` raises."""
        response = await self.request("GET", path, params=params)
        return msgspec.json.decode(response.body, type=dict[str, Any])

    async def list_pages(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        label_selector: str | None = None,
        limit: int = DEFAULT_PAGE,
    ) -> AsyncIterator[tuple[list[dict[str, Any]], str]]:
        """List objects page by page, as ``(items, resourceVersion)``.

        A list that expires on the way begins again: objects may come twice.
        """
        decoder = page_decoder(dict[str, Any])
        async for page in read_pages(
            self, resource, decoder, namespace=namespace, label_selector=label_selector, limit=limit
        ):
            yield page.items, page.version

    async def create(self, resource: Resource, namespace: str | None, body: bytes) -> Response:
        """POST an object. Raises what `request` raises.

        A retry of a create whose answer was lost may raise AlreadyExistsError,
        with ``attempts`` above 1.
        """
        return await self.request("POST", resource.path(namespace), body=body)

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
        return await self.request(
            "DELETE", resource.path(namespace, name), body=_delete_options(options)
        )

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


def _delete_options(options: dict[str, Any]) -> bytes:
    return msgspec.json.encode({"kind": "DeleteOptions", "apiVersion": "v1", **options})
