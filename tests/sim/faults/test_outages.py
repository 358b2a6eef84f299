"""The API server goes, and comes back to the same port with everything it had."""

import asyncio

import aiohttp
import pytest
from faulty_cluster import ALL_VMIS, NAMESPACES, VMIS, FaultyApi, faulty
from patience import PATIENCE_S


async def until_back(api: FaultyApi) -> list[type[Exception]]:
    """Ask until there is an answer; return the errors before it."""
    errors: list[type[Exception]] = []
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                await api("GET", NAMESPACES)
            except aiohttp.ClientError as error:
                errors.append(type(error))
                await asyncio.sleep(0.001)
            else:
                return errors


async def until_gone(api: FaultyApi, times: int = 1) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while api.injected.get("outages", 0) < times:  # noqa: ASYNC110 - the counts have no event
            await asyncio.sleep(0.001)


@pytest.mark.parametrize(
    ("connections", "error"),
    [("refused", aiohttp.ClientConnectorError), ("reset", aiohttp.ClientOSError)],
)
async def test_connections_fail_until_it_is_back(connections: str, error: type[Exception]) -> None:
    outage = {"afterRequests": 2, "lasts": "50ms", "connections": connections}
    async with faulty(outages=[outage]) as api:
        url = api.url
        assert await api.create("a") == 201
        await api.create("b")  # which is answered, or broken, by chance
        await until_gone(api)
        errors = await until_back(api)
        assert errors
        assert {kind for kind in errors if issubclass(kind, aiohttp.ClientOSError)} >= {error}
        assert api.url == url
        assert (await api("GET", f"{VMIS}/a"))[0] == 200
        assert api.injected == {"outages": 1}


async def test_open_watches_break() -> None:
    async with faulty(outages=[{"afterRequests": 2, "lasts": "10ms"}]) as api:
        version = str(api.store.version)
        async with api.watch(ALL_VMIS, resourceVersion=version) as watch:
            await api.create("a")
            with pytest.raises(aiohttp.ClientError):
                await watch.rest()
        await until_back(api)


async def test_requests_under_way_get_no_answer() -> None:
    slow = {"fault": "slow", "delay": "1h", "verbs": ["create"]}
    outage = {"afterRequests": 2, "lasts": "10ms"}
    async with faulty(requests=[slow], outages=[outage]) as api:
        creating = asyncio.create_task(api.create("a"))
        await asyncio.sleep(0.005)
        await api("GET", NAMESPACES)
        assert await creating == 0
        await until_back(api)
        assert (await api("GET", f"{VMIS}/a"))[0] == 404


async def test_it_goes_again_and_again() -> None:
    async with faulty(outages=[{"after": "0s", "lasts": "5ms", "every": "15ms"}]) as api:
        await until_gone(api, 3)
        await until_back(api)


async def test_two_outages_follow_one_another() -> None:
    both = [{"after": "0s", "lasts": "10ms"}, {"after": "0s", "lasts": "10ms"}]
    async with faulty(outages=both) as api:
        await until_gone(api, 2)
        await until_back(api)
        assert api.injected == {"outages": 2}


async def test_a_cluster_that_is_left_during_an_outage_frees_its_port() -> None:
    for connections in ("refused", "reset"):
        outage = {"after": "0s", "lasts": "1h", "connections": connections}
        async with faulty(outages=[outage]) as api:
            await until_gone(api)
            host, port = api.url.removeprefix("http://").split(":")
        server = await asyncio.start_server(lambda _r, _w: None, host, int(port))
        server.close()


async def test_afterwards_a_watch_from_before_may_be_refused() -> None:
    async with faulty(outages=[{"afterRequests": 2, "lasts": "1ms", "forgets": True}]) as api:
        version = str(api.store.version)
        await api.create("a")
        await api.create("b")
        await until_gone(api)
        await until_back(api)
        async with api.watch(ALL_VMIS, resourceVersion=version) as watch:
            event = await watch.next()
        assert (event["type"], event["object"]["code"]) == ("ERROR", 410)
