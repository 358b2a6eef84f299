"""Follows a resource: lists it, then watches it, for as long as the run lasts.

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
from contextlib import closing
from typing import TYPE_CHECKING, Final, Generic, NamedTuple, NoReturn, TypeVar

from perfscale.errors import (
    ApiError,
    CredentialsError,
    ExpiredError,
    ServerError,
    UnreachableError,
)
from perfscale.kube.decoding import UNREADABLE, illegible, version_number
from perfscale.kube.http.failures import NoAnswerError
from perfscale.kube.listing import current_version, page_decoder, read_pages
from perfscale.kube.status import Status, error_from_status
from perfscale.kube.watching.events import EventDecoder, LineBuffer, ObjectEvent
from perfscale.kube.watching.gaps import GapDetector
from perfscale.kube.watching.initial import ATTEMPTS, PARAMETERS, SILENCE_S, InitialEvents
from perfscale.kube.watching.reopening import Reopening, StreamFailedError, is_final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from perfscale.kube.client import Client
    from perfscale.kube.http.transport import AnswerStream, Arrival
    from perfscale.kube.resources import Resource
    from perfscale.kube.watching.events import Event
    from perfscale.kube.watching.gaps import GapObserver

_log = logging.getLogger(__name__)

_SHORTEST_S: Final = 300
"""A watch asks to be closed after 5 to 10 minutes, as client-go's do, so that
watches spread over the API servers; the jitter keeps them from closing at once."""
_BRIEF_S: Final = 1.0
_CHECK_S: Final = 10.0
"""Bound on asking whether the cluster has gone back to an older state."""

T = TypeVar("T")


class Listed(NamedTuple):
    """Of what moment a whole state is.

    Attributes:
        version: Its resourceVersion, as a number.
        asked_s: When it was asked for, on the client's clock.
        went_back: Whether the cluster is in an older state than it was.
    """

    version: int
    asked_s: float
    went_back: bool


class Watch(Generic[T]):
    """One resource, listed and then watched.

    Args:
        client: Its settings hold the bounds, its timing the clock.
        resource: What to watch.
        decoder: Type of the objects: a msgspec struct that has ``metadata.uid``
            and ``metadata.resourceVersion``, or ``dict[str, Any]``.
        on_list: Called with every object there is, at first and whenever the
            state had to be taken again: what is not in it is gone.
        on_event: Called with ``ADDED``, ``MODIFIED`` or ``DELETED``, the object, and
            when the event came, on the client's clock.
        label_selector: Which objects.
        namespace: Where; None for everywhere.
        gaps: Notified when the watch, once it is synced, is not open.

    Attributes:
        synced: Set once the first state has been handed over.
        reconnects: How often an open stream ended and was opened again.
        relists: How often the state had to be taken again.
    """

    def __init__(
        self,
        client: Client,
        resource: Resource,
        *,
        decoder: type[T],
        on_list: Callable[[Sequence[T], Listed], None],
        on_event: Callable[[str, T, float], None],
        label_selector: str | None = None,
        namespace: str | None = None,
        gaps: GapObserver | None = None,
    ) -> None:
        self.synced = asyncio.Event()
        self.reconnects = 0
        self.relists = 0
        self._asked_s = 0.0
        self._reached = 0
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
        self._gaps = GapDetector(client, resource, gaps)
        self._initial_until_s = 0.0

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
        if self._client.known.streams_lists is False:
            return False
        if self._broken_starts < ATTEMPTS:
            return True
        self._broken_starts = 0
        return False

    def _hand_over(self, objects: Sequence[T]) -> None:
        version = version_number(self._version)
        listed = Listed(version, self._asked_s, went_back=version < self._reached)
        self._reached = version
        self._on_list(objects, listed)
        # Last: what waits for it may rely on the state having been handed over.
        self.synced.set()

    async def _list(self) -> list[T]:
        items: list[T] = []
        self._asked_s = self._client.timing.clock()
        pages = read_pages(
            self._client,
            self._resource,
            self._pages,
            namespace=self._namespace,
            label_selector=self._label_selector,
        )
        try:
            async for page in pages:
                if page.first:  # again, if a continue token has expired half-way
                    items.clear()
                items += page.items
                self._version = page.version
        except ApiError as error:
            raise self._reopening.failed("cannot list", error) from error
        return items

    async def _follow(self) -> bool:
        """Stream after stream, until the state must be read again.

        Returns whether it had been read at all: a stream may break off in its initial events.
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
            if self.synced.is_set():  # before that, nothing has been seen that could be lost
                self._gaps.lose(failure)
            if self._starting:
                await self._after_broken_start(failure)
                return False
            # Servers close watches without an event in them, which is no reason to back off;
            # one that closes them at once, again and again, would be a hot loop.
            lived = was_open and clock() - opened_s >= _BRIEF_S
            useless = failure is not None and failure.useless
            healthy = self._progressed or (lived and not useless)
            if await self._reopening.wait(failure, healthy=healthy):
                return True
            # Counted here, as a stream that the server never opened was not lost.
            if was_open:
                self.reconnects += 1

    async def _after_broken_start(self, failure: StreamFailedError | None) -> None:
        """Find out whether to try again, and wait as long as is due."""
        known = self._client.known
        if failure is not None and is_final(failure.error):
            # It refuses the parameter or the watch itself: the watch after a list shows which.
            _log.debug("no streaming list of %s: %s", self._resource.name, failure)
            known.streams_lists = False
        if known.streams_lists is False:
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
            if asyncio.get_running_loop().time() < self._initial_until_s:
                why = "it did not say that its initial events had ended"
                raise self._not_streamed(why) from None
            raise self._endless() from None

    async def _read_stream(self, bound: asyncio.Timeout) -> None:
        lines = LineBuffer()
        self._initial.begin()
        began_s = self._gaps.begin()
        if self._starting:
            self._asked_s = began_s
        path = self._resource.path(self._namespace)
        try:
            stream = await self._client.open_stream(path, self._params())
        except (ApiError, CredentialsError, UnreachableError) as error:
            raise StreamFailedError(error, opened=False) from error
        with closing(stream):
            bound_s = self._client.settings.request_timeout_s
            self._initial_until_s = asyncio.get_running_loop().time() + bound_s
            self._await_initial_events(bound)
            if not self._starting:
                # Once it is open: a restore after that ends the stream.
                await self._check_version()
                self._gaps.regain(caught_up=False)
            while arrivals := await self._read(stream):
                starting, whole = self._starting, False
                for heard_s, data in arrivals:
                    whole |= self._take(lines, data, heard_s)
                self._gaps.received(arrivals[-1].at_s, whole=whole)
                if starting and whole:
                    self._await_initial_events(bound)

    async def _read(self, stream: AnswerStream) -> Sequence[Arrival]:
        try:
            return await stream.read_some()
        except NoAnswerError as error:
            failed = self._client.broken(error)
            raise StreamFailedError(failed, opened=True, silent=error.failure.timeout) from error

    async def _check_version(self) -> None:
        """After an outage, make sure that the cluster has not gone back to an older state.

        A server that is asked to watch from a version that it has not reached yet says
        nothing until it has.
        """
        missing_s = self._gaps.missing_s
        if missing_s < _BRIEF_S or self._client.timing.clock() - self._asked_s < missing_s:
            return  # it was hardly closed, or has been listed since
        try:
            async with asyncio.timeout(_CHECK_S):
                version = await current_version(
                    self._client, self._resource, self._namespace, retry=False
                )
        except (ApiError, CredentialsError, UnreachableError, TimeoutError) as error:
            _log.debug("the version of %s is not known: %s", self._resource.name, error)
            return
        if 0 < version < self._reached:
            raise self._older(version)

    def _endless(self) -> StreamFailedError:
        """The initial events go on and on: the state is listed instead."""
        bound_s = self._client.settings.request_timeout_s
        error = UnreachableError(
            f"{self._client.server} sent initial events for {bound_s:g} s without an end"
        )
        self._broken_starts = ATTEMPTS
        self._gaps.warn(f"{self._resource.name} are listed instead of streamed: {error}")
        return StreamFailedError(error, opened=True, useless=True)

    def _older(self, version: int) -> StreamFailedError:
        """The cluster has gone back: only a list has what there is now."""
        text = f"resourceVersion went back from {self._reached} to {version}"
        error = ExpiredError(text, status=410, reason="Expired")
        return StreamFailedError(error, opened=True)

    def _take(self, lines: LineBuffer, data: bytes, heard_s: float) -> bool:
        """Deliver every event that has come to its end with this; returns whether any has."""
        try:
            complete = lines.feed(data)
            events = self._events.decode(complete) if complete else ()
        except UNREADABLE as error:
            self._client.stats.illegible += 1
            failed = illegible(f"an event of {self._resource.name}", 200, {}, error)
            failed.may_pass = True
            raise StreamFailedError(failed, opened=True) from error
        whole = bool(events)
        if self._starting:
            events = self._collect(events)
        if events:
            self._deliver(events, heard_s)
        return whole

    def _await_initial_events(self, bound: asyncio.Timeout) -> None:
        """Bound the silence for as long as they have not ended, and how long they may go on."""
        silence_s = min(SILENCE_S, self._client.settings.watch_idle_timeout_s)
        until_s = min(asyncio.get_running_loop().time() + silence_s, self._initial_until_s)
        bound.reschedule(until_s if self._starting else None)

    def _collect(self, events: Sequence[Event[T]]) -> Sequence[Event[T]]:
        """Take the initial events; returns those that come after their end."""
        for number, event in enumerate(events):
            if isinstance(event, ObjectEvent):
                self._initial.take(event)
            elif isinstance(event, Status):
                raise self._stream_error(event)
            elif not event.ends_initial_events:
                raise self._not_streamed("its first bookmark does not end any initial events")
            else:
                self._client.known.streams_lists = True
                self._broken_starts = 0
                self._starting = False
                self._progressed = True
                self._version = event.version
                self._hand_over(self._initial.end())
                self._gaps.regain(caught_up=True)
                return events[number + 1 :]
        return ()

    def _not_streamed(self, why: str) -> StreamFailedError:
        """The server opened the stream, and seems to know nothing of initial events."""
        if not self._client.known.streams_lists:
            self._client.known.streams_lists = False
        error = UnreachableError(f"{self._client.server} opened the watch, but {why}")
        return StreamFailedError(error, opened=True)

    def _deliver(self, events: Sequence[Event[T]], heard_s: float) -> None:
        last: Event[T] | None = None
        for event in events:
            if isinstance(event, ObjectEvent):
                self._on_event(event.type, event.object, heard_s)
            elif isinstance(event, Status):
                # What came before the error was delivered: to resume must not repeat it.
                self._went_on_to(last)
                raise self._stream_error(event)
            last = event
        self._went_on_to(last)

    def _stream_error(self, status: Status) -> StreamFailedError:
        code = status.code or (410 if status.reason in {"Expired", "Gone"} else 500)
        error = error_from_status(status, status=code)
        if isinstance(error, ExpiredError):
            self._client.stats.expired_streams += 1
        return StreamFailedError(error, opened=True)

    def _went_on_to(self, event: Event[T] | None) -> None:
        if event is not None:
            self._progressed = True
            self._version = self._events.version(event) or self._version
            reached = version_number(self._version)
            if reached < self._reached:
                raise self._older(reached)
            self._reached = reached

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
