"""Each fault of requests alone, as a client without retries sees it."""

import asyncio
from typing import Any

import aiohttp
import pytest
from faulty_cluster import ALL_VMIS, CONFIG_MAPS, VMIS, faulty
from simulated_api import CONFIG_MAP, VMI, manifest


@pytest.mark.parametrize(
    ("fault", "status", "reason"),
    [
        ("tooManyRequests", 429, "TooManyRequests"),
        ("internalError", 500, "InternalError"),
        ("unavailable", 503, "ServiceUnavailable"),
        ("unauthorized", 401, "Unauthorized"),
        ("forbidden", 403, "Forbidden"),
        ("conflict", 409, "Conflict"),
        ("webhookDown", 500, "InternalError"),
    ],
)
async def test_a_refused_request_gets_a_status_and_is_not_carried_out(
    fault: str, status: int, reason: str
) -> None:
    async with faulty(requests=[{"fault": fault, "verbs": ["create"]}]) as api:
        answered, body = await api("POST", VMIS, manifest(VMI, "a"))
        assert (answered, body["kind"], body["reason"]) == (status, "Status", reason)
        assert body["code"] == status
        assert (await api("GET", VMIS))[1]["items"] == []
        assert api.injected == {fault: 1}
        assert api.vmis.created == 0


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"fault": "tooManyRequests"}, "1"),
        ({"fault": "tooManyRequests", "retryAfter": "0s"}, "0"),
        ({"fault": "unavailable", "retryAfter": "7s"}, "7"),
        ({"fault": "unavailable"}, None),
        ({"fault": "internalError"}, None),
    ],
)
async def test_the_answer_says_when_to_come_again(
    keys: dict[str, Any], expected: str | None
) -> None:
    async with (
        faulty(requests=[keys]) as api,
        aiohttp.ClientSession() as session,
        session.get(api.url + VMIS) as answer,
    ):
        assert answer.headers.get("Retry-After") == expected


async def test_a_reset_before_leaves_nothing_and_a_reset_after_leaves_the_object() -> None:
    async with faulty(requests=[{"fault": "resetBefore", "verbs": ["create"]}]) as api:
        assert await api.create("a") == 0
        assert (await api("GET", f"{VMIS}/a"))[0] == 404
        assert api.injected == {"resetBefore": 1}
    async with faulty(requests=[{"fault": "resetAfter", "verbs": ["create"], "times": 1}]) as api:
        assert await api.create("a") == 0
        assert (await api("GET", f"{VMIS}/a"))[0] == 200
        assert await api.create("a") == 409
        assert api.injected == {"resetAfter": 1}


async def test_a_reset_is_a_reset_to_the_client() -> None:
    async with faulty(requests=[{"fault": "resetBefore"}]) as api:
        host, port = api.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(f"GET {VMIS} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.close()


async def test_a_slow_request_is_answered_all_the_same() -> None:
    loop = asyncio.get_running_loop()
    async with faulty(requests=[{"fault": "slow", "delay": "20ms"}]) as api:
        began_s = loop.time()
        assert await api.create("a") == 201
        assert loop.time() - began_s >= 0.019
        assert api.injected == {"slow": 1}


async def test_a_slow_request_can_also_be_refused() -> None:
    both = [{"fault": "slow", "delay": "1ms"}, {"fault": "internalError"}]
    async with faulty(requests=both) as api:
        assert await api.create("a") == 500
        assert api.injected == {"slow": 1, "internalError": 1}


async def test_of_several_that_end_a_request_the_first_does() -> None:
    both = [{"fault": "unavailable", "times": 1}, {"fault": "internalError"}]
    async with faulty(requests=both) as api:
        assert await api.create_many(3) == [503, 500, 500]


async def test_a_share_of_the_requests_is_hit_and_always_the_same_ones() -> None:
    async def statuses(seed: int) -> list[int]:
        fault = {"fault": "tooManyRequests", "share": 0.3, "verbs": ["create"]}
        async with faulty(seed=seed, requests=[fault]) as api:
            found = await api.create_many(60)
            assert api.injected["tooManyRequests"] == found.count(429)
            assert api.vmis.created == found.count(201)
            return found

    first, again, other = await statuses(1), await statuses(1), await statuses(2)
    assert first == again
    assert first != other
    assert 5 <= first.count(429) <= 35


async def test_only_the_chosen_verbs_and_resources_are_hit() -> None:
    fault = {"fault": "internalError", "verbs": ["create"], "resources": ["configmaps"]}
    async with faulty(requests=[fault]) as api:
        assert await api.create("a") == 201
        assert (await api("GET", CONFIG_MAPS))[0] == 200
        assert (await api("POST", CONFIG_MAPS, manifest(CONFIG_MAP, "a")))[0] == 500


@pytest.mark.parametrize(
    ("verb", "method", "path"),
    [
        ("get", "GET", f"{VMIS}/a"),
        ("list", "GET", ALL_VMIS),
        ("watch", "GET", f"{ALL_VMIS}?watch=1"),
        ("update", "PUT", f"{VMIS}/a"),
        ("patch", "PATCH", f"{VMIS}/a"),
        ("delete", "DELETE", f"{VMIS}/a"),
        ("deletecollection", "DELETE", VMIS),
    ],
)
async def test_verbs_are_told_apart(verb: str, method: str, path: str) -> None:
    async with faulty(requests=[{"fault": "unavailable", "verbs": [verb]}]) as api:
        assert await api.create("a") == 201
        assert (await api(method, path))[0] == 503
        assert api.injected == {"unavailable": 1}


async def test_what_is_no_request_for_objects_is_left_alone() -> None:
    async with faulty(requests=[{"fault": "internalError"}]) as api:
        for path in ("/version", "/api", "/apis", "/apis/kubevirt.io/v1", "/api/v1"):
            assert (await api("GET", path))[0] == 200
        assert (await api("GET", "/apis/kubevirt.io/v1/nothing"))[0] == 404
        assert api.injected == {}
