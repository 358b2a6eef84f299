"""What somebody can take who does not know the token."""

import asyncio
from contextlib import AsyncExitStack

import pytest
from live_pages import TOKEN, served
from patience import PATIENCE_S

from perfscale.live import strangers

GET = "GET / HTTP/1.1\r\nHost: run\r\n{}\r\n"
WITH_TOKEN = GET.format(f"Authorization: Bearer {TOKEN}\r\n")
EVERYWHERE = "0.0.0.0"  # noqa: S104 -- it has a token


class Connections:
    """Connections to a page that are closed with the test."""

    def __init__(self, url: str, stack: AsyncExitStack) -> None:
        self._port = int(url.rstrip("/").rpartition(":")[2])
        self._stack = stack

    async def open(self, text: str = "") -> asyncio.StreamReader:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._stack.callback(writer.close)
        writer.write(text.encode())
        return reader

    async def answer(self, text: str) -> str:
        """The first line of an answer; empty where the connection is closed instead."""
        reader = await self.open(text)
        async with asyncio.timeout(PATIENCE_S):
            try:
                return (await reader.readline()).decode().strip()
            except ConnectionError:
                return ""


async def test_connections_that_show_nothing_are_bounded() -> None:
    async with AsyncExitStack() as stack, served(TOKEN, EVERYWHERE) as page:
        connections = Connections(page.url, stack)
        for _ in range(strangers.MOST):
            assert await connections.answer(GET.format("")) == "HTTP/1.1 401 Unauthorized"
        assert await connections.answer(GET.format("")) == ""


async def test_readers_who_know_the_token_take_no_place_of_others() -> None:
    async with AsyncExitStack() as stack, served(TOKEN, EVERYWHERE) as page:
        connections = Connections(page.url, stack)
        for _ in range(strangers.MOST + 1):
            assert await connections.answer(WITH_TOKEN) == "HTTP/1.1 200 OK"


async def test_a_connection_that_shows_nothing_in_time_is_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(strangers, "PATIENCE_S", 0.0)
    async with AsyncExitStack() as stack, served(TOKEN, EVERYWHERE) as page:
        reader = await Connections(page.url, stack).open()
        async with asyncio.timeout(PATIENCE_S):
            assert await reader.read() == b""


async def test_places_of_connections_that_were_closed_are_given_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(strangers, "_MADE_S", -1.0)
    async with served(TOKEN, EVERYWHERE) as page, asyncio.timeout(PATIENCE_S):
        async with AsyncExitStack() as stack:
            connections = Connections(page.url, stack)
            for _ in range(strangers.MOST):
                assert await connections.answer(GET.format(""))
        async with AsyncExitStack() as stack:
            while not await Connections(page.url, stack).answer(GET.format("")):
                pass  # until the server has seen that one is closed
