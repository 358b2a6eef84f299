"""A cluster that goes back to an older state, as an etcd that is restored from a backup."""

import asyncio
from collections.abc import Sequence

from kube_client import Connect
from scripted_server import refuses, scripted_server
from scripted_watch import (
    VMIS,
    Vmi,
    bookmark,
    event,
    following,
    initial_events_end,
    listed,
    stays,
    streams,
)

from perfscale.kube.decoding import version_number
from perfscale.kube.watching.watch import Listed, Watch

UNAVAILABLE = refuses(503, "ServiceUnavailable")


async def test_a_watch_that_would_wait_for_an_older_server_reads_the_list_again(
    connect: Connect,
) -> None:
    async with scripted_server(
        listed("5", "a", "b"),
        streams(event("a", "900")),
        *[UNAVAILABLE] * 5,
        streams(then=stays),
        listed("300"),
        listed("300", "a"),
        streams(event("c", "301"), then=stays),
    ) as server:
        client = await connect(server)
        client.known.streams_lists = False
        async with following(client) as follower:
            await follower.until("MODIFIED c")
    assert follower.told == ["list a b", "MODIFIED a", "list a", "MODIFIED c"]


async def test_a_bookmark_of_an_older_version_makes_it_read_the_list_again(
    connect: Connect,
) -> None:
    async with scripted_server(
        listed("5", "a"),
        streams(bookmark("900")),
        streams(bookmark("300"), then=stays),
        listed("301", "a"),
        streams(event("c", "302"), then=stays),
    ) as server:
        client = await connect(server)
        client.known.streams_lists = False
        async with following(client) as follower:
            await follower.until("MODIFIED c")
    assert follower.told == ["list a", "list a", "MODIFIED c"]


async def test_who_is_handed_the_state_learns_that_the_cluster_went_back(connect: Connect) -> None:
    went_back: list[bool] = []
    came = asyncio.Event()

    def take(_: Sequence[Vmi], listed: Listed) -> None:
        went_back.append(listed.went_back)
        if len(went_back) == 3:
            came.set()

    async with scripted_server(
        streams(initial_events_end("5") + event("a", "900")),
        streams(event("a", "300"), then=stays),
        streams(initial_events_end("300")),
        streams(bookmark("299"), then=stays),
        streams(initial_events_end("400"), then=stays),
    ) as server:
        client = await connect(server)
        watch = Watch(client, VMIS, decoder=Vmi, on_list=take, on_event=lambda *_: None)
        task = asyncio.create_task(watch.run())
        await came.wait()
        task.cancel()
        await asyncio.wait([task])
    assert went_back == [False, True, False]


def test_a_version_that_is_no_number_of_a_store_is_none() -> None:
    assert version_number("12345") == 12345
    assert version_number("") == version_number("abc") == version_number("9" * 5000) == 0
