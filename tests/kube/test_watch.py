import asyncio
from typing import Any

import msgspec
import pytest
from kube_client import Connect
from scripted_server import (
    Exchange,
    FakeTime,
    Handler,
    answers,
    not_permitted,
    not_served,
    refuses,
    resets,
    scripted_server,
    status_object,
)
from scripted_watch import (
    VMIS,
    Follower,
    Vmi,
    bookmark,
    cancel_at_any_moment,
    event,
    following,
    line,
    listed,
    stays,
    streams,
    vmi,
)

from perfscale.errors import CredentialsError, UnreachableError, WatchError
from perfscale.kube.client import Client, ClientSettings
from perfscale.kube.retrying.retry import NOT_SERVED_S
from perfscale.kube.watching.watch import Watch


@pytest.fixture
def connect(connect: Connect) -> Connect:
    """A client that knows its server to have no streaming lists."""

    async def open_client(*server: Any, **options: Any) -> Client:
        client = await connect(*server, **options)
        client.known.streams_lists = False
        return client

    return open_client


async def test_a_watch_lists_and_then_tells_every_event(connect: Connect) -> None:
    async with scripted_server(
        listed("5", "a", "b"),
        streams(event("c", "6", "ADDED"), event("a", "7", "DELETED"), then=stays),
    ) as server:
        client = await connect(server)
        async with following(client, namespace="here", label_selector="x=y") as follower:
            await follower.watch.synced.wait()
            await follower.until("DELETED a")
    assert follower.told == ["list a b", "ADDED c", "DELETED a"]
    request = server.requests[1]
    assert request.path == VMIS.path("here")
    assert (
        request.query.items()
        >= {
            "watch": "true",
            "resourceVersion": "5",
            "allowWatchBookmarks": "true",
            "labelSelector": "x=y",
        }.items()
    )
    assert 300 <= int(request.query["timeoutSeconds"]) <= 600
    assert (follower.watch.reconnects, follower.watch.relists) == (0, 0)


async def test_a_stream_may_be_cut_anywhere(connect: Connect) -> None:
    text = event("a", "6") + event("b", "7") + bookmark("8") + event("c", "9")
    async with scripted_server(
        listed("5"), streams(*(text[i : i + 1] for i in range(len(text))), then=stays)
    ) as server:
        client = await connect(server)
        async with following(client) as follower:
            await follower.until("MODIFIED c")
    assert follower.told == ["list ", "MODIFIED a", "MODIFIED b", "MODIFIED c"]


async def test_an_object_of_several_mebibytes_is_an_event_like_any_other(connect: Connect) -> None:
    huge = vmi("huge", "6") | {"padding": "x" * (5 << 20)}
    text = line("MODIFIED", huge) + event("b", "7")
    chunks = (text[start : start + (1 << 16)] for start in range(0, len(text), 1 << 16))
    async with scripted_server(listed("5"), streams(*chunks, then=stays)) as server:
        client = await connect(server)
        async with following(client) as follower:
            await follower.until("MODIFIED b")
    assert follower.told == ["list ", "MODIFIED huge", "MODIFIED b"]


@pytest.mark.parametrize("ending", [None, resets], ids=["closed without a word", "reset"])
async def test_a_stream_that_ends_is_resumed_where_it_was(
    connect: Connect, ending: Handler | None, fake_time: FakeTime
) -> None:
    async with scripted_server(
        listed("5"),
        streams(event("a", "6") + event("b", "7") + b'{"type": "MODIF', then=ending),
        streams(event("c", "8"), then=stays),
    ) as server:
        client = await connect(server)
        async with following(client) as follower:
            await follower.until("MODIFIED c")
    assert follower.told == ["list ", "MODIFIED a", "MODIFIED b", "MODIFIED c"]
    assert server.requests[2].query["resourceVersion"] == "7"
    assert (follower.watch.reconnects, follower.watch.relists) == (1, 0)
    assert fake_time.slept == []


