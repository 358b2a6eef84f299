"""Answers of success that are not what they should be."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest
from kube_client import Connect
from pages import list_pages
from scripted_server import Exchange, FakeTime, Handler, answers, scripted_server

from perfscale.config.labels import RUN_LABEL, run_labels
from perfscale.engine.removal.inventory import take_inventory
from perfscale.engine.removal.runs import runs_in, server_time
from perfscale.errors import ApiError, IllegibleError
from perfscale.kube.client import Client
from perfscale.kube.discovery import Discovery
from perfscale.kube.http.transport import LARGEST_OBJECT
from perfscale.kube.permissions import Permissions
from perfscale.kube.resources import Place, Resource
from perfscale.kube.retrying.retry import NOT_SERVED_S
from perfscale.sim.faults.http.garbage import gzipped

RUN = "00000000-0000-4000-8000-000000000001"
PODS = Resource("", "v1", "pods", "Pod", namespaced=True)


class Thing(msgspec.Struct):
    metadata: dict[str, Any]


THING = msgspec.json.Decoder(Thing)

BODIES = {
    "html": b"<!DOCTYPE html><title>Sign in</title><input name=user value=hunter2>",
    "empty": b"",
    "null": b"null",
    "list": b"[1, 2]",
    "wrong types": (
        b'{"metadata": "none", "items": {"a": 1}, "status": 7, "groups": 1, "resources": 1}'
    ),
    "deep": b'{"metadata":' * 100_000 + b"1" + b"}" * 100_000,
    "no UTF-8": b'{"\xff": "\xff"}',
    "half": b'{"metadata": {"resource',
    "a huge number": b'{"metadata": {}, "resources": [], "gitVersion": ' + b"9" * 5000 + b"}",
}
ASKING: dict[str, Callable[[Client], Awaitable[object]]] = {
    "a list": lambda client: anext(list_pages(client, PODS)),
    "a create": lambda client: client.create_and_read(THING, PODS, "here", b"{}"),
    "a review": lambda client: Permissions(client).allows("create", Place(PODS)),
    "the version": lambda client: Discovery(client).server_version(),
    "a kind": lambda client: Discovery(client).resolve("v1", "Pod"),
}


def garbage(body: bytes) -> Handler:
    async def handler(exchange: Exchange) -> None:
        media = "text/html" if body.startswith(b"<") else "application/json"
        await exchange.reply(200, body, {"Content-Type": media})

    return handler


def understands(asking: str, body: str) -> bool:
    """Whether the body, odd as it is, is nothing wrong in answer to this."""
    return body == "a huge number" and asking in {"a create", "a kind"}


@pytest.mark.parametrize("asking", ASKING)
@pytest.mark.parametrize("body", BODIES)
async def test_an_answer_that_is_none_is_an_error_with_the_name_of_the_request(
    asking: str, body: str, connect: Connect, fake_time: FakeTime
) -> None:
    if understands(asking, body):
        pytest.skip("this is an answer")
    async with scripted_server(garbage(BODIES[body])) as server:
        client = await connect(server)
        if asking == "a review":  # which is taken to allow what it does not tell
            assert await ASKING[asking](client)
        else:
            with pytest.raises(IllegibleError, match=r"(GET|POST) /\S+: the answer") as caught:
                await ASKING[asking](client)
            assert caught.value.exit_code == 4
            assert "hunter2" not in str(caught.value)
            assert len(str(caught.value)) < 400
    assert 1 < len(server.requests) < 10
    assert sum(fake_time.slept) < 10
    assert client.stats.illegible == len(server.requests)


@pytest.mark.usefixtures("fake_time")
@pytest.mark.parametrize("body", BODIES)
async def test_groups_that_are_none_are_told_and_not_taken_for_no_groups(
    body: str, connect: Connect
) -> None:
    async with scripted_server(garbage(BODIES[body])) as server:
        discovery = Discovery(await connect(server))
        assert await discovery.all_resources() == []
    assert "GET /apis: the answer" in discovery.skipped["the list of API groups"]


@pytest.mark.parametrize("body", BODIES)
async def test_an_answer_that_is_none_in_the_middle_of_a_run_is_an_attempt_that_failed(
    body: str, connect: Connect
) -> None:
    nonsense = garbage(BODIES[body] if body != "a huge number" else b'{"a": ' + b"9" * 5000)
    async with scripted_server(
        answers({}), *[nonsense] * 9, answers({"metadata": {"a": 1}})
    ) as server:
        client = await connect(server)
        await client.request("GET", "/version")
        content, response = await client.create_and_read(THING, PODS, "here", b"{}")
    assert content == Thing({"a": 1})
    assert response.attempts == 10
    assert (client.stats.illegible, client.stats.sent, client.stats.outages) == (9, 11, 1)


async def test_answers_that_never_become_any_end_a_request_after_a_while(
    connect: Connect, fake_time: FakeTime
) -> None:
    async with scripted_server(answers({}), garbage(b"[]")) as server:
        client = await connect(server)
        await client.request("GET", "/version")
        with pytest.raises(IllegibleError):
            await client.delete(PODS, "here", "a")
    assert NOT_SERVED_S - 10 < sum(fake_time.slept) <= NOT_SERVED_S


async def test_a_page_in_place_of_the_answer_that_nobody_keeps_is_noticed(
    connect: Connect,
) -> None:
    page = garbage(BODIES["html"])
    async with scripted_server(answers({}), page, answers({})) as server:
        client = await connect(server)
        await client.request("GET", "/version")
        await client.delete_collection(PODS, "here", label_selector="a=b")
    assert client.stats.illegible == 1


async def test_a_version_of_thousands_of_digits_is_none(connect: Connect) -> None:
    listed = answers({"metadata": {"resourceVersion": "9" * 5000}, "items": []})
    async with scripted_server(listed) as server:
        client = await connect(server)
        with pytest.raises(IllegibleError, match="resourceVersion"):
            await anext(list_pages(client, PODS))


@pytest.mark.parametrize("date", ["the day before yesterday", "", "Sat, 99 Foo 2020"])
@pytest.mark.parametrize("stamp", ["yesterday", "9" * 5000, "2026-01-01T00:00:00", ""])
async def test_runs_are_found_whose_objects_have_no_date(
    stamp: str, date: str, connect: Connect
) -> None:
    metadata = {
        "name": "a",
        "uid": "1",
        "labels": run_labels(RUN, "density", 1),
        "creationTimestamp": stamp,
    }
    listed = {"metadata": {"resourceVersion": "1"}, "items": [{"metadata": metadata}]}
    async with scripted_server(answers(listed, headers={"Date": date})) as server:
        client = await connect(server)
        present = await take_inventory(client, [Place(PODS)], RUN_LABEL)
        runs = runs_in(present, await server_time(client))
    assert [(run.run_id, run.objects) for run in runs] == [(RUN, 1)]


@pytest.mark.parametrize("body", BODIES)
async def test_whatever_stands_in_an_error_answer_it_is_that_error(
    body: str, connect: Connect
) -> None:
    async def handler(exchange: Exchange) -> None:
        await exchange.reply(400, BODIES[body])

    async with scripted_server(handler) as server:
        client = await connect(server)
        with pytest.raises(ApiError, match="400") as caught:
            await client.request("POST", PODS.path("here"), body=b"{}")
    assert caught.value.status == 400


async def bomb(exchange: Exchange) -> None:
    body = b"".join(gzipped(LARGEST_OBJECT // (1 << 20) + 1))
    await exchange.reply(200, body, {"Content-Encoding": "gzip"})


async def test_an_answer_that_would_take_all_the_memory_is_none(connect: Connect) -> None:
    async with scripted_server(bomb) as server:
        client = await connect(server)
        with pytest.raises(IllegibleError, match="GET /version: the answer is larger than 64 MiB"):
            await Discovery(client).server_version()
    assert client.stats.illegible == len(server.requests) > 1


async def test_the_beginning_is_enough_of_an_error_that_goes_on_and_on(connect: Connect) -> None:
    async def endless(exchange: Exchange) -> None:
        fields = "Content-Type: text/plain\r\nTransfer-Encoding: chunked"
        await exchange.write_raw(f"HTTP/1.1 400 Bad\r\n{fields}\r\n\r\n".encode())
        while True:
            await exchange.write(b"no " * 10_000)

    async with scripted_server(endless) as server:
        client = await connect(server)
        with pytest.raises(ApiError, match="400 Bad Request: no no no"):
            await client.open_stream("/", {"watch": "true"})
