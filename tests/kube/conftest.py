"""A client of a scripted server, on a clock that no test has to wait for; on both event loops."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import pytest
import uvloop
from direct_way import issued
from kube_client import Connect
from scripted_server import FakeTime, ScriptedServer
from static_issuer import StaticIssuer

from perfscale.kube.auth.credentials import Credentials, Issuer
from perfscale.kube.client import Client, ClientSettings
from perfscale.kube.http.direct import DirectTransport
from perfscale.kube.http.transport import Endpoint
from perfscale.kube.ratelimit import RateLimiter
from perfscale.kube.retrying.retry import Timing


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture(params=["http", "https"])
def server_tls(request: pytest.FixtureRequest) -> ssl.SSLContext | None:
    return issued() if request.param == "https" else None


@pytest.fixture
def fake_time(request: pytest.FixtureRequest) -> FakeTime:
    """Its chance may be given as a parameter."""
    return FakeTime(getattr(request, "param", 0.5))


@pytest.fixture
async def connect(fake_time: FakeTime) -> AsyncIterator[Connect]:
    async with AsyncExitStack() as stack:

        async def open_client(
            server: ScriptedServer | str,
            settings: ClientSettings = ClientSettings(),  # noqa: B008 -- frozen
            *,
            issuer: Issuer | None = None,
            limiter: RateLimiter | None = None,
            clock: Callable[[], float] | None = None,
        ) -> Client:
            endpoint = Endpoint(server if isinstance(server, str) else server.url)
            transport = DirectTransport(endpoint, None)
            stack.push_async_callback(transport.aclose)
            return Client(
                transport,
                endpoint,
                await Credentials.obtain(issuer or StaticIssuer(), clock=fake_time.clock),
                limiter=limiter,
                settings=settings,
                timing=Timing(clock or fake_time.clock, fake_time.sleep, fake_time.random),
            )

        yield open_client
