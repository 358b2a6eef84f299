"""What never ends on a watch has a bound, and a message."""

import asyncio

import pytest
from kube_client import Connect
from patience import SILENCE_S
from scripted_server import Exchange, scripted_server
from scripted_watch import (
    Follower,
    event,
    following,
    initial_events_end,
    listed,
    stays,
    streams,
)

from perfscale.errors import WatchError
from perfscale.kube.client import ClientSettings


async def trickles(exchange: Exchange) -> None:
    """An event begins, and goes on byte by byte."""
    exchange.start_stream()
    await exchange.write(b'{"type": "MODIFIED", "object": {"metadata": {"name": "')
    while True:
        await exchange.write(b"x")
        await asyncio.sleep(SILENCE_S / 10)


async def begins_without_end(exchange: Exchange) -> None:
    """Initial events come and come."""
    exchange.start_stream()
    number = 0
    while True:
        number += 1
        await exchange.write(event(f"a{number}", str(number), "ADDED"))
        await asyncio.sleep(SILENCE_S / 10)


def now() -> float:
    return asyncio.get_running_loop().time()


async def test_bytes_that_make_no_event_are_silence(connect: Connect) -> None:
    async with scripted_server(
        listed("5"), trickles, streams(event("a", "6"), then=stays)
    ) as server:
        client = await connect(server, ClientSettings(watch_idle_timeout_s=SILENCE_S), clock=now)
        client.known.streams_lists = False
        async with following(client) as follower:
            await follower.until("MODIFIED a")
    (warning,) = follower.warnings
    assert "sent bytes for" in warning
    assert "that make no whole event" in warning
    assert server.requests[2].query["resourceVersion"] == "5"


async def test_a_watch_on_which_only_bytes_come_ends_within_the_bound(connect: Connect) -> None:
    settings = ClientSettings(watch_idle_timeout_s=SILENCE_S, max_unavailable_s=2 * SILENCE_S)
    async with scripted_server(listed("5"), trickles) as server:
        client = await connect(server, settings, clock=now)
        client.known.streams_lists = False
        with pytest.raises(WatchError, match=r"cannot watch, .* no whole event"):
            await Follower(client).watch.run()


async def test_initial_events_that_never_end_are_listed_instead(connect: Connect) -> None:
    async with scripted_server(
        begins_without_end, listed("7", "b"), streams(event("c", "8"), then=stays)
    ) as server:
        client = await connect(server, ClientSettings(request_timeout_s=SILENCE_S))
        async with following(client) as follower:
            await follower.until("MODIFIED c")
    assert follower.told == ["list b", "MODIFIED c"]
    (warning,) = follower.warnings
    assert "are listed instead of streamed" in warning
    assert "without an end" in warning


async def test_initial_events_that_trickle_are_silence(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("perfscale.kube.watching.watch.SILENCE_S", SILENCE_S)
    async with scripted_server(
        trickles, streams(initial_events_end("7"), event("c", "8"), then=stays)
    ) as server:
        client = await connect(server)
        client.known.streams_lists = True
        async with following(client) as follower:
            await follower.until("MODIFIED c")
    assert follower.told == ["list ", "MODIFIED c"]
