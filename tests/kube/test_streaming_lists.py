"""A state that comes by stream, from servers that can and from those that cannot."""

import asyncio

import pytest
from kube_client import Connect
from scripted_server import (
    Exchange,
    FakeTime,
    Handler,
    refuses,
    resets,
    scripted_server,
    status_object,
)
from scripted_watch import (
    VMIS,
    Follower,
    bookmark,
    cancel_at_any_moment,
    event,
    following,
    initial_events_end,
    line,
    listed,
    stays,
    streams,
)

from perfscale.errors import WatchError
from perfscale.kube.client import ClientSettings
from perfscale.kube.ratelimit import RateLimiter
from perfscale.kube.watching import watch


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Silence tells soon; and only in a stream that has initial events to tell."""
    monkeypatch.setattr(watch, "SILENCE_S", 0.3)


def state(version: str, *names: str) -> bytes:
    """What a server streams that has these objects."""
    return b"".join(event(name, "1", "ADDED") for name in names) + initial_events_end(version)


async def test_the_state_comes_by_stream_which_then_goes_on(connect: Connect) -> None:
    begins = state("5", "a", "b") + event("c", "6", "ADDED")
    async with scripted_server(
        streams(begins, event("a", "7", "DELETED")), streams(event("d", "8"), then=stays)
    ) as server:
        client = await connect(server)
        async with following(client, namespace="here", label_selector="x=y") as follower:
            await follower.until("MODIFIED d")
    assert follower.told == ["list a b", "ADDED c", "DELETED a", "MODIFIED d"]
    first, second = server.requests
    assert first.path == VMIS.path("here")
    assert first.query["labelSelector"] == "x=y"
    assert first.query["sendInitialEvents"] == "true"
    assert first.query["resourceVersionMatch"] == "NotOlderThan"
    assert first.query["allowWatchBookmarks"] == "true"
    assert "resourceVersion" not in first.query
    assert "sendInitialEvents" not in second.query
    assert second.query["resourceVersion"] == "7"
    assert (follower.watch.reconnects, follower.watch.relists) == (1, 0)


async def test_it_is_not_synced_before_the_initial_events_have_ended(connect: Connect) -> None:
    told, may_end = asyncio.Event(), asyncio.Event()

    async def ends(exchange: Exchange) -> None:
        told.set()
        await may_end.wait()
        await exchange.write(initial_events_end("5"))
        await stays(exchange)

    async with scripted_server(streams(event("a", "1", "ADDED"), then=ends)) as server:
        client = await connect(server)
        async with following(client) as follower:
            await told.wait()
            for _ in range(20):
                await asyncio.sleep(0)
            assert follower.told == []
            assert not follower.watch.synced.is_set()
            may_end.set()
            await follower.watch.synced.wait()
            assert follower.told == ["list a"]
            assert follower.listed is not None
            assert follower.listed.version == 5


async def test_what_changes_while_the_state_is_told_is_told_as_it_is_at_the_end(
    connect: Connect,
) -> None:
    changing = [
        event("stays", "1", "ADDED"),
        event("goes", "2", "ADDED"),
        event("comes-back", "2", "ADDED"),
        event("goes", "3", "DELETED"),
        event("comes-back", "4", "DELETED"),
        event("stays", "5", "MODIFIED"),
        event("comes-back", "6", "ADDED"),
    ]
    async with scripted_server(streams(*changing, initial_events_end("6"), then=stays)) as server:
        client = await connect(server)
        async with following(client) as follower:
            await follower.watch.synced.wait()
    assert follower.told == ["list stays comes-back"]


BREAKS: dict[str, Handler] = {
    "closed without a word": streams(event("a", "1", "ADDED")),
    "reset": streams(event("a", "1", "ADDED"), then=resets),
    "an error": streams(
        event("a", "1", "ADDED") + line("ERROR", status_object(500, "InternalError"))
    ),
    "expired": streams(event("a", "1", "ADDED") + line("ERROR", status_object(410, "Expired"))),
}


@pytest.mark.parametrize("breaks", BREAKS.values(), ids=BREAKS.keys())
async def test_a_state_that_breaks_off_is_told_from_its_beginning(
    connect: Connect, breaks: Handler, fake_time: FakeTime
) -> None:
    async with scripted_server(breaks, streams(state("9", "b", "c"), then=stays)) as server:
        client = await connect(server)
        async with following(client) as follower:
            await follower.watch.synced.wait()
    assert follower.told == ["list b c"]
    assert "sendInitialEvents" in server.requests[1].query
    assert (follower.watch.reconnects, follower.watch.relists) == (1, 0)
    assert len(fake_time.slept) == 1


async def test_a_state_that_never_comes_to_its_end_is_listed(connect: Connect) -> None:
    breaks = streams(event("a", "1", "ADDED"))
    async with scripted_server(
        breaks, breaks, breaks, listed("5", "a", "b"), streams(event("b", "6"), then=stays)
    ) as server:
        client = await connect(server)
        async with following(client) as follower:
            await follower.until("MODIFIED b")
    assert follower.told == ["list a b", "MODIFIED b"]
    assert server.requests[4].query["resourceVersion"] == "5"


REFUSALS: dict[str, Handler] = {
    "400": refuses(400, "BadRequest"),
    "403": refuses(403, "Forbidden"),
    "422": refuses(422, "Invalid"),
    "422 as an event": streams(line("ERROR", status_object(422, "Invalid"))),
}


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS.keys())
async def test_a_server_that_refuses_to_stream_it_is_asked_for_a_list_and_not_again(
    connect: Connect, refusal: Handler, fake_time: FakeTime
) -> None:
    followed = streams(event("b", "6"), then=stays)
    async with scripted_server(refusal, listed("5", "a"), followed) as server:
        client = await connect(server)
        async with following(client) as follower:
            await follower.until("MODIFIED b")
        assert follower.told == ["list a", "MODIFIED b"]
        server.will_from_now_on(listed("7", "c"), streams(then=stays))
        async with following(client.limited(RateLimiter(0))) as another:
            await another.watch.synced.wait()
        assert another.told == ["list c"]
    assert fake_time.slept == []


IGNORANT: dict[str, Handler] = {
    "silent": streams(then=stays),
    "silent after its objects": streams(event("a", "1", "ADDED"), then=stays),
    "telling by its bookmark": streams(event("a", "1", "ADDED"), bookmark("5"), then=stays),
}


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("ignores", IGNORANT.values(), ids=IGNORANT.keys())
async def test_a_server_that_ignores_the_wish_is_found_out_and_not_asked_again(
    connect: Connect, ignores: Handler
) -> None:
    async with scripted_server(
        ignores, listed("5", "a"), streams(event("b", "6"), then=stays)
    ) as server:
        client = await connect(server)
        async with following(client) as follower:
            await follower.until("MODIFIED b")
        assert follower.told == ["list a", "MODIFIED b"]
        server.will_from_now_on(listed("7", "c"), streams(then=stays))
        async with following(client) as another:
            await another.watch.synced.wait()
        assert another.told == ["list c"]


@pytest.mark.usefixtures("impatient")
async def test_a_server_that_has_streamed_before_is_given_another_try(connect: Connect) -> None:
    async with scripted_server(
        streams(event("a", "1", "ADDED"), then=stays), streams(state("9", "b"), then=stays)
    ) as server:
        client = await connect(server)
        client.known.streams_lists = True
        async with following(client) as follower:
            await follower.watch.synced.wait()
    assert follower.told == ["list b"]
    assert follower.watch.reconnects == 1


@pytest.mark.parametrize("by", ["status", "event"])
async def test_a_version_that_is_too_old_has_the_state_streamed_again(
    connect: Connect, by: str
) -> None:
    event_410 = streams(line("ERROR", status_object(410, "Expired")))
    gone = event_410 if by == "event" else refuses(410, "Expired")
    async with scripted_server(
        streams(state("5", "a", "b")),
        gone,
        streams(state("50", "b", "c") + event("d", "51"), then=stays),
    ) as server:
        client = await connect(server)
        async with following(client) as follower:
            await follower.until("MODIFIED d")
    assert follower.told == ["list a b", "list b c", "MODIFIED d"]
    assert (follower.watch.reconnects, follower.watch.relists) == (1, 1)
    assert client.stats.expired_streams == (1 if by == "event" else 0)


async def test_a_state_that_cannot_be_had_for_too_long_ends_the_watch(
    connect: Connect, fake_time: FakeTime
) -> None:
    async with scripted_server(streams(state("5"))) as server:
        client = await connect(server, ClientSettings(max_unavailable_s=60))
        server.will_from_now_on(resets)
        with pytest.raises(WatchError, match=r"cannot watch, for 60 s"):
            await Follower(client).watch.run()
    assert sum(fake_time.slept) == pytest.approx(60)


async def test_a_server_that_is_gone_for_a_while_is_still_asked_to_stream(
    connect: Connect,
) -> None:
    async with scripted_server(
        resets, resets, resets, resets, streams(state("5", "a"), then=stays)
    ) as server:
        client = await connect(server)
        async with following(client) as follower:
            await follower.watch.synced.wait()
    assert follower.told == ["list a"]


async def test_a_streamed_state_can_be_cancelled_at_any_moment(connect: Connect) -> None:
    await cancel_at_any_moment(connect, streams(state("5", "a"), event("b", "6"), then=stays))
