"""Answers that are not what they should be, and what never ends, as a raw client sees it."""

import gzip
import json
import zlib
from typing import Any

import aiohttp
import pytest
from faulty_cluster import CONFIG_MAPS, VMIS, FaultyApi, faulty
from simulated_api import CONFIG_MAP, VMI, manifest

from perfscale.sim.faults.http.garbage import gzipped

JSON = dict[str, Any]


async def raw(api: FaultyApi, path: str) -> tuple[int, str, bytes]:
    async with (
        aiohttp.ClientSession(auto_decompress=False) as session,
        session.get(api.url + path) as answer,
    ):
        return answer.status, answer.content_type, await answer.read()


@pytest.mark.parametrize(
    ("body", "expected"),
    [("empty", b""), ("null", b"null\n"), ("list", b"[1,2]\n")],
)
async def test_an_answer_has_the_body_that_is_named(body: str, expected: bytes) -> None:
    async with faulty(requests=[{"fault": "garbage", "body": body}]) as api:
        assert await raw(api, VMIS) == (200, "application/json", expected)
        assert api.injected == {"garbage": 1}


async def test_a_login_page_is_html_for_whatever_is_asked() -> None:
    async with faulty(requests=[{"fault": "garbage", "body": "html", "scope": "all"}]) as api:
        for path in (VMIS, "/version", f"{VMIS}?watch=1"):
            status, media, page = await raw(api, path)
            assert (status, media, page[:9]) == (200, "text/html", b"<!DOCTYPE")


async def test_wrong_types_are_wrong_and_readable() -> None:
    async with faulty(requests=[{"fault": "garbage", "body": "wrongTypes"}]) as api:
        answer = json.loads((await raw(api, VMIS))[2])
        assert isinstance(answer["metadata"], str)
        assert isinstance(answer["items"], dict)


async def test_a_deep_answer_is_deep() -> None:
    async with faulty(requests=[{"fault": "garbage", "body": "deep"}]) as api:
        body = (await raw(api, VMIS))[2]
        assert body.count(b"{") == body.count(b"}") == 100_000


async def test_garbage_is_no_answer_to_anything_that_happened() -> None:
    fault = {"fault": "garbage", "body": "null", "verbs": ["create"]}
    async with faulty(requests=[fault]) as api:
        assert await api.create("a") == 200
        assert (await api("GET", f"{VMIS}/a"))[0] == 404


async def test_huge_versions_are_in_answers_lists_and_watches_of_what_happened() -> None:
    async with faulty(requests=[{"fault": "garbage", "body": "hugeVersion"}]) as api:
        status, made = await api("POST", VMIS, manifest(VMI, "a"))
        listed = (await api("GET", VMIS))[1]
        event = json.loads((await raw(api, f"{VMIS}?watch=1"))[2])
        assert (status, event["type"]) == (201, "BOOKMARK")
        for obj in (made, listed, listed["items"][0], event["object"]):
            assert obj["metadata"]["resourceVersion"] == "9" * 5000


async def test_bad_timestamps_are_no_dates() -> None:
    async with faulty(requests=[{"fault": "garbage", "body": "badTimestamps"}]) as api:
        made = (await api("POST", VMIS, manifest(VMI, "a")))[1]
        (listed,) = (await api("GET", VMIS))[1]["items"]
        for obj in (made, listed):
            assert obj["metadata"]["creationTimestamp"] == "the day before yesterday"


@pytest.mark.parametrize("status", [429, 503])
async def test_a_retry_after_can_be_anything(status: int) -> None:
    fault = {"fault": "badRetryAfter", "value": "-1", "status": status}
    async with (
        faulty(requests=[fault]) as api,
        aiohttp.ClientSession() as session,
        session.get(api.url + VMIS) as answer,
    ):
        assert (answer.status, answer.headers["Retry-After"]) == (status, "-1")
        assert (await answer.json())["code"] == status


async def test_pages_do_not_end() -> None:
    fault = {"fault": "endlessContinue", "resources": ["configmaps"], "times": 1}
    async with faulty(requests=[fault]) as api:
        await api("POST", CONFIG_MAPS, manifest(CONFIG_MAP, "a"))
        page = (await api("GET", CONFIG_MAPS, params={"limit": "500"}))[1]
        assert [item["metadata"]["name"] for item in page["items"]] == ["a"]
        tokens = {page["metadata"]["continue"]}
        for _ in range(5):
            params = {"limit": "500", "continue": page["metadata"]["continue"]}
            status, page = await api("GET", CONFIG_MAPS, params=params)
            assert (status, page["kind"], page["items"]) == (200, "ConfigMapList", [])
            tokens.add(page["metadata"]["continue"])
        assert len(tokens) == 6
        assert "continue" not in (await api("GET", CONFIG_MAPS))[1]["metadata"]
        assert api.injected == {"endlessContinue": 6}


async def test_tokens_expire_as_soon_as_they_are_used() -> None:
    async with faulty(requests=[{"fault": "endlessContinue", "tokens": "expiring"}]) as api:
        for _ in range(3):
            page = (await api("GET", VMIS))[1]
            status, said = await api("GET", VMIS, params=page["metadata"])
            assert (status, said["reason"]) == (410, "Expired")


@pytest.mark.parametrize("mebibytes", [1, 3])
def test_a_bomb_is_valid_gzip_of_a_valid_list(mebibytes: int) -> None:
    body = b"".join(gzipped(mebibytes))
    content = gzip.decompress(body)
    assert json.loads(content)["items"] == []
    assert len(content) > mebibytes * 2**20 > 200 * len(body)


async def test_a_bomb_goes_off_where_it_is_decompressed() -> None:
    async with faulty(requests=[{"fault": "gzipBomb", "mebibytes": 2, "times": 1}]) as api:
        body = (await raw(api, VMIS))[2]
        assert len(zlib.decompress(body, wbits=31)) > 2 * 2**20
        assert (await api("GET", VMIS))[0] == 200
        assert api.injected == {"gzipBomb": 1}


async def test_a_watch_trickles_and_no_line_is_ever_whole() -> None:
    fault = {"fault": "trickle", "every": "1ms"}
    async with faulty(watches=[fault]) as api:
        await api.create("a")
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{api.url}{VMIS}?watch=1") as answer,
        ):
            received = b""
            while len(received) < 100:
                received += await answer.content.readany()
        assert received.endswith(b"xxxxx")
        assert b"\n" not in received
        assert api.injected == {"trickle": 1}


async def test_initial_events_do_not_end_and_others_do() -> None:
    async with faulty(watches=[{"fault": "endlessInitial", "every": "1ms"}]) as api:
        await api.create("a")
        asked = {
            "sendInitialEvents": "true",
            "resourceVersionMatch": "NotOlderThan",
            "allowWatchBookmarks": "true",
        }
        async with api.watch(VMIS, **asked) as watch:
            assert await watch.names(20) == [f"ADDED endless-{number}" for number in range(1, 21)]
        async with api.watch(VMIS) as watch:
            assert await watch.names(1) == ["ADDED a"]
        assert api.injected == {"endlessInitial": 1}


async def test_a_watch_that_gets_nowhere_ends_with_the_server() -> None:
    fault = {"fault": "trickle", "every": "1h"}
    async with faulty(watches=[fault]) as api, aiohttp.ClientSession() as session:
        answer = await session.get(f"{api.url}{VMIS}?watch=1")
        await answer.content.readany()
        await api.cluster._server.listener.stop()
        assert await answer.content.read() == b""
