"""Deleting many objects, where the server cannot do all of it in the minute that it has."""

from typing import Any

from direct_way import way_to
from scripted_server import Handler, answers, not_served, refuses, scripted_server
from static_issuer import StaticIssuer
from tracker_story import VMI

from perfscale.engine.removal.deletion import delete_matching
from perfscale.kube.auth.credentials import Credentials
from perfscale.kube.client import Client
from perfscale.kube.http.transport import Endpoint

OUT_OF_TIME = refuses(504, "Timeout")
ALL = answers({"kind": "Status", "status": "Success"})


def left(count: int, *, leaving: int = 0) -> Handler:
    """A list of so many that were not asked to go yet, and of some that were."""
    items: list[dict[str, Any]] = []
    for number in range(count + leaving):
        metadata = {"name": f"vmi-{number}", "uid": f"uid-{number}", "namespace": "ns"}
        if number >= count:
            metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z"
        items.append({"metadata": metadata})
    return answers({"metadata": {"resourceVersion": "5"}, "items": items})


async def sent(*script: Handler) -> list[str]:
    """What is asked of a server that answers so; the last answer is for all that comes then."""
    async with scripted_server(*script) as server, way_to(server.url) as transport:
        credentials = await Credentials.obtain(StaticIssuer())
        client = Client(transport, Endpoint(server.url), credentials)
        await delete_matching(client, VMI, "ns", "a=b")
    paths = {VMI.path("ns"): "all"}
    return [
        f"{request.method} {paths.get(request.path, request.path.rsplit('/', 1)[-1])}"
        for request in server.requests
    ]


async def test_all_are_asked_again_for_as_long_as_the_server_gets_on() -> None:
    script = [OUT_OF_TIME, left(100), OUT_OF_TIME, left(80), OUT_OF_TIME, left(60), ALL]
    assert await sent(*script) == ["DELETE all", "GET all"] * 3 + ["DELETE all"]


async def test_they_are_asked_one_by_one_where_it_does_not() -> None:
    few = left(2, leaving=1)
    requests = await sent(OUT_OF_TIME, few, OUT_OF_TIME, few, few, ALL)
    assert requests[:5] == ["DELETE all", "GET all", "DELETE all", "GET all", "GET all"]
    assert sorted(requests[5:]) == ["DELETE vmi-0", "DELETE vmi-1"]


async def test_they_are_asked_one_by_one_where_all_at_once_is_refused() -> None:
    requests = await sent(refuses(500, "InternalError"), left(1), ALL)
    assert requests == ["DELETE all", "GET all", "DELETE vmi-0"]


async def test_a_server_that_does_not_serve_the_kind_yet_has_not_deleted_anything() -> None:
    requests = await sent(not_served, not_served, left(1), ALL)
    assert requests == ["DELETE all", "GET all", "GET all", "DELETE vmi-0"]
