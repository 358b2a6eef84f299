"""What a watch says of the times in which it was not open."""

import asyncio
from functools import partial

import pytest
from kube_client import Connect
from patience import SILENCE_S
from scripted_server import Exchange, FakeTime, refuses, resets, scripted_server
from scripted_watch import (
    VMIS,
    Follower,
    event,
    following,
    initial_events_end,
    listed,
    stays,
    streams,
)

from perfscale.errors import UnreachableError
from perfscale.kube.client import ClientSettings
from perfscale.kube.watching.gaps import GapDetector
from perfscale.kube.watching.reopening import StreamFailedError

UNAVAILABLE = refuses(503, "ServiceUnavailable")


async def passes(time: FakeTime, seconds: float, then: object, exchange: Exchange) -> None:
    """Time passes while the stream is open."""
    time.now += seconds
    assert callable(then)
    await then(exchange)


async def test_a_stream_that_is_resumed_at_once_hides_next_to_nothing(
    connect: Connect, fake_time: FakeTime
) -> None:
    async with scripted_server(
        listed("5"),
        streams(event("a", "6"), then=partial(passes, fake_time, 30.0, resets)),
        streams(event("b", "7"), then=stays),
    ) as server:
        client = await connect(server)
        client.known.streams_lists = False
        async with following(client) as follower:
            await follower.until("MODIFIED b")
    assert follower.gaps == [("lost", 1030.0), ("regained", 1030.0)]


async def test_a_blind_span_lasts_until_the_stream_is_open_and_has_told_what_was_missed(
    connect: Connect, fake_time: FakeTime
) -> None:
    async with scripted_server(
        listed("5"),
        streams(event("a", "6")),
        *[UNAVAILABLE] * 6,
        streams(event("b", "7"), then=stays),
        listed("7"),
    ) as server:
        client = await connect(server)
        client.known.streams_lists = False
        async with following(client) as follower:
            await follower.until("MODIFIED b")
    opened_s = 1000.0 + sum(fake_time.slept)
    assert opened_s > 1001.0
    assert follower.gaps == [("lost", 1000.0), ("regained", pytest.approx(opened_s + 1.0))]


async def test_a_state_that_is_told_anew_has_caught_up(
    connect: Connect, fake_time: FakeTime
) -> None:
    async with scripted_server(
        streams(initial_events_end("5")),
        refuses(410, "Expired"),
        *[UNAVAILABLE] * 2,
        streams(initial_events_end("9"), event("b", "10"), then=stays),
    ) as server:
        client = await connect(server)
        async with following(client) as follower:
            await follower.until("MODIFIED b")
    opened_s = 1000.0 + sum(fake_time.slept)
    assert follower.gaps == [("lost", 1000.0), ("regained", pytest.approx(opened_s))]


async def test_a_stream_that_fell_silent_was_blind_from_its_last_word_on(
    connect: Connect, fake_time: FakeTime
) -> None:
    seen = asyncio.Event()

    async def once_seen(exchange: Exchange) -> None:
        await seen.wait()
        await passes(fake_time, 90.0, stays, exchange)

    async with scripted_server(
        listed("5"),
        streams(event("a", "6"), then=once_seen),
        streams(event("b", "7"), then=stays),
        listed("7"),
    ) as server:
        client = await connect(server, ClientSettings(watch_idle_timeout_s=SILENCE_S))
        client.known.streams_lists = False
        async with following(client) as follower:
            await follower.until("MODIFIED a")
            seen.set()
            await follower.until("MODIFIED b")
    (_, lost_s), (_, until_s) = follower.gaps[:2]
    assert lost_s == 1000.0
    assert until_s == pytest.approx(1091.0)


SILENT = StreamFailedError(UnreachableError("no answer in time"), opened=True, silent=True)
REFUSED = StreamFailedError(UnreachableError("connection refused"), opened=False)


@pytest.fixture
async def follower(connect: Connect) -> Follower:
    """Nobody follows with it; it keeps the gaps that a watch reports."""
    return Follower(await connect("http://127.0.0.1:1"))


@pytest.fixture
def detector(follower: Follower) -> GapDetector:
    detector = GapDetector(follower.client, VMIS, follower)
    detector.begin()
    return detector


@pytest.mark.parametrize(("after_s", "blind"), [(0.5, True), (30.0, False)])
async def test_a_silent_stream_was_blind_if_there_is_something_to_tell_at_once(
    after_s: float, blind: bool, detector: GapDetector, follower: Follower, fake_time: FakeTime
) -> None:
    fake_time.now += 90.0
    detector.lose(SILENT)
    detector.regain(caught_up=False)
    assert follower.gaps == []
    detector.received(fake_time.now + after_s, whole=True)
    assert follower.gaps == ([("lost", 1000.0), ("regained", 1091.0)] if blind else [])


async def test_a_silent_stream_that_cannot_be_opened_again_was_blind(
    detector: GapDetector, follower: Follower, fake_time: FakeTime
) -> None:
    fake_time.now += 90.0
    detector.lose(SILENT)
    detector.lose(REFUSED)
    assert follower.gaps == [("lost", 1000.0)]
    fake_time.now += 5.0
    detector.regain(caught_up=False)
    assert follower.gaps == [("lost", 1000.0), ("regained", 1096.0)]


async def test_before_the_first_state_there_is_nothing_to_miss(connect: Connect) -> None:
    async with scripted_server(
        UNAVAILABLE, UNAVAILABLE, streams(initial_events_end("5"), event("a", "6"), then=stays)
    ) as server:
        client = await connect(server)
        async with following(client) as follower:
            await follower.until("MODIFIED a")
    assert follower.gaps == []
