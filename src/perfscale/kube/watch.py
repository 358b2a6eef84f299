"""Follows a resource: has its state told, then watches it, for as long as the run lasts.

The state comes at the beginning of the watch itself, from a server that streams
lists, or from an ordinary list before it.

API servers end watches all the time, and most ways look like a normal end of
the answer: https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
So the end of a stream is never the end of the work. It is resumed from the last
resourceVersion seen, or, where the server no longer has that one, the resource
is listed again.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Final, Generic, NoReturn, Protocol, TypeVar

from perfscale.errors import (
    ApiError,
    CredentialsError,
    ExpiredError,
    ServerError,
    UnreachableError,
)
from perfscale.kube.decoding import UNREADABLE, illegible
from perfscale.kube.events import Change, EventDecoder, LineBuffer
from perfscale.kube.failures import NoAnswerError
from perfscale.kube.initial import ATTEMPTS, PARAMETERS, SILENCE_S, InitialEvents
from perfscale.kube.listing import page_decoder, read_pages
from perfscale.kube.reopening import Reopening, StreamFailedError, is_final
from perfscale.kube.status import Status, error_from_status

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from perfscale.kube.client import Client
    from perfscale.kube.events import Event
    from perfscale.kube.resources import Resource
    from perfscale.kube.transport import Arrival
    from perfscale.kube.wire import Stream

_log = logging.getLogger(__name__)

_SHORTEST_S: Final = 300
"""A watch asks to be closed after 5 to 10 minutes, as client-go's do, so that
watches spread over the API servers; the jitter keeps them from closing at once."""
_BRIEF_S: Final = 1.0
_CATCHING_UP_S: Final = 1.0
"""What a watch has missed comes within this time of being resumed, and within the time
for which it was closed: a server sends events faster than they happen."""

T = TypeVar("T")


class Sight(Protocol):
    """Notes when a watch sees nothing, in seconds of its client's clock."""

    def lost(self, at_s: float) -> None:
        """No event after this is seen before the watch is open again."""

    def regained(self, until_s: float) -> None:
        """It is open again; what comes until then may have happened meanwhile."""


