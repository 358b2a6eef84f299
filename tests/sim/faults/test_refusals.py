"""Who is refused, when, and in which words: those of a real API server, or of a balancer."""

import asyncio

import aiohttp
import pytest
from faulty_cluster import ALL_VMIS, CONFIG_MAPS, VMIS, FaultyApi, faulty
from patience import PATIENCE_S
from simulated_api import VMI, manifest

from perfscale.sim.faults.http.requests import Uptime

DISCOVERY = ("/api", "/apis", "/api/v1", "/apis/kubevirt.io", "/apis/kubevirt.io/v1")


async def refused(api: FaultyApi, method: str, path: str, body: object = None) -> str:
    status, answer = await api(method, path, body)
    assert status >= 400
    return str(answer["message"])


async def text_of(api: FaultyApi, path: str) -> tuple[int, str, str]:
    async with aiohttp.ClientSession() as session, session.get(api.url + path) as answer:
        return answer.status, answer.content_type, await answer.text()


async def test_who_is_forbidden_something_hears_what_and_where() -> None:
    async with faulty(requests=[{"fault": "forbidden", "scope": "all"}]) as api:
        said = await refused(api, "POST", VMIS, manifest(VMI, "a"))
        assert said == (
            'virtualmachineinstances.kubevirt.io is forbidden: User "system:serviceaccount:'
            'perfscale:loader" cannot create resource "virtualmachineinstances" in API group '
            '"kubevirt.io" in the namespace "demo"'
        )
        assert (await refused(api, "GET", ALL_VMIS)).endswith("at the cluster scope")
        assert (await refused(api, "GET", f"{VMIS}/a")).startswith(
            'virtualmachineinstances.kubevirt.io "a" is forbidden'
        )
        assert (await refused(api, "GET", "/apis")).endswith('cannot get path "/apis"')


async def test_a_webhook_that_cannot_be_called_is_named_and_stops_no_reader() -> None:
    fault = {"fault": "webhookDown", "webhook": "vmis.example.com"}
    async with faulty(requests=[fault]) as api:
        said = await refused(api, "POST", VMIS, manifest(VMI, "a"))
        assert 'failed calling webhook "vmis.example.com": failed to call webhook: Post' in said
        assert (await api("GET", VMIS))[0] == 200
        assert api.injected == {"webhookDown": 1}


@pytest.mark.parametrize(
    ("fault", "status", "title"),
    [("badGateway", 502, "502 Bad Gateway"), ("gatewayTimeout", 504, "504 Gateway Time-out")],
)
async def test_a_balancer_answers_with_a_page(fault: str, status: int, title: str) -> None:
    async with faulty(requests=[{"fault": fault}]) as api:
        answered, media, page = await text_of(api, VMIS)
        assert (answered, media) == (status, "text/html")
        assert f"<h1>{title}</h1>" in page
        assert api.injected == {fault: 1}


async def test_everything_is_hit_but_the_simulations_own_account() -> None:
    async with faulty(requests=[{"fault": "unauthorized", "scope": "all"}]) as api:
        for path in (*DISCOVERY, "/version", "/readyz", VMIS, "/nothing"):
            assert (await api("GET", path))[0] == 401
        status, truth = await api("GET", "/simulation/books")
        assert (status, truth["faults"]) == (200, {"unauthorized": 9})
        assert (await text_of(api, "/metrics"))[0] == 200


async def test_discovery_can_be_hit_alone() -> None:
    async with faulty(requests=[{"fault": "unavailable", "scope": "discovery"}]) as api:
        for path in DISCOVERY:
            assert (await api("GET", path))[0] == 503
        assert (await api("GET", "/version"))[0] == 200
        assert await api.create("a") == 201


async def test_the_discovery_of_one_group_can_be_hit_once() -> None:
    fault = {"fault": "unavailable", "scope": "discovery", "groups": ["core"], "times": 1}
    async with faulty(requests=[fault]) as api:
        assert (await api("GET", "/apis"))[0] == 200
        assert (await api("GET", "/apis/kubevirt.io/v1"))[0] == 200
        assert (await api("GET", "/api/v1"))[0] == 503
        assert (await api("GET", "/api/v1"))[0] == 200


async def test_objects_of_one_group_can_be_hit() -> None:
    async with faulty(requests=[{"fault": "internalError", "groups": ["kubevirt.io"]}]) as api:
        assert (await api("GET", VMIS))[0] == 500
        assert (await api("GET", CONFIG_MAPS))[0] == 200


async def test_a_group_without_a_server_is_listed_and_says_nothing() -> None:
    fault = {"fault": "groupUnavailable", "groups": ["kubevirt.io"]}
    async with faulty(requests=[fault]) as api:
        groups = (await api("GET", "/apis"))[1]["groups"]
        assert "kubevirt.io" in [group["name"] for group in groups]
        for path in ("/apis/kubevirt.io/v1", VMIS):
            assert await text_of(api, path) == (503, "text/plain", "service unavailable\n")
        assert (await api("GET", "/apis/apps/v1"))[0] == 200
        assert api.injected == {"groupUnavailable": 2}


async def test_the_first_requests_can_be_spared() -> None:
    fault = {"fault": "unauthorized", "verbs": ["create"], "skip": 2, "times": 2}
    async with faulty(requests=[fault]) as api:
        assert await api.create_many(6) == [201, 201, 401, 401, 201, 201]


async def test_a_fault_that_has_not_begun_hits_nobody() -> None:
    async with faulty(requests=[{"fault": "unauthorized", "after": "1h"}]) as api:
        assert await api.create("a") == 201
        assert api.injected == {}


async def test_a_fault_ends_by_itself() -> None:
    async with faulty(requests=[{"fault": "forbidden", "lasts": "100ms"}]) as api:
        async with asyncio.timeout(PATIENCE_S):
            while await api.create("a") == 403:
                pass  # every request is one more turn for the clock
        assert await api.create("b") == 201


@pytest.mark.parametrize(
    ("since_s", "after_s", "lasts_s", "expected"),
    [
        (0.0, 0.0, None, True),
        (1.9, 2.0, None, False),
        (2.0, 2.0, None, True),
        (9.0, 2.0, None, True),
        (2.9, 2.0, 1.0, True),
        (3.0, 2.0, 1.0, False),
    ],
)
def test_a_window_begins_and_ends(
    since_s: float, after_s: float, lasts_s: float | None, expected: bool
) -> None:
    now_s = 100.0
    uptime = Uptime(lambda: now_s)
    uptime.begin()
    now_s += since_s
    assert uptime.is_within(after_s, lasts_s) is expected
