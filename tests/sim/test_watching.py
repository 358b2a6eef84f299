"""A watch tells everything that happens, in order, or says that it cannot."""

import asyncio

import pytest
from simulated_api import CONFIG_MAP, VMI, Api, manifest, new_store, serving

from perfscale.kube.resources import NAMESPACES
from perfscale.sim.apiserver.apiserver import ServerOptions
from perfscale.sim.storage.store import Store

VMIS = "/apis/kubevirt.io/v1/namespaces/demo/virtualmachineinstances"
ALL_VMIS = "/apis/kubevirt.io/v1/virtualmachineinstances"


def _create(store: Store, name: str, label: str = "x") -> None:
    store.create(VMI, manifest(VMI, name, metadata={"labels": {"run": label}}))


def _relabel(store: Store, name: str, label: str) -> None:
    obj = store.get(VMI, "demo", name)
    obj["metadata"]["labels"] = {"run": label}
    store.update(VMI, obj)


async def test_what_is_there_comes_first_and_then_what_happens(api: Api) -> None:
    _create(api.store, "a")
    async with api.watch(ALL_VMIS) as watch:
        assert await watch.names(1) == ["ADDED a"]
        _create(api.store, "b")
        _relabel(api.store, "a", "y")
        api.store.delete(VMI, "demo", "b")
        assert await watch.names(3) == ["ADDED b", "MODIFIED a", "DELETED b"]


async def test_a_watch_resumes_after_the_version_it_names(api: Api) -> None:
    _create(api.store, "a")
    version = api.store.version
    _create(api.store, "b")
    async with api.watch(ALL_VMIS, resourceVersion=str(version)) as watch:
        assert await watch.names(1) == ["ADDED b"]
        _create(api.store, "c")
        assert await watch.names(1) == ["ADDED c"]


async def test_an_object_enters_and_leaves_a_selection(api: Api) -> None:
    _create(api.store, "a", "mine")
    async with api.watch(ALL_VMIS, labelSelector="run=mine") as watch:
        _create(api.store, "b", "other")
        _relabel(api.store, "b", "mine")
        _relabel(api.store, "a", "other")
        events = [await watch.next() for _ in range(3)]
    shown = [(event["type"], event["object"]["metadata"]["name"]) for event in events]
    assert shown == [("ADDED", "a"), ("ADDED", "b"), ("DELETED", "a")]
    left = events[2]["object"]["metadata"]
    assert left["labels"] == {"run": "mine"}
    assert left["resourceVersion"] == str(api.store.version)


async def test_a_watch_of_a_namespace_and_of_a_kind_hears_of_no_other(api: Api) -> None:
    api.store.create(NAMESPACES, {"metadata": {"name": "other"}})
    async with api.watch(VMIS) as watch:
        api.store.create(VMI, manifest(VMI, "a", metadata={"namespace": "other"}))
        api.store.create(CONFIG_MAP, manifest(CONFIG_MAP, "b"))
        _create(api.store, "c")
        assert await watch.names(1) == ["ADDED c"]


async def test_a_version_that_is_too_old_gives_an_error_event_and_the_end() -> None:
    store = new_store(history=2)
    for name in "abcd":
        _create(store, name)
    async with serving(store) as api, api.watch(ALL_VMIS, resourceVersion="2") as watch:
        events = await watch.rest()
    assert [event["type"] for event in events] == ["ERROR"]
    assert (events[0]["object"]["code"], events[0]["object"]["reason"]) == (410, "Expired")


async def test_a_watch_ends_without_an_error_when_its_time_is_over() -> None:
    limits = ServerOptions(watch_timeout_s=(0.0, 0.0))
    async with serving(server_options=limits) as api:
        _create(api.store, "a")
        async with api.watch(ALL_VMIS, allowWatchBookmarks="true") as watch:
            events = await watch.rest()
    assert [event["type"] for event in events] == ["ADDED", "BOOKMARK"]
    assert events[1]["object"]["metadata"]["resourceVersion"] == str(api.store.version)


async def test_bookmarks_come_only_where_they_are_wanted() -> None:
    limits = ServerOptions(bookmark_interval_s=0.0)
    async with serving(server_options=limits) as api:
        async with api.watch(ALL_VMIS, allowWatchBookmarks="true") as watch:
            event = await watch.next()
        assert event["type"] == "BOOKMARK"
        assert event["object"]["kind"] == "VirtualMachineInstance"
        async with api.watch(ALL_VMIS) as watch:
            _create(api.store, "a")
            assert await watch.names(1) == ["ADDED a"]


async def test_the_end_of_the_initial_state_is_marked_where_it_is_asked_for(api: Api) -> None:
    _create(api.store, "a")
    wanted = {
        "sendInitialEvents": "true",
        "resourceVersionMatch": "NotOlderThan",
        "allowWatchBookmarks": "true",
    }
    async with api.watch(ALL_VMIS, **wanted) as watch:
        first, mark = await watch.next(), await watch.next()
    assert (first["type"], mark["type"]) == ("ADDED", "BOOKMARK")
    assert mark["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}


async def test_a_watch_that_asks_for_initial_events_wrongly_is_refused(api: Api) -> None:
    query = {"watch": "true", "sendInitialEvents": "true"}
    status, answer = await api("GET", ALL_VMIS, params=query)
    assert (status, answer["reason"]) == (422, "Invalid")


async def test_a_watcher_that_cannot_keep_up_is_cut_off_without_an_error() -> None:
    async with serving(server_options=ServerOptions(watch_buffer=10)) as api:
        async with api.watch(ALL_VMIS) as watch:
            for number in range(11):  # in one go: the watcher has no chance to send
                _create(api.store, f"vmi-{number}")
            assert len(await watch.rest()) < 11
        status, listed = await api("GET", ALL_VMIS)
    assert (status, len(listed["items"])) == (200, 11)


async def test_who_has_missed_more_than_the_buffer_holds_can_still_catch_up() -> None:
    async with serving(server_options=ServerOptions(watch_buffer=10)) as api:
        version = str(api.store.version)
        for number in range(50):
            _create(api.store, f"vmi-{number:02}")
        async with api.watch(ALL_VMIS, resourceVersion=version) as watch:
            assert await watch.names(50) == [f"ADDED vmi-{number:02}" for number in range(50)]


async def test_many_watchers_see_every_event_of_a_burst(api: Api) -> None:
    async def follow() -> list[str]:
        async with api.watch(ALL_VMIS) as watch:
            opened.release()
            return await watch.names(500)

    opened = asyncio.Semaphore(0)
    async with asyncio.TaskGroup() as tasks:
        followers = [tasks.create_task(follow()) for _ in range(5)]
        for _ in followers:
            await opened.acquire()
        for number in range(500):
            _create(api.store, f"vmi-{number:03}")
    expected = [f"ADDED vmi-{number:03}" for number in range(500)]
    assert [task.result() for task in followers] == [expected] * 5


@pytest.mark.parametrize("count", [1, 1200])
async def test_a_large_initial_state_arrives_whole(api: Api, count: int) -> None:
    for number in range(count):
        _create(api.store, f"vmi-{number:04}")
    async with api.watch(ALL_VMIS, labelSelector="run=x") as watch:
        assert await watch.names(count) == [f"ADDED vmi-{number:04}" for number in range(count)]


async def test_the_older_version_is_watched_as_its_own(api: Api) -> None:
    async with api.watch(ALL_VMIS.replace("/v1/", "/v1alpha3/")) as watch:
        _create(api.store, "a")
        event = await watch.next()
    assert event["object"]["apiVersion"] == "kubevirt.io/v1alpha3"
