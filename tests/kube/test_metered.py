"""Watches that are a load: what they receive is counted, to the last byte."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from kube_client import Connect
from scripted_server import scripted_server
from scripted_watch import VMIS, Vmi, event, listed, stays, streams

from perfscale.kube.http import connection
from perfscale.kube.watching.metered import MeteredWatch


async def test_what_has_come_and_waits_to_be_read_is_counted_when_a_stream_is_closed(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "GATHER_S", 3600.0)  # what comes is read with what comes next
    events = [event("c", "6", "ADDED"), event("a", "7", "DELETED")]
    heard: list[str] = []
    listed_names: list[str] = []

    def on_list(objects: Any, _: object) -> None:
        listed_names.extend(each.metadata.name for each in objects)

    async with scripted_server(listed("5", "a", "b"), streams(*events, then=stays)) as server:
        client = await connect(server)
        client.known.streams_lists = False
        watch: MeteredWatch[Vmi] = MeteredWatch(
            client,
            VMIS,
            decoder=Vmi,
            on_list=on_list,
            on_event=lambda kind, item, _: heard.append(f"{kind} {item.metadata.name}"),
        )
        task = asyncio.create_task(watch.run())
        await watch.synced.wait()
        assert listed_names == ["a", "b"]
        in_list = watch.received
        assert in_list > 0
        async with asyncio.timeout(60):
            while len(heard) < len(events):
                watch.take_rest()
                await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
    assert heard == ["ADDED c", "DELETED a"]
    assert watch.received == in_list + sum(map(len, events))