async def test_a_bookmark_moves_the_place_to_resume_from(connect: Connect) -> None:
    async with scripted_server(
        listed("5"), streams(bookmark("99")), streams(event("a", "100"), then=stays)
    ) as server:
        client = await connect(server)
        async with following(client) as follower:
            await follower.until("MODIFIED a")
    assert server.requests[2].query["resourceVersion"] == "99"


GONE = line("ERROR", status_object(410, "Expired"))


@pytest.mark.parametrize("gone", [refuses(410, "Expired"), streams(GONE)], ids=["status", "event"])
async def test_a_version_that_is_too_old_makes_it_list_again(
    connect: Connect, gone: Handler
) -> None:
    async with scripted_server(
        listed("5", "a", "b"), gone, listed("50", "b", "c"), streams(event("d", "51"), then=stays)
    ) as server:
        client = await connect(server)
        async with following(client) as follower:
            await follower.until("MODIFIED d")
    assert follower.told == ["list a b", "list b c", "MODIFIED d"]
    assert server.requests[3].query["resourceVersion"] == "50"
    assert (follower.watch.reconnects, follower.watch.relists) == (0, 1)


async def test_events_before_an_error_event_are_told_and_not_told_again(connect: Connect) -> None:
    busy = line("ERROR", status_object(429, "TooManyRequests", details={"retryAfterSeconds": 3}))
    async with scripted_server(
        listed("5"),
        streams(event("a", "6") + busy),
        streams(event("b", "7"), then=stays),
        listed("7"),
    ) as server:
        client = await connect(server)
        async with following(client) as follower:
            await follower.until("MODIFIED b")
    assert follower.told == ["list ", "MODIFIED a", "MODIFIED b"]
    assert server.requests[2].query["resourceVersion"] == "6"


async def test_an_error_event_that_comes_first_is_gone_around_by_listing(connect: Connect) -> None:
    broken = line("ERROR", status_object(500, "InternalError"))
    async with scripted_server(
        listed("5"), streams(broken), listed("6", "a"), streams(then=stays)
    ) as server:
        client = await connect(server)
        async with following(client) as follower:
            await follower.until("list a")
    assert follower.watch.relists == 1


async def test_a_long_list_is_handed_over_whole(connect: Connect) -> None:
    async with scripted_server(
        listed("5", "a", more="m"),
        refuses(410, "Expired"),
        listed("6", "b", "c"),
        streams(then=stays),
    ) as server:
        client = await connect(server)
        async with following(client) as follower:
            await follower.watch.synced.wait()
    assert follower.told == ["list b c"]


async def test_a_silent_stream_is_opened_again(connect: Connect) -> None:
    async with scripted_server(
        listed("5"), streams(bookmark("6"), then=stays), streams(event("a", "7"), then=stays)
    ) as server:
        client = await connect(server, ClientSettings(watch_idle_timeout_s=0.05))
        async with following(client) as follower:
            await follower.until("MODIFIED a")
        assert follower.watch.reconnects >= 1


async def test_a_server_that_closes_at_once_is_not_hammered(
    connect: Connect, fake_time: FakeTime
) -> None:
    async with scripted_server(listed("5"), streams()) as server:
        client = await connect(server, ClientSettings(max_unavailable_s=60))
        with pytest.raises(WatchError, match=r"virtualmachineinstances\.kubevirt\.io"):
            await Follower(client).watch.run()
    assert sum(fake_time.slept) == pytest.approx(60)
    assert len(server.requests) < 40


async def test_a_refused_watch_ends_with_the_reason(connect: Connect) -> None:
    async with scripted_server(listed("5"), refuses(403, "Forbidden")) as server:
        client = await connect(server)
        with pytest.raises(WatchError, match=r"cannot watch virtual.*Forbidden") as caught:
            await Follower(client).watch.run()
    assert caught.value.status == 403


async def test_a_refused_list_ends_with_the_reason(connect: Connect) -> None:
    async with scripted_server(refuses(403, "Forbidden")) as server:
        client = await connect(server)
        follower = Follower(client, namespace="here")
        with pytest.raises(WatchError, match=r"cannot list .* in namespace here"):
            await follower.watch.run()
    assert not follower.watch.synced.is_set()


