"""A Prometheus that gives what a test tells it to, on a scripted server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from scripted_server import Exchange, Handler, Received, ScriptedServer, scripted_server

Answer = Callable[[Exchange], Any] | list[Any]


def sample(value: float | str, **labels: str) -> dict[str, Any]:
    """A series of one point, as an instant query gives it."""
    return {"metric": labels, "value": [0, str(value)]}


def line(*points: tuple[float, float | str], **labels: str) -> dict[str, Any]:
    """A series over time, as a range query gives it."""
    return {"metric": labels, "values": [[moment, str(value)] for moment, value in points]}


def success(*series: dict[str, Any]) -> dict[str, Any]:
    kind = "matrix" if any("values" in each for each in series) else "vector"
    return {"status": "success", "data": {"resultType": kind, "result": list(series)}}


def cannot(message: str, *, kind: str = "bad_data", status: int = 400) -> Handler:
    """A query that Prometheus refuses."""

    async def handler(exchange: Exchange) -> None:
        document = {"status": "error", "errorType": kind, "error": message}
        await exchange.reply_json(status, document)

    return handler


class ScriptedPrometheus:
    """Answers queries by what is in them; those that no answer is for give no data.

    Attributes:
        server: The server that it is on.
        most_in_flight: The most queries that were under way at a time.
    """

    def __init__(self) -> None:
        self.server: ScriptedServer
        self.most_in_flight = 0
        self._in_flight = 0
        self._answers: list[tuple[str, Handler]] = []
        self._gate: tuple[int, asyncio.Event] | None = None
        self.scraped_until(time.time() + 3600)

    @property
    def url(self) -> str:
        return self.server.url

    @property
    def requests(self) -> list[Received]:
        return self.server.requests

    def queries(self) -> list[str]:
        return [request.query["query"] for request in self.requests]

    def asked(self, fragment: str) -> Received:
        """The request whose query has this in it."""
        (found,) = [each for each in self.requests if fragment in each.query["query"]]
        return found

    def gives(self, fragment: str, *series: dict[str, Any]) -> None:
        """Answer queries that have this in them with these series."""
        document = success(*series)

        async def handler(exchange: Exchange) -> None:
            await exchange.reply_json(200, document)

        self.answers(fragment, handler)

    def answers(self, fragment: str, handler: Handler) -> None:
        self._answers.insert(0, (fragment, handler))

    def scraped_until(self, moment: float) -> None:
        """How far its data reaches, as Unix time."""
        self.gives("timestamp(up)", sample(moment))

    def holds_until_in_flight(self, count: int) -> None:
        """Answer nothing until so many queries are under way at once."""
        self._gate = (count, asyncio.Event())

    async def __call__(self, exchange: Exchange) -> None:
        query = exchange.request.query["query"]
        self._in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self._in_flight)
        try:
            if self._gate is not None and "timestamp(up)" not in query:
                count, opened = self._gate
                if self._in_flight >= count:
                    opened.set()
                await opened.wait()
            handler = next((each for part, each in self._answers if part in query), None)
            if handler is None:
                await exchange.reply_json(200, success())
            else:
                await handler(exchange)
        finally:
            self._in_flight -= 1


@asynccontextmanager
async def scripted_prometheus(**options: Any) -> AsyncIterator[ScriptedPrometheus]:
    prometheus = ScriptedPrometheus()
    async with scripted_server(prometheus, **options) as prometheus.server:
        yield prometheus
