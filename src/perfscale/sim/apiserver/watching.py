"""Watches: one client following the changes of one kind.

A change is turned into text once for all watchers; a watcher only keeps references to the
lines that wait for its connection, and is cut off when there are too many of them.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple

from perfscale.errors import ApiError
from perfscale.sim.storage import refusals
from perfscale.sim.storage.records import Record, encode, watch_line

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    from perfscale.kube.resources import Resource
    from perfscale.sim.apiserver.negotiation import View
    from perfscale.sim.storage.records import StoredChange
    from perfscale.sim.storage.selectors import Selector
    from perfscale.sim.storage.store import Store

# How many objects of the initial state are written at a time.
_SLICE: Final = 500


class WatchRequest(NamedTuple):
    """What a client wants to follow.

    Attributes:
        since: From which version on; None starts with the present state.
        initial_end: Whether a bookmark marks the end of the initial state.
        bookmarks: Whether bookmarks are wanted at all.
        timeout_s: When the watch ends.
    """

    resource: Resource
    view: View
    selector: Selector
    namespace: str | None
    since: int | None
    initial_end: bool
    bookmarks: bool
    timeout_s: float


class Stream(NamedTuple):
    """Pieces of text, without an end, and how far they are apart."""

    pieces: Iterator[bytes]
    pace_s: float


class Disturbance(NamedTuple):
    """What goes wrong with one watch.

    Attributes:
        close_after_s: When it is closed.
        close_after_events: After how many events it is closed; those of the initial
            state do not count.
        delay_s: How late each event is; those that were missed before are not.
        burst_s: Events are sent together, this far apart.
        expired: Whether an event says that its version has expired.
        on_closed: Called if it is closed because of this.
        instead: What it sends, in the place of all events.
    """

    close_after_s: float | None = None
    close_after_events: int | None = None
    delay_s: float = 0.0
    burst_s: float = 0.0
    expired: bool = False
    on_closed: Callable[[], None] = lambda: None
    instead: Stream | None = None


UNDISTURBED: Final = Disturbance()


class _Hold:
    """Keeps lines back for as long as they are to be late, in their order."""

    def __init__(self, disturbance: Disturbance, deliver: Callable[[bytes], None]) -> None:
        self._disturbance = disturbance
        self._deliver = deliver
        self._loop = asyncio.get_running_loop()
        self._start_s = self._loop.time()
        self._lines: deque[tuple[float, bytes]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def add(self, line: bytes) -> None:
        """Deliver the line when its time has come."""
        due_s = self._loop.time() + self._disturbance.delay_s
        if burst_s := self._disturbance.burst_s:
            bursts = math.ceil((due_s - self._start_s) / burst_s)
            due_s = self._start_s + bursts * burst_s
        self._lines.append((due_s, line))
        if self._timer is None:
            self._timer = self._loop.call_at(due_s, self._release)

    def close(self) -> None:
        """Drop what is still kept: who resumes gets it then."""
        if self._timer is not None:
            self._timer.cancel()

    def _release(self) -> None:
        # The loop may call a timer a little early, by its clock's resolution.
        due_s = max(self._loop.time(), self._lines[0][0])
        while self._lines and self._lines[0][0] <= due_s:
            self._deliver(self._lines.popleft()[1])
        self._timer = self._loop.call_at(self._lines[0][0], self._release) if self._lines else None


class Watcher:
    """One open watch.

    Args:
        buffer: How many lines may wait for a slow client before it is cut off.
    """

    def __init__(
        self,
        request: WatchRequest,
        store: Store,
        buffer: int,
        disturbance: Disturbance = UNDISTURBED,
    ) -> None:
        self._request = request
        self._store = store
        self._buffer = buffer
        self._disturbance = disturbance
        self._left = disturbance.close_after_events
        self._deliver = self._append
        self._lines: list[bytes] = []
        self._wake = asyncio.Event()
        self._closed = False
        self._initial: Sequence[Record] = ()

    def close(self) -> None:
        """End the stream without an error, after what is already waiting."""
        self._closed = True
        self._wake.set()

    async def run(
        self, write: Callable[[bytes], Awaitable[None]], bookmark_interval_s: float
    ) -> None:
        """Send events until the watch ends or is closed; ends at once when cancelled."""
        if self._disturbance.instead is not None:
            await self._send_instead(self._disturbance.instead, write)
            return
        loop = asyncio.get_running_loop()
        leave = self._begin()
        timers = {"end": loop.call_later(self._request.timeout_s, self._time_out)}
        hold: _Hold | None = None

        def bookmark() -> None:
            self._bookmark()
            timers["bookmark"] = loop.call_later(bookmark_interval_s, bookmark)

        if self._request.bookmarks:
            timers["bookmark"] = loop.call_later(bookmark_interval_s, bookmark)
        if self._disturbance.close_after_s is not None:
            timers["cut"] = loop.call_later(self._disturbance.close_after_s, self._cut)
        if self._disturbance.delay_s or self._disturbance.burst_s:
            hold = _Hold(self._disturbance, self._append)
            self._deliver = hold.add
        try:
            await self._send_initial(write)
            await self._send(write)
        finally:
            leave()
            for timer in timers.values():
                timer.cancel()
            if hold is not None:
                hold.close()

    def _begin(self) -> Callable[[], None]:
        """Take the present state or the past changes, and listen: nothing falls between."""
        request = self._request
        try:
            if request.since is None:
                self._initial = self._store.records(
                    request.resource, request.namespace, request.selector
                )
                if request.initial_end:
                    self._lines.append(request.view.bookmark(self._store.version, initial_end=True))
            else:
                if self._disturbance.expired:
                    raise refusals.expired(f"too old resource version: {request.since}")
                changes = self._store.changes_since(request.resource, request.since)
                lines = (self._line_of(change) for change in changes)
                self._lines.extend(line for line in lines if line is not None)
                # However much a client has missed, it is what happens from now on that it
                # must keep up with; else it would be cut off whenever it came back.
                self._buffer += len(self._lines)
        except ApiError as error:
            # A kube-apiserver has answered 200 by the time its watch cache says this.
            self._lines.append(watch_line("ERROR", encode(refusals.status_of(error))))
            self.close()
        self._wake.set()
        return self._store.listen(self._on_change, request.resource)

    def _on_change(self, change: StoredChange) -> None:
        if self._closed:
            return
        line = self._line_of(change)
        if line is not None:
            self._deliver(line)

    def _append(self, line: bytes) -> None:
        if self._closed:
            return
        self._lines.append(line)
        if len(self._lines) > self._buffer:
            self._lines.clear()
            self.close()
        elif len(self._lines) == 1:
            self._wake.set()

    def _line_of(self, change: StoredChange) -> bytes | None:
        request, record, previous = self._request, change.record, change.previous
        if request.namespace is not None and record.namespace != request.namespace:
            return None
        view = request.view
        if request.selector.is_everything:
            return change.line if view.is_stored else view.line(change.type, record)
        was = previous is not None and request.selector.matches(previous)
        matches = change.type != "DELETED" and request.selector.matches(record)
        if not was and not matches:
            return None
        event = "DELETED" if not matches else "MODIFIED" if was else "ADDED"
        if event == "DELETED" and change.type != "DELETED" and previous is not None:
            # It only stopped matching: the client gets it as it knew it, in its new version.
            obj = previous.load()
            obj["metadata"]["resourceVersion"] = str(record.version)
            record = Record(obj, record.version)
        elif event == change.type and view.is_stored:
            return change.line
        return view.line(event, record)

    def _bookmark(self) -> None:
        if not self._closed:
            self._deliver(self._request.view.bookmark(self._store.version))

    def _time_out(self) -> None:
        if self._request.bookmarks:
            self._bookmark()
        self.close()

    def _cut(self) -> None:
        if not self._closed:
            self._disturbance.on_closed()
            self.close()

    async def _send_instead(
        self, stream: Stream, write: Callable[[bytes], Awaitable[None]]
    ) -> None:
        for piece in stream.pieces:
            await write(piece)
            with suppress(TimeoutError):
                async with asyncio.timeout(stream.pace_s):
                    await self._wake.wait()  # which only closing it sets
            if self._closed:
                return

    async def _send_initial(self, write: Callable[[bytes], Awaitable[None]]) -> None:
        view, initial = self._request.view, self._initial
        self._initial = ()
        for start in range(0, len(initial), _SLICE):
            part = initial[start : start + _SLICE]
            await write(b"".join(view.line("ADDED", record) for record in part))

    async def _send(self, write: Callable[[bytes], Awaitable[None]]) -> None:
        while True:
            if self._lines:
                lines, self._lines = self._lines, []
                if self._left is not None:
                    del lines[self._left :]
                    self._left -= len(lines)
                await write(b"".join(lines))
                if self._left == 0:
                    self._disturbance.on_closed()
                    return
            elif self._closed:
                return
            else:
                self._wake.clear()
                await self._wake.wait()