async def test_refused_credentials_end_a_watch(connect: Connect) -> None:
    async with scripted_server(listed("5"), refuses(401, "Unauthorized")) as server:
        client = await connect(server)
        with pytest.raises(CredentialsError):
            await Follower(client).watch.run()


async def test_a_watch_that_cannot_be_opened_for_too_long_ends(
    connect: Connect, fake_time: FakeTime
) -> None:
    async with scripted_server(listed("5"), refuses(503, "ServiceUnavailable")) as server:
        client = await connect(server, ClientSettings(max_unavailable_s=60))
        with pytest.raises((WatchError, UnreachableError)):
            await Follower(client).watch.run()
    assert 59 < sum(fake_time.slept) < 61


async def test_a_watch_rides_out_a_short_outage(connect: Connect) -> None:
    unavailable = refuses(503, "ServiceUnavailable")
    async with scripted_server(
        listed("5"),
        streams(event("a", "6")),
        unavailable,
        resets,
        unavailable,
        streams(event("b", "7"), then=stays),
    ) as server:
        client = await connect(server)
        async with following(client) as follower:
            await follower.until("MODIFIED b")
    assert server.requests[-1].query["resourceVersion"] == "6"
    assert follower.watch.reconnects == 1


async def test_a_watch_waits_for_a_server_that_does_not_serve_its_kind_yet(
    connect: Connect, fake_time: FakeTime
) -> None:
    unavailable = refuses(503, "ServiceUnavailable")
    async with scripted_server(
        listed("5"),
        *[unavailable] * 20,
        *[not_served] * 5,
        streams(event("b", "6"), then=stays),
        listed("5"),
    ) as server:
        client = await connect(server)
        async with following(client) as follower:
            await follower.until("MODIFIED b")
    assert server.requests[-2].query["resourceVersion"] == "5"
    assert sum(fake_time.slept) > NOT_SERVED_S


@pytest.mark.parametrize("refuse", [not_permitted, refuses(401, "Unauthorized")])
async def test_a_watch_that_was_allowed_waits_for_a_server_that_refuses_it_for_a_while(
    connect: Connect, refuse: Handler
) -> None:
    opened = streams(event("a", "6"))
    last = streams(event("b", "7"), then=stays)
    async with scripted_server(listed("5"), opened, *[refuse] * 5, last, listed("6")) as server:
        client = await connect(server)
        async with following(client) as follower:
            await follower.until("MODIFIED b")
    assert server.requests[-2].query["resourceVersion"] == "6"


@pytest.mark.parametrize(
    ("refuse", "error"),
    [(not_permitted, WatchError), (refuses(401, "Unauthorized"), CredentialsError)],
)
async def test_a_watch_that_is_refused_for_good_ends_although_it_was_allowed(
    connect: Connect, fake_time: FakeTime, refuse: Handler, error: type[Exception]
) -> None:
    opened = streams(event("a", "6"))
    async with scripted_server(listed("5"), opened, refuse) as server:
        client = await connect(server)
        with pytest.raises(error):
            await Follower(client).watch.run()
    assert NOT_SERVED_S - 1 < sum(fake_time.slept) < NOT_SERVED_S + 1


async def test_a_watch_of_a_kind_that_is_gone_ends(connect: Connect, fake_time: FakeTime) -> None:
    async with scripted_server(listed("5"), not_served) as server:
        client = await connect(server)
        with pytest.raises(WatchError, match="404 page not found"):
            await Follower(client).watch.run()
    assert NOT_SERVED_S - 1 < sum(fake_time.slept) < NOT_SERVED_S + 1


