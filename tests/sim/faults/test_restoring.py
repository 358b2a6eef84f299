"""A cluster whose state goes back to an older copy, as its server's clients find it."""

import asyncio
from typing import Any

import aiohttp
from controlled_store import until, until_phase
from faulty_cluster import NAMESPACES, VMIS, FaultyApi, faulty
from patience import PATIENCE_S
from simulated_api import CONFIG_MAP, VMI, manifest, new_store

from perfscale.kube.resources import NAMESPACES as NAMESPACE
from perfscale.sim.controllers.objects import condition_of
from perfscale.sim.storage.lifecycle import Housekeeping


async def until_restored(api: FaultyApi) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                await api("GET", NAMESPACES)
            except aiohttp.ClientError:
                await asyncio.sleep(0.001)
            else:
                if "restored" in api.injected:
                    return


def is_at_rest(vmi: dict[str, Any]) -> bool:
    """Whether no controller has anything left to write of it."""
    return condition_of(vmi, "AgentConnected") is not None


async def names(api: FaultyApi) -> list[str]:
    items = (await api("GET", VMIS))[1]["items"]
    return [item["metadata"]["name"] for item in items]


async def test_objects_and_versions_go_back() -> None:
    restored = {"copyAfterRequests": 2, "afterRequests": 6, "lasts": "10ms"}
    async with faulty(cluster={"restored": restored}) as api:
        await api.create("a")
        await until(api.store, VMI, lambda vmis: all(map(is_at_rest, vmis)))
        before = (await api("GET", VMIS))[1]  # and the copy is taken
        await api.create("b")
        await until_phase(api.store, VMI, "Running")
        await api("DELETE", f"{VMIS}/a")
        await until(api.store, VMI, lambda vmis: [v["metadata"]["name"] for v in vmis] == ["b"])
        late = (await api("GET", VMIS))[1]["metadata"]["resourceVersion"]
        await api.create("c")  # which is answered, or broken, by chance
        await until_restored(api)
        after = (await api("GET", VMIS))[1]
        assert after == before
        assert int(after["metadata"]["resourceVersion"]) < int(late)
        async with api.watch(VMIS, resourceVersion=late) as watch:
            (event,) = await watch.rest()
            assert event["type"] == "ERROR"
            assert event["object"]["message"].startswith("Too large resource version")
        assert api.injected == {"restored": 1}
        account = api.vmis
        assert (account.present, account.created - account.gone) == (1, 1)


async def test_the_cluster_goes_on_with_what_is_there() -> None:
    restored = {"copyAfterRequests": 2, "afterRequests": 5, "lasts": "10ms"}
    async with faulty(cluster={"restored": restored}) as api:
        await api.create("a")
        await api("GET", VMIS)  # the copy: the VMI is in whatever phase it is in
        await until_phase(api.store, VMI, "Running")
        await api("DELETE", f"{NAMESPACES}/demo")
        await until(
            api.store,
            NAMESPACE,
            lambda found: "demo" not in [each["metadata"]["name"] for each in found],
        )
        await api("GET", NAMESPACES)
        await asyncio.wait({asyncio.ensure_future(api.create("c"))})
        await until_restored(api)
        await until_phase(api.store, VMI, "Running")
        assert await api.create("b") == 201
        await until_phase(api.store, VMI, "Running")
        assert await names(api) == ["a", "b"]
        await api("DELETE", f"{NAMESPACES}/demo")
        await until(
            api.store,
            NAMESPACE,
            lambda found: "demo" not in [each["metadata"]["name"] for each in found],
        )


def test_going_back_tells_each_difference_once() -> None:
    store = new_store()
    for name in ("kept", "changed", "deleted", "replaced"):
        store.create(CONFIG_MAP, manifest(CONFIG_MAP, name))
    backup = store.backup()
    version = store.version
    store.update(CONFIG_MAP, manifest(CONFIG_MAP, "changed", data={"a": "b"}))
    for name in ("deleted", "replaced"):
        store.delete(CONFIG_MAP, "demo", name)
    for name in ("replaced", "new"):
        store.create(CONFIG_MAP, manifest(CONFIG_MAP, name))
    heard: list[str] = []
    store.subscribe(CONFIG_MAP, lambda kind, obj: heard.append(f"{kind} {obj['metadata']['name']}"))
    store.restore(backup)
    assert sorted(heard) == [
        "ADDED deleted",
        "ADDED replaced",
        "DELETED new",
        "DELETED replaced",
        "MODIFIED changed",
    ]
    assert heard.index("DELETED replaced") < heard.index("ADDED replaced")
    assert store.version == version
    assert [obj["metadata"]["name"] for obj in store.list(CONFIG_MAP)] == [
        "changed",
        "deleted",
        "kept",
        "replaced",
    ]
    assert store.changes_since(CONFIG_MAP, version) == []


def test_a_namespace_that_was_being_deleted_is_active_again() -> None:
    store = new_store()
    housekeeping = Housekeeping(store)
    backup = store.backup()
    store.create(CONFIG_MAP, manifest(CONFIG_MAP, "a", metadata={"finalizers": ["x.y/z"]}))
    store.delete(NAMESPACE, None, "demo")
    housekeeping.run_pending()
    assert store.is_terminating("demo")
    store.restore(backup)
    housekeeping.run_pending()
    assert not store.is_terminating("demo")
    assert store.population("demo") == 0
    store.create(CONFIG_MAP, manifest(CONFIG_MAP, "b"))
    store.delete(NAMESPACE, None, "demo")
    housekeeping.run_pending()
    assert store.list(CONFIG_MAP) == []
