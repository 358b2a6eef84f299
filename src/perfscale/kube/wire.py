"""One request onto the wire: signed, and admitted."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlencode

from perfscale.kube.decoding import is_json
from perfscale.kube.http.failures import NO_JSON, NoAnswerError, unanswered_for
from perfscale.kube.http.transport import Answer
from perfscale.kube.stats import RequestStats

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from perfscale.errors import UnreachableError
    from perfscale.kube.auth.credentials import Credentials
    from perfscale.kube.http.failures import Failure
    from perfscale.kube.http.transport import AnswerStream, Arrival, Request, Transport
    from perfscale.kube.ratelimit import RateLimiter

SUCCESS: Final = range(200, 300)
_LONGEST_EXPLANATION: Final = 1 << 20
_SAFE: Final = "/:@!$&'()*+,;=~"
"""What RFC 3986 allows in a path besides letters, digits and ``-._``."""


def target(path: str, params: Mapping[str, str | int] | None = None) -> str:
    """A path and its query, encoded here once and for all."""
    encoded = quote(path, safe=_SAFE)
    return f"{encoded}?{urlencode(params, quote_via=quote)}" if params else encoded


class Wire:
    """Sends requests to one endpoint, when the limiter admits them.

    Attributes:
        stats: What it counted so far that it notifies no observer of.
        credentials: Who we are.
    """

    def __init__(
        self,
        transport: Transport,
        credentials: Credentials,
        limiter: RateLimiter,
        clock: Callable[[], float],
    ) -> None:
        self.stats = RequestStats()
        self.credentials = credentials
        self._transport = transport
        self._limiter = limiter
        self._clock = clock

    async def ask(self, request: Request, *, keep_body: bool = True) -> Answer:
        """Send a request, once, and return the whole answer.

        Args:
            request: The request.
            keep_body: Whether the body of a success is wanted; one of an error always is.

        Raises:
            NoAnswerError: There was none, or not all of it.
        """
        await self._admit(request)
        return await (self._transport.ask(request) if keep_body else self._skim(request))

    async def open_stream(self, request: Request) -> AnswerStream:
        """Send a request, once, and return when the answer's headers are there.

        The caller closes the answer. Raises the same.
        """
        await self._admit(request)
        return await self._transport.open_stream(request, self._clock)

    def answered(self, request: Request, answer: Answer | AnswerStream, answered_s: float) -> None:
        """Notify of an answer, all of which was there at ``answered_s``; of a watch, its headers.

        The observer is notified of every attempt that ends, here or in `failed`.
        """
        if request.observer is not None:
            request.observer.answered(
                request.call,
                answer.status,
                request.last_sent_s,
                answered_s,
                answer.headers.get("Date"),
            )

    def failed(self, failure: Failure, request: Request | None = None) -> Failure:
        """Notify of a request without an answer; for None, count a stream that broke off."""
        stats = self.stats
        if request is None:
            if failure.timeout:
                stats.silent_streams += 1
            else:
                stats.broken_streams += 1
            return failure
        stats.local_failures += failure.local
        if request.observer is not None:
            request.observer.unanswered(request.call, timeout=failure.timeout)
        return failure

    def retried(self, request: Request, throttled_s: float) -> None:
        """A request is going to be sent again, after it has waited so long because of a 429."""
        if request.observer is not None:
            request.observer.retried(request.call, throttled_s)

    async def explanation(self, request: Request, answer: AnswerStream) -> bytes:
        """The body of an error answer, within a request's time. Raises the same."""
        try:
            async with asyncio.timeout(request.timeout_s):
                return await read_rest(answer)
        except TimeoutError as error:
            raise NoAnswerError(unanswered_for(request.timeout_s)) from error

    async def _skim(self, request: Request) -> Answer:
        """The whole answer within its time, without the body of a success."""
        try:
            async with asyncio.timeout(request.timeout_s):
                stream = await self._transport.open_stream(request, self._clock)
                wanted = stream.status not in SUCCESS
                if not (wanted or is_json(stream.headers)):
                    stream.close()
                    raise NoAnswerError(NO_JSON)
                body = await read_rest(stream, keep=wanted)
        except TimeoutError as error:
            raise NoAnswerError(unanswered_for(request.timeout_s)) from error
        return Answer(stream.status, stream.headers, body)

    async def _admit(self, request: Request) -> None:
        """Wait until it may be sent, and note that it is."""
        if self.credentials.due:
            await self.credentials.renew()
        await self._limiter.acquire()
        request.authorization = self.credentials.authorization
        request.attempts += 1
        request.last_sent_s = self._clock()
        if request.attempts == 1:
            request.sent_s = request.last_sent_s
            if request.on_sent is not None:
                request.on_sent(request.sent_s)
        self.stats.sent += 1


async def read_rest(answer: AnswerStream, *, keep: bool = True) -> bytes:
    """What an answer still says, to its end; nothing if it is not to be kept.

    It explains an error: of one that goes on and on, the beginning.
    """
    content = bytearray()
    try:
        while arrivals := await answer.read_some():
            for arrival in arrivals if keep else ():
                content += arrival.data
            if len(content) > _LONGEST_EXPLANATION:
                break
    finally:
        answer.close()
    return bytes(content)


class Stream:
    """The body of an answer that goes on and on."""

    def __init__(
        self, answer: AnswerStream, explain: Callable[[NoAnswerError], UnreachableError]
    ) -> None:
        self._answer = answer
        self._explain = explain

    async def read_some(self) -> Sequence[Arrival]:
        """All that has come since, in order; nothing at the end.

        Raises:
            UnreachableError: The connection broke, or was silent for too long.
        """
        try:
            return await self._answer.read_some()
        except NoAnswerError as error:
            raise self._explain(error) from error
