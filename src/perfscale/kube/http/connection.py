"""One HTTP/1.1 connection, with as few steps for an answer as there can be.

Every wake-up of a task finds the processor's caches cold. So an answer takes
one, and a stream one for all that has gathered, stamped as it came; and no request
has a timer of its own: the owner of the connections checks their deadlines when the
first of them may have passed.
"""

from __future__ import annotations

import asyncio
import math
import time
from typing import TYPE_CHECKING, cast

from perfscale.kube.http.failures import (
    BROKEN_OFF,
    CLOSED,
    SILENT,
    NoAnswerError,
    lost,
    unanswered_for,
)
from perfscale.kube.http.reply import Reply
from perfscale.kube.http.transport import GATHER_S, KEEPALIVE_S, READ_BUFFER, Answer, Arrival

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from perfscale.kube.http.direct import DirectTransport


class Connection(asyncio.Protocol):
    """Carries one request at a time; as an `AnswerStream`, the answer that goes on.

    Args:
        loop: The event loop that it is on.
        owner: Keeps it while it is open, and checks its deadlines.

    Attributes:
        transport: asyncio's, once it is open.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, owner: DirectTransport) -> None:
        self.transport: asyncio.Transport
        self._loop = loop
        self._owner = owner
        self._reply = Reply()
        self._busy = False
        self._answer: asyncio.Future[Answer] | None = None
        self._clock: Callable[[], float] = time.monotonic
        self._arrivals: list[Arrival] = []
        self._reader: asyncio.Future[None] | None = None
        self._gathering: asyncio.TimerHandle | None = None
        self._woken_s = -math.inf
        self._failure: NoAnswerError | None = None
        self._deadline_s = math.inf
        self._timeout_s = math.inf
        self._unread = 0
        self._paused = False

    @property
    def status(self) -> int:
        """The answer's HTTP status."""
        return self._reply.status

    @property
    def headers(self) -> Mapping[str, str]:
        """The answer's header fields."""
        return self._reply.headers

    # -- requests -----------------------------------------------------------

    def send(
        self, message: bytes, timeout_s: float, deadline_s: float, largest: int
    ) -> asyncio.Future[Answer]:
        """Send a request; the future gets all of its answer, or a `NoAnswerError`.

        Args:
            message: Head and body, ready to send.
            timeout_s: The bound, for the error.
            deadline_s: When it is over, on the loop's clock.
            largest: Bytes of the answer at most.
        """
        self._send(message, timeout_s, deadline_s, largest)
        self._answer = self._loop.create_future()
        return self._answer

    async def open_stream(
        self, message: bytes, silence_s: float, clock: Callable[[], float]
    ) -> None:
        """Send a request, and wait for the head of the answer."""
        self._send(message, silence_s, self._loop.time() + silence_s)
        self._clock = clock
        try:
            while not self._reply.status:
                await self._more()
        except BaseException:
            self.abort()
            raise

    async def read_some(self) -> Sequence[Arrival]:
        """All that has come of the stream since; nothing at the end."""
        while not self._arrivals and not self._reply.complete:
            await self._more()
        return self.take_arrived()

    def take_arrived(self) -> Sequence[Arrival]:
        """What has come of the stream and was not read yet."""
        arrivals, self._arrivals = self._arrivals, []
        self._unread = 0
        if self._paused:
            self._paused = False
            self.transport.resume_reading()
        return arrivals

    def close(self) -> None:
        """Read no more of the stream."""
        if self._busy and self._reply.reusable and not self._paused:
            self._release()
        else:
            self.abort()

    def abort(self) -> None:
        """Close it without another word."""
        self.transport.abort()

    def check_deadline(self, now_s: float) -> float:
        """Time out what takes too long; returns when to check again."""
        if self._paused:  # our reader is slow, not the server: it may have sent long ago
            self._deadline_s = now_s + self._timeout_s
        if now_s < self._deadline_s:
            return self._deadline_s
        if self._busy:
            whole = self._answer is not None
            self._fail(NoAnswerError(unanswered_for(self._timeout_s) if whole else SILENT))
        self.abort()
        return math.inf

    def _send(
        self, message: bytes, timeout_s: float, deadline_s: float, largest: float = math.inf
    ) -> None:
        if self._failure is not None:
            # It was closed after `opened` and before the task that waits for it ran.
            raise self._failure
        self._reply.begin(largest)
        self._busy = True
        if self._arrivals:
            self._arrivals.clear()
            self._unread = 0
        self._timeout_s = timeout_s
        self._deadline_s = deadline_s
        if deadline_s < self._owner.next_check_s:
            self._owner.check_by(deadline_s)
        self.transport.write(message)

    def _more(self) -> asyncio.Future[None]:
        """Wait for more to come."""
        if self._failure is not None:
            raise self._failure
        self._reader = self._loop.create_future()
        return self._reader

    def _release(self) -> None:
        self._busy = False
        self._deadline_s = deadline_s = self._loop.time() + KEEPALIVE_S
        if deadline_s < self._owner.next_check_s:
            self._owner.check_by(deadline_s)
        self._owner.idle[self] = None

    # -- asyncio's ----------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is open."""
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is none by its type
        self._owner.connections.add(self)

    def data_received(self, data: bytes) -> None:
        """Some more has come."""
        if not self._busy:
            # Bytes that answer no request would be taken for the next one's answer.
            self.abort()
            return
        reply = self._reply
        begun = reply.status > 0
        try:
            reply.feed(data)
        except NoAnswerError as error:
            self._fail(error)
            self.abort()
            return
        if self._answer is not None:
            if reply.complete:
                self._hand_over(self._answer)
        elif reply.status:
            self._gather(at_once=not begun)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is closed."""
        self._owner.connections.discard(self)
        self._owner.idle.pop(self, None)
        reply = self._reply
        if exc is None:
            # An answer without a length ends with the connection (RFC 9112, 6.3).
            reply.feed_eof()
        if reply.complete and self._answer is not None:
            self._hand_over(self._answer)
        elif reply.complete and self._busy:
            self._gather(at_once=True)
        elif reply.status and not reply.complete and not isinstance(exc, TimeoutError):
            self._fail(NoAnswerError(BROKEN_OFF))
        else:
            self._fail(NoAnswerError(CLOSED if exc is None else lost(exc)))

    def _gather(self, *, at_once: bool) -> None:
        """Keep what has come of a stream; wake its reader now, or once for all that gathers."""
        reply = self._reply
        now_s = self._loop.time()
        self._deadline_s = now_s + self._timeout_s
        try:
            data = reply.take()
        except NoAnswerError as error:
            self._fail(error)
            self.abort()
            return
        if data:
            self._arrivals.append(Arrival(self._clock(), data))
            self._unread += len(data)
        if self._unread > READ_BUFFER and not self._paused:
            self._paused = True
            self.transport.pause_reading()
        due_s = self._woken_s + GATHER_S
        if at_once or self._paused or reply.complete or now_s >= due_s:
            self._woken_s = now_s
            self._wake()
        elif self._gathering is None and self._reader is not None:
            self._woken_s = due_s
            self._gathering = self._loop.call_at(due_s, self._wake)

    def _hand_over(self, answer: asyncio.Future[Answer]) -> None:
        """Give the whole answer to the task that waits for it."""
        reply = self._reply
        if answer.done():  # cancelled
            self.abort()
            return
        try:
            whole = Answer(reply.status, reply.headers, reply.take(), reply.warning)
        except NoAnswerError as error:
            self._fail(error)
            self.abort()
            return
        self._answer = None
        answer.set_result(whole)
        # Released before that task runs: the next request does not wait for it.
        if reply.reusable:
            self._release()
        else:
            self._busy = False
            self.abort()

    def _fail(self, error: NoAnswerError) -> None:
        self._failure = self._failure or error
        answer, self._answer = self._answer, None
        if answer is not None and not answer.done():
            answer.set_exception(error)
        self._wake()

    def _wake(self) -> None:
        if self._gathering is not None:
            self._gathering.cancel()
            self._gathering = None
        reader, self._reader = self._reader, None
        if reader is not None and not reader.done():
            reader.set_result(None)