class Watch(Generic[T]):
    """One resource, listed and then watched.

    Args:
        client: The way to the cluster; its settings hold the bounds, its timing
            the clock.
        resource: What to watch.
        decoder: Type of the objects: a msgspec struct that has ``metadata.uid``
            and ``metadata.resourceVersion``, or ``dict[str, Any]``.
        on_list: Called with every object there is, at first and whenever the
            state had to be taken again: what is not in it is gone.
        on_event: Called with ``ADDED``, ``MODIFIED`` or ``DELETED`` and the object.
        label_selector: Which objects.
        namespace: Where; None for everywhere.
        sight: Told when the watch, once it is synced, is not open.

    Attributes:
        synced: Set once the first state has been handed over.
        reconnects: How often an open stream ended and was opened again, for
            whatever reason.
        relists: How often the state had to be taken again.
        heard_s: When the event came that ``on_event`` is told of, on the client's clock.
    """

    def __init__(
        self,
        client: Client,
        resource: Resource,
        *,
        decoder: type[T],
        on_list: Callable[[Sequence[T]], None],
        on_event: Callable[[str, T], None],
        label_selector: str | None = None,
        namespace: str | None = None,
        sight: Sight | None = None,
    ) -> None:
        self.synced = asyncio.Event()
        self.reconnects = 0
        self.relists = 0
        self.heard_s = 0.0
        self._client = client
        self._resource = resource
        self._namespace = namespace
        self._label_selector = label_selector
        self._on_list = on_list
        self._on_event = on_event
        self._pages = page_decoder(decoder)
        self._events = EventDecoder(decoder)
        self._initial = InitialEvents(decoder)
        self._starting = False
        self._broken_starts = 0
        self._version = ""
        self._progressed = False
        self._reopening = Reopening(client, resource, namespace)
        self._sight = sight
        self._blind_since_s: float | None = None

    @property
    def version(self) -> str:
        """The resourceVersion that it has come to; during ``on_list``, the list's."""
        return self._version

    async def run(self) -> NoReturn:
        """Follow until cancelled, which closes the connection.

        Callbacks are called from here; what they raise comes out unchanged.

        Raises:
            WatchError: The server refuses the watch, or it could not be opened
                for longer than the client's bound, or what it sends makes no sense.
            CredentialsError: The server refuses the credentials.
            UnreachableError: The server is gone for longer than the bound.
        """
        while True:
            self._starting = self._tries_streaming()
            if not self._starting:
                self._hand_over(await self._list())
            if await self._follow():
                self.relists += 1

    def _tries_streaming(self) -> bool:
        """Whether the state is to come by stream."""
        if self._client.streaming_lists.available is False:
            return False
        if self._broken_starts < ATTEMPTS:
            return True
        self._broken_starts = 0
        return False

    def _hand_over(self, objects: Sequence[T]) -> None:
        self._on_list(objects)
        self.synced.set()

    def _lose_sight(self, at_s: float) -> None:
        if self._blind_since_s is None and self.synced.is_set():
            self._blind_since_s = at_s
            if self._sight is not None:
                self._sight.lost(at_s)

    def _regain_sight(self, *, caught_up: bool) -> None:
        """The stream is open; unless it has caught up, what was missed comes now."""
        if self._blind_since_s is None:
            return
        now_s = self._client.timing.clock()
        missed_s = 0.0 if caught_up else min(now_s - self._blind_since_s, _CATCHING_UP_S)
        self._blind_since_s = None
        if self._sight is not None:
            self._sight.regained(now_s + missed_s)

    async def _list(self) -> list[T]:
        items: list[T] = []
        pages = read_pages(
            self._client,
            self._resource,
            self._pages,
            namespace=self._namespace,
            label_selector=self._label_selector,
        )
        try:
            async for page in pages:
                if page.first:
                    items.clear()
                items += page.items
                self._version = page.version
        except ApiError as error:
            raise self._reopening.failed("cannot list", error) from error
        return items

    async def _follow(self) -> bool:
        """Stream after stream, until the state must be taken anew.

        Returns whether it was had at all: a stream that was to tell it may not.
        """
        clock = self._client.timing.clock
        while True:
            opened_s = clock()
            self._progressed = False
            failure: StreamFailedError | None = None
            try:
                await self._stream()
            except StreamFailedError as error:
                failure = error
            was_open = failure is None or failure.opened
            self._lose_sight(self._ended_at_s(opened_s, failure))
            if self._starting:
                await self._after_broken_start(failure)
                return False
            healthy = self._progressed or (was_open and clock() - opened_s >= _BRIEF_S)
            if await self._reopening.wait(failure, healthy=healthy):
                return True
            if was_open:
                self.reconnects += 1

    def _ended_at_s(self, opened_s: float, failure: StreamFailedError | None) -> float:
        """When the stream was alive the last time."""
        if failure is None or (failure.opened and not failure.silent):
            return self._client.timing.clock()
        return max(opened_s, self.heard_s) if failure.opened else opened_s

    async def _after_broken_start(self, failure: StreamFailedError | None) -> None:
        """Find out whether to try again, and wait as long as is due."""
        lists = self._client.streaming_lists
        if failure is not None and is_final(failure.error):
            # Whether it is the parameter that the server refuses, or the watch: it will tell.
            _log.debug("no streaming list of %s: %s", self._resource.name, failure)
            lists.available = False
        if lists.available is False:
            return
        if failure is None or failure.opened:
            self.reconnects += 1
        if failure is None or failure.opened or isinstance(failure.error, ServerError):
            self._broken_starts += 1
        await self._reopening.wait(failure, healthy=False)

    async def _stream(self) -> None:
        """One stream, until the server ends it."""
        try:
            async with asyncio.timeout(None) as bound:
                await self._read_stream(bound)
        except TimeoutError:
            if not bound.expired():
                raise  # a callback's own
            raise self._not_streamed("it did not say that its initial events had ended") from None

    async def _read_stream(self, bound: asyncio.Timeout) -> None:
        lines = LineBuffer()
        self._initial.begin()
        async with AsyncExitStack() as stack:
            opening = self._client.open_stream(self._resource.path(self._namespace), self._params())
            try:
                stream = await stack.enter_async_context(opening)
            except (ApiError, CredentialsError, UnreachableError) as error:
                raise StreamFailedError(error, opened=False) from error
            self._await_initial_events(bound)
            if not self._starting:
                self._regain_sight(caught_up=False)
            while arrivals := await _read(stream):
                starting = self._starting
                for self.heard_s, data in arrivals:
                    self._take(lines, data)
                if starting:
                    self._await_initial_events(bound)

    def _take(self, lines: LineBuffer, data: bytes) -> None:
        """Tell of every event that has come to its end with this."""
        try:
            complete = lines.feed(data)
            events = self._events.decode(complete) if complete else ()
        except UNREADABLE as error:
            raise self._illegible(error) from error
        if self._starting:
            events = self._collect(events)
        if events:
            self._deliver(events)

    def _illegible(self, error: Exception) -> StreamFailedError:
        self._client.stats.illegible += 1
        failed = illegible(f"an event of {self._resource.name}", 200, {}, error)
        failed.may_pass = True
        return StreamFailedError(failed, opened=True)

    def _await_initial_events(self, bound: asyncio.Timeout) -> None:
        """Bound the silence for as long as they have not ended."""
        silence_s = min(SILENCE_S, self._client.settings.watch_idle_timeout_s)
        until_s = asyncio.get_running_loop().time() + silence_s
        bound.reschedule(until_s if self._starting else None)

    def _collect(self, events: Sequence[Event[T]]) -> Sequence[Event[T]]:
        """Take the initial events; returns those that come after their end."""
        for number, event in enumerate(events):
            if isinstance(event, Change):
                self._initial.take(event)
            elif isinstance(event, Status):
                raise self._stream_error(event)
            elif not event.ends_initial_events:
                raise self._not_streamed("its first bookmark does not end any initial events")
            else:
                self._client.streaming_lists.available = True
                self._broken_starts = 0
                self._starting = False
                self._went_on_to(event)
                self._hand_over(self._initial.end())
                self._regain_sight(caught_up=True)
                return events[number + 1 :]
        return ()

    def _not_streamed(self, why: str) -> StreamFailedError:
        """The server opened the stream, and seems to know nothing of initial events."""
        lists = self._client.streaming_lists
        if not lists.available:
            lists.available = False
        error = UnreachableError(f"{self._client.server} opened the watch, but {why}")
        return StreamFailedError(error, opened=True)

    def _deliver(self, events: Sequence[Event[T]]) -> None:
        last: Event[T] | None = None
        for event in events:
            if isinstance(event, Change):
                self._on_event(event.type, event.object)
            elif isinstance(event, Status):
                self._went_on_to(last)
                raise self._stream_error(event)
            last = event
        self._went_on_to(last)

    def _stream_error(self, status: Status) -> StreamFailedError:
        code = status.code or (410 if status.reason in {"Expired", "Gone"} else 500)
        error = error_from_status(status, status=code)
        if isinstance(error, ExpiredError):
            self._client.stats.expired += 1
        return StreamFailedError(error, opened=True)

    def _went_on_to(self, event: Event[T] | None) -> None:
        if event is not None:
            self._progressed = True
            self._version = self._events.version(event) or self._version

    def _params(self) -> dict[str, str | int]:
        jitter = self._client.timing.random()
        params: dict[str, str | int] = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "timeoutSeconds": int(_SHORTEST_S * (1 + jitter)),
        }
        params |= PARAMETERS if self._starting else {"resourceVersion": self._version}
        if self._label_selector:
            params["labelSelector"] = self._label_selector
        return params


async def _read(stream: Stream) -> Sequence[Arrival]:
    try:
        return await stream.read_some()
    except UnreachableError as error:
        cause = error.__cause__
        silent = isinstance(cause, NoAnswerError) and cause.failure.timeout
        raise StreamFailedError(error, opened=True, silent=silent) from error
