"""A simulated cluster that refuses what a test wants refused, and counts what was sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from aiohttp import web
from clusters import ClusterUnderTest, simulated_cluster

from perfscale.sim.faults.injection import FaultInjection


class Refusal(NamedTuple):
    """A Status that a server answers with."""

    status: int
    reason: str
    message: str

    def response(self) -> web.Response:
        return web.json_response(
            {
                "kind": "Status",
                "apiVersion": "v1",
                "status": "Failure",
                "message": self.message,
                "reason": self.reason,
                "code": self.status,
            },
            status=self.status,
        )


class Refusals:
    """Which requests are refused, by a rule that is given the request and its number on its path.

    Attributes:
        sent: How many requests came, by method and path.
    """

    def __init__(self) -> None:
        self.sent: Counter[tuple[str, str]] = Counter()
        self.rule: Callable[[web.Request, int], Refusal | None] = lambda _request, _number: None

    async def __call__(self, request: web.Request, handler: Any) -> web.StreamResponse:
        key = request.method, request.path
        self.sent[key] += 1
        refusal = self.rule(request, self.sent[key])
        if refusal is not None:
            return refusal.response()
        response: web.StreamResponse = await handler(request)
        return response


Refusing = tuple[ClusterUnderTest, Refusals]


def put_before_servers(monkeypatch: pytest.MonkeyPatch, middleware: Any) -> None:
    """Have each simulated cluster that begins from now on answer through a middleware."""
    begin = FaultInjection.__init__

    def beginning(injection: FaultInjection, *arguments: Any) -> None:
        begin(injection, *arguments)
        injection.middlewares.append(web.middleware(middleware))

    monkeypatch.setattr(FaultInjection, "__init__", beginning)


@asynccontextmanager
async def refusing_cluster(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Refusing]:
    """A simulated cluster, and what it refuses: nothing as long as there is no rule."""
    refusals = Refusals()
    put_before_servers(monkeypatch, refusals)
    async with simulated_cluster(directory) as cluster:
        yield cluster, refusals