@pytest.mark.parametrize(
    "nonsense",
    [
        b"not json\n",
        b"<!DOCTYPE html>\n<html></html>\n",
        b"null\n",
        b"\xff\n",
        b'{"type": "MODIFIED"}\n',
        b'{"type": "MODIFIED", "object": {}}\n',
        b'{"a":' * 5000 + b"1" + b"}" * 5000 + b"\n",
        bookmark("9" * 5000),
    ],
    ids=range(8),
)
async def test_an_event_that_makes_no_sense_is_gone_around_by_listing(
    connect: Connect, nonsense: bytes
) -> None:
    async with scripted_server(
        listed("5"),
        streams(nonsense, then=stays),
        listed("7", "a"),
        streams(event("b", "8"), then=stays),
    ) as server:
        client = await connect(server)
        async with following(client) as follower:
            await follower.until("MODIFIED b")
    assert follower.told == ["list ", "list a", "MODIFIED b"]
    assert client.stats.illegible == 1


async def test_events_that_never_make_sense_end_the_watch_after_a_while(
    connect: Connect, fake_time: FakeTime
) -> None:
    async def answer(exchange: Exchange) -> None:
        watching = "watch" in exchange.request.query
        await (streams(b"not json\n", then=stays) if watching else listed("5"))(exchange)

    async with scripted_server(answer) as server:
        client = await connect(server)
        with pytest.raises(WatchError, match="not what an API server sends"):
            await Follower(client).watch.run()
    assert NOT_SERVED_S - 1 < sum(fake_time.slept) < NOT_SERVED_S + 11


async def test_a_list_that_makes_no_sense_ends_the_watch(connect: Connect) -> None:
    async with scripted_server(answers([1, 2])) as server:
        client = await connect(server)
        with pytest.raises(WatchError, match=f"cannot list {VMIS.name}: GET .* not what an API"):
            await Follower(client).watch.run()


class BugError(Exception):
    pass


@pytest.mark.parametrize("error", [BugError(), OSError(), ValueError()], ids=repr)
async def test_what_a_callback_raises_comes_out_as_it_is(
    connect: Connect, error: Exception
) -> None:
    def fail(*_: object) -> None:
        raise error

    async with scripted_server(listed("5"), streams(event("a", "6"), then=stays)) as server:
        client = await connect(server)
        watch = Watch(client, VMIS, decoder=Vmi, on_list=lambda *_: None, on_event=fail)
        with pytest.raises(type(error)) as caught:
            await watch.run()
        assert caught.value is error
        await server.no_connections()


async def test_a_watch_gives_plain_dicts_where_that_is_asked_for(connect: Connect) -> None:
    seen: list[dict[str, Any]] = []
    came = asyncio.Event()

    def take(_: str, item: dict[str, Any], _heard_s: float) -> None:
        seen.append(item)
        came.set()

    async with scripted_server(
        listed("5", "a"), streams(event("b", "6")), streams(then=stays)
    ) as server:
        client = await connect(server)
        watch = Watch(
            client,
            VMIS,
            decoder=dict[str, Any],
            on_list=lambda items, _: seen.extend(items),
            on_event=take,
        )
        task = asyncio.create_task(watch.run())
        await came.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert seen == [vmi("a", "1"), vmi("b", "6")]


async def test_a_cancelled_watch_leaves_no_connection(connect: Connect) -> None:
    async with scripted_server(listed("5"), streams(event("a", "6"), then=stays)) as server:
        client = await connect(server)
        async with following(client) as follower:
            await follower.until("MODIFIED a")
        assert server.open_connections
        await client._transport.aclose()
        await server.no_connections()


def test_a_decoder_without_a_resource_version_is_refused_at_once() -> None:
    class Bare(msgspec.Struct):
        status: dict[str, Any]

    with pytest.raises(TypeError, match="metadata"):
        Watch(
            None,  # type: ignore[arg-type]
            VMIS,
            decoder=Bare,
            on_list=lambda *_: None,
            on_event=lambda *_: None,
        )


async def test_a_watch_can_be_cancelled_at_any_moment(connect: Connect) -> None:
    await cancel_at_any_moment(connect, listed("5", "a"), streams(event("b", "6"), then=stays))
