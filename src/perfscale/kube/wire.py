"""One request onto the wire: signed, and admitted."""

from __future__ import annotations

import asyncio
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlencode

from perfscale.kube.decoding import is_json
from perfscale.kube.http.failures import NO_JSON, NoAnswerError, unanswered_for
from perfscale.kube.http.transport import Answer
from perfscale.kube.stats import RequestStats

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from perfscale.kube.auth.credentials import Credentials
    from perfscale.kube.http.failures import Failure
    from perfscale.kube.http.transport import AnswerStream, Request, Transport
    from perfscale.kube.ratelimit import RateLimiter

SUCCESS: Final = range(200, 300)
_LONGEST_EXPLANATION: Final = 1 << 20
_SAFE: Final = "/:@!$&'()*+,;=~"
"""What RFC 3986 allows in a path besides letters, digits and ``-._``."""


@lru_cache(maxsize=1024)
def encoded(path: str) -> str:
    """A path, percent-encoded; remembered, as creates go to the same ones again and again."""
    return quote(path, safe=_SAFE)


def target(path: str, params: Mapping[str, str | int] | None = None) -> str:
    """A path and its query, encoded here once and for all."""
    return f"{encoded(path)}?{urlencode(params, quote_via=quote)}" if params else encoded(path)


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

    async def admit(self, request: Request) -> None:
        """Wait until a request may be sent, and note that it is sent now."""
        credentials = self.credentials
        if credentials.due_s is not None and credentials.due:
            await credentials.renew()
        if self._limiter.qps:
            await self._limiter.acquire()
        request.authorization = credentials.authorization
        request.attempts += 1
        request.last_sent_s = self._clock()
        if request.attempts == 1:
            request.sent_s = request.last_sent_s
            if request.on_sent is not None:
                request.on_sent(request.sent_s)
        self.stats.sent += 1

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

    def failed(self, request: Request, failure: Failure) -> None:
        """Notify of a request without an answer."""
        self.stats.local_failures += failure.local
        if request.observer is not None:
            request.observer.unanswered(request.call, timeout=failure.timeout)

    async def explanation(self, request: Request, answer: AnswerStream) -> bytes:
        """The body of an error answer, within a request's time. Raises the same."""
        try:
            async with asyncio.timeout(request.timeout_s):
                return await read_rest(answer)
        except TimeoutError as error:
            raise NoAnswerError(unanswered_for(request.timeout_s)) from error

    async def skim(self, request: Request) -> Answer:
        """Send an admitted request; the answer within its time, without the body of a success.

        Raises:
            NoAnswerError: There was none, or not all of it, or it is not JSON.
        """
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
