"""Serves the page of a run in the run's own event loop."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Final

from aiohttp import web

from perfscale.engine.events import Stage, StageStarted
from perfscale.errors import ResultsError, UsageError
from perfscale.live.access import HEADERS, Access, policy
from perfscale.live.budget import Budget
from perfscale.live.strangers import Strangers
from perfscale.live.updates import Updates
from perfscale.live.view import LiveView
from perfscale.results.folder.reading import read_run_files
from perfscale.results.pages.page import REPORT_FILE, run_page

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from perfscale.config import Config
    from perfscale.engine.events import EventStream
    from perfscale.engine.snapshot import RunCourse, RunSnapshot
    from perfscale.live.address import WebAddress

_log = logging.getLogger(__name__)

_MOST_READERS: Final = 32
_STALLED_S: Final = 20.0
"""A reader that takes nothing for so long has gone."""
_QUIET_S: Final = 15.0
"""Something is sent at least so often, or what lies between would take the connection for dead."""
_FAREWELL_S: Final = 3.0
"""How long the report may take to reach the readers when all is over."""
_NO_PROGRESS_S: Final = 0.3
"""After so long in which no reader took anything, nobody is waited for any more."""
_SHUTDOWN_S: Final = 0.2
_EARLY_S: Final = 0.25
"""How often to look whether the run has begun."""
_LOOK_S: Final = 1.0
"""How often to look whether the page may be drawn, where samples are taken less often."""
_AT_ONCE_S: Final = 0.002
_EVENTS: Final = {**HEADERS, "Content-Type": "text/event-stream", "X-Accel-Buffering": "no"}


class LivePage:
    """The page of one run.

    Args:
        snapshot: Where the run stands; None before it has begun.
        course: What happened beside its load; likewise.
        config: The workload file.

    Attributes:
        url: Where it is served.
    """

    def __init__(
        self,
        snapshot: Callable[[], RunSnapshot | None],
        course: Callable[[], RunCourse | None],
        config: Config,
    ) -> None:
        self._snapshot = snapshot
        self._course = course
        self._view = LiveView(config)
        self._updates = Updates()
        self._budget = Budget()
        self._clock = time.monotonic
        self._zero_s: float | None = None
        self._readers: set[asyncio.WriteTransport] = set()
        self._came = asyncio.Event()
        self._all_gone = asyncio.Event()
        self._shell, digest = self._view.shell("perfscale run")
        self._headers = {"Content-Security-Policy": policy(digest)}
        self.url = ""

    def application(self, address: WebAddress, strangers: Strangers) -> web.Application:
        """What answers requests."""
        access = Access(address, self._view.form(), strangers)
        app = web.Application(middlewares=access.middlewares)
        app.router.add_get("/", self._answer_page)
        app.router.add_get("/events", self._answer_events)
        return app

    async def finish(self, folder: Path | None) -> None:
        """The run is over: send its report to all readers, if it left one; within a bound.

        Args:
            folder: Of the run; None where it has none.
        """
        if not self._readers:
            self._updates.finish(None)
            return
        self._updates.finish(None if folder is None else _report(folder))
        ends_s = self._clock() + _FAREWELL_S
        unsent: list[int] = []
        while self._readers and self._clock() < ends_s and unsent != (unsent := self._unsent()):
            self._all_gone.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(_NO_PROGRESS_S):
                    await self._all_gone.wait()
        for transport in self._readers:
            transport.abort()

    def _unsent(self) -> list[int]:
        """How many bytes each reader has not taken."""
        return [transport.get_write_buffer_size() for transport in self._readers]

    async def follow(self, events: EventStream) -> None:
        """Take the events of the run, until there are no more."""
        async for event in events:
            self._view.take(event)
            if isinstance(event, StageStarted) and event.stage is Stage.CLEANING_UP:
                self._budget.hurry()  # readers see at once that the load has ended

    async def draw(self) -> None:
        """Sample the run, and draw the page again and again while somebody reads it."""
        self._updates.publish(self._view.waiting())
        while True:
            try:
                await self._draw_once()
            except Exception:  # noqa: BLE001 -- a page that cannot be drawn must not cost the run
                _log.exception("the page of the run is not drawn any more")
                return
            await self._pause()

    async def _pause(self) -> None:
        """Until it is time to look again, or somebody comes to read."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._pause_s()):
                await self._came.wait()
        self._came.clear()

    def _pause_s(self) -> float:
        """A sample is taken when it is due, and the page is drawn then, too."""
        if self._zero_s is None:
            return _EARLY_S
        due_s = self._zero_s + self._view.samples.next_s - self._clock()
        return max(0.001, min(_LOOK_S, due_s) if self._readers else due_s)

    async def _draw_once(self) -> None:
        began_s = time.thread_time()
        wanted = bool(self._readers) and self._budget.allows()
        due = self._zero_s is None or self._pause_s() < _AT_ONCE_S
        if not (wanted or due):
            return
        snapshot = self._snapshot()
        if snapshot is None:
            return
        self._zero_s = self._clock() - snapshot.elapsed_s
        self._view.samples.take(snapshot)
        if wanted and (course := self._course()) is not None:
            found_s = time.thread_time() - began_s
            parts, cost_s = await self._view.parts(snapshot, course)
            self._budget.spend(found_s + cost_s)
            self._updates.publish(parts)

    async def _answer_page(self, _: web.Request) -> web.Response:
        return web.Response(text=self._shell, content_type="text/html", headers=self._headers)

    async def _answer_events(self, request: web.Request) -> web.StreamResponse:
        transport = request.transport
        if len(self._readers) >= _MOST_READERS:
            raise web.HTTPServiceUnavailable(text=f"{_MOST_READERS} read this page already\n")
        answer = web.StreamResponse(headers=_EVENTS)
        if transport is None:
            return answer  # who asked has gone
        # What was written has left the process then: it may end when the report was.
        transport.set_write_buffer_limits(0)
        self._readers.add(transport)
        self._came.set()
        try:
            await answer.prepare(request)
            await self._send(answer)
        except (TimeoutError, ConnectionError):
            transport.abort()
        finally:
            self._readers.discard(transport)
            if not self._readers:
                self._all_gone.set()
        return answer

    async def _send(self, answer: web.StreamResponse) -> None:
        """Send what is new, and wait for more, until the run is over."""
        updates, version = self._updates, 0
        while True:
            if updates.version > version:
                frame, version = updates.frame(version), updates.version
                async with asyncio.timeout(_STALLED_S):
                    await answer.write(frame)
                if updates.is_over and version == updates.version:
                    return
            try:
                async with asyncio.timeout(_QUIET_S):
                    await updates.newer(version)
            except TimeoutError:
                async with asyncio.timeout(_STALLED_S):
                    await answer.write(b": still here\n\n")


