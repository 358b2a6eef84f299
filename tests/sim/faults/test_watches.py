"""Each fault of watches alone: nothing is lost to who resumes, and everything is counted."""

import asyncio
from typing import Any

import pytest
from faulty_cluster import ALL_VMIS, FaultyApi, faulty
from simulated_api import VMI, manifest


def create(api: FaultyApi, *names: str) -> None:
    for name in names:
        api.store.create(VMI, manifest(VMI, name, status={"phase": "Running"}))


def shown(events: list[Any]) -> list[str]:
    return [f"{event['type']} {event['object']['metadata'].get('name')}" for event in events]


async def test_a_watch_is_closed_after_so_many_events_and_resumes_without_loss() -> None:
    async with faulty(watches=[{"fault": "closed", "afterEvents": 2}]) as api:
        version = str(api.store.version)
        create(api, *"abcde")
        seen: list[str] = []
        for _ in range(2):
            async with api.watch(ALL_VMIS, resourceVersion=version) as watch:
                events = await watch.rest()
            seen += shown(events)
            version = events[-1]["object"]["metadata"]["resourceVersion"]
        assert seen == ["ADDED a", "ADDED b", "ADDED c", "ADDED d"]
        async with api.watch(ALL_VMIS, resourceVersion=version) as watch:
            assert shown([await watch.next()]) == ["ADDED e"]
        assert api.injected == {"closed": 2}


async def test_a_watch_is_closed_after_some_time_without_an_error() -> None:
    async with faulty(watches=[{"fault": "closed", "after": "5ms"}]) as api:
        create(api, "a")
        async with api.watch(ALL_VMIS) as watch:
            assert shown(await watch.rest()) == ["ADDED a"]
        assert api.injected == {"closed": 1}


@pytest.mark.parametrize("by", ["status", "event"])
async def test_a_watch_that_resumes_is_refused_with_410(by: str) -> None:
    async with faulty(watches=[{"fault": "expired", "by": by, "times": 1}]) as api:
        version = str(api.store.version)
        create(api, "a")
        async with api.watch(ALL_VMIS, resourceVersion=version) as watch:
            (told,) = await watch.rest()
            status = told if by == "status" else told["object"]
            assert watch.status == (410 if by == "status" else 200)
            assert told.get("type", "ERROR") == "ERROR"
            assert (status["kind"], status["code"], status["reason"]) == ("Status", 410, "Expired")
        async with api.watch(ALL_VMIS, resourceVersion=version) as watch:
            assert shown([await watch.next()]) == ["ADDED a"]
        assert api.injected == {"expired": 1}


async def test_a_watch_that_begins_after_a_list_has_not_expired() -> None:
    async with faulty(watches=[{"fault": "expired"}]) as api:
        create(api, "a")
        async with api.watch(ALL_VMIS, resourceVersion=str(api.store.version)) as watch:
            create(api, "b")
            assert shown([await watch.next()]) == ["ADDED b"]
        assert api.injected == {}


async def test_late_events_come_in_order_and_bookmarks_do_not_overtake_them() -> None:
    loop = asyncio.get_running_loop()
    async with faulty(watches=[{"fault": "late", "delay": "20ms"}]) as api:
        query = {"resourceVersion": str(api.store.version), "allowWatchBookmarks": "true"}
        async with api.watch(ALL_VMIS, **query) as watch:
            began_s = loop.time()
            create(api, "a", "b")
            assert shown([await watch.next(), await watch.next()]) == ["ADDED a", "ADDED b"]
            assert loop.time() - began_s >= 0.019
        assert api.injected == {"late": 1}


async def test_what_is_held_back_when_a_watch_ends_comes_to_who_resumes() -> None:
    late = {"fault": "late", "delay": "1h", "times": 1}
    async with faulty(watches=[late]) as api:
        version = str(api.store.version)
        query = {"timeoutSeconds": "1", "allowWatchBookmarks": "true"}
        async with api.watch(ALL_VMIS, resourceVersion=version, **query) as watch:
            create(api, "a")
            for watcher in watchers(api):
                watcher._time_out()
            assert await watch.rest() == []
        async with api.watch(ALL_VMIS, resourceVersion=version) as watch:
            assert shown([await watch.next()]) == ["ADDED a"]


def watchers(api: FaultyApi) -> list[Any]:
    app: Any = api.cluster._server.listener._app
    (handler,) = app.on_shutdown
    return list(handler.__self__.watchers)


async def test_bursts_bring_what_happened_in_between_at_once() -> None:
    async with faulty(watches=[{"fault": "bursts", "every": "100ms"}]) as api:
        async with api.watch(ALL_VMIS, resourceVersion=str(api.store.version)) as watch:
            for number in range(20):
                create(api, f"vmi-{number}")
                await asyncio.sleep(0.001)  # each would be sent on its own
            chunks = [await watch._answer.content.readany()]
            while b"".join(chunks).count(b'"ADDED"') < 20:
                chunks.append(await watch._answer.content.readany())
        assert len(chunks) < 10
        assert api.injected == {"bursts": 1}


async def test_only_the_chosen_resources_are_disturbed() -> None:
    fault = {"fault": "closed", "afterEvents": 1, "resources": ["pods"]}
    async with faulty(watches=[fault]) as api:
        async with api.watch(ALL_VMIS, resourceVersion=str(api.store.version)) as watch:
            create(api, "a", "b")
            assert len([await watch.next(), await watch.next()]) == 2
        assert api.injected == {}