def _report(folder: Path) -> str | None:
    """The report of a run that is over; None if there cannot be one."""
    path = folder / REPORT_FILE
    try:
        return (
            path.read_text(encoding="utf-8") if path.exists() else run_page(read_run_files(folder))
        )
    except (OSError, ResultsError):
        return None  # why was said when it was to be written


@asynccontextmanager
async def serve_page(
    address: WebAddress,
    events: EventStream,
    snapshot: Callable[[], RunSnapshot | None],
    course: Callable[[], RunCourse | None],
    config: Config,
) -> AsyncIterator[LivePage]:
    """Serve the page of a run for as long as the context lives.

    Args:
        address: Where, and for whom.
        events: Of the run, from its beginning.
        snapshot: Where the run stands: `LoadGenerator.snapshot`.
        course: What happened beside its load: `LoadGenerator.course`.
        config: The workload file.

    Raises:
        UsageError: The address cannot be listened on.
    """
    page, strangers = LivePage(snapshot, course, config), Strangers()
    runner = web.AppRunner(
        page.application(address, strangers),
        access_log=None,
        handler_cancellation=True,
        shutdown_timeout=_SHUTDOWN_S,
    )
    await runner.setup()
    try:
        try:
            assert runner.server is not None  # noqa: S101 -- it is set up
            server = await asyncio.get_running_loop().create_server(
                partial(strangers.accept, runner.server), address.host, address.port
            )
        except OSError as error:
            reason = os.strerror(error.errno).lower() if error.errno else str(error)
            raise UsageError(
                f"--web: cannot listen on {address.host}:{address.port}: {reason}",
                hint="give another port, or 0 for a free one",
            ) from error
        host, port = server.sockets[0].getsockname()[:2]
        page.url = f"http://{f'[{host}]' if ':' in host else host}:{port}/"
        working = [
            asyncio.create_task(page.follow(events), name="perfscale-page-events"),
            asyncio.create_task(page.draw(), name="perfscale-page"),
        ]
        try:
            yield page
        finally:
            server.close()
            strangers.close()
            for task in working:
                task.cancel()
            await asyncio.wait(working)
    finally:
        await runner.cleanup()
