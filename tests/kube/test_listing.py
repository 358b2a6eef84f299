"""Lists that have no end of their own."""

from itertools import count

import pytest
from kube_client import Connect
from pages import list_pages
from scripted_server import Exchange, Handler, refuses, scripted_server

from perfscale.errors import IllegibleError
from perfscale.kube.resources import Resource

PODS = Resource("", "v1", "pods", "Pod", namespaced=True)


def pages(*names: str, tokens: list[str] | None = None) -> Handler:
    numbers = count()

    async def handler(exchange: Exchange) -> None:
        number = next(numbers)
        token = tokens[min(number, len(tokens) - 1)] if tokens else f"token-{number}"
        items = [{"metadata": {"name": name}} for name in names]
        metadata = {"resourceVersion": "1", "continue": token}
        await exchange.reply_json(200, {"metadata": metadata, "items": items})

    return handler


async def expiring(exchange: Exchange) -> None:
    if "continue" in exchange.request.query:
        await refuses(410, "Expired")(exchange)
    else:
        await pages("a")(exchange)


@pytest.mark.parametrize(
    ("handler", "text"),
    [
        (pages(), "50 pages without an object"),
        (pages("a", tokens=["one", "two"]), "always the same one"),
        (expiring, "expired 4 times"),
    ],
    ids=["nothing but tokens", "one token", "tokens that expire"],
)
async def test_a_list_that_does_not_end_is_an_error(
    handler: Handler, text: str, connect: Connect
) -> None:
    async with scripted_server(handler) as server:
        client = await connect(server)
        with pytest.raises(IllegibleError, match=f"GET /api/v1/pods: .* not end: .*{text}"):
            [page async for page in list_pages(client, PODS)]
    assert len(server.requests) <= 51


async def test_a_list_of_more_pages_than_there_can_be_objects_is_an_error(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("perfscale.kube.listing._MOST_PAGES", 60)
    async with scripted_server(pages("a")) as server:
        client = await connect(server)
        with pytest.raises(IllegibleError, match="60 pages, and there are more"):
            [page async for page in list_pages(client, PODS)]
    assert len(server.requests) == 60


async def test_a_few_pages_without_an_object_are_no_error(connect: Connect) -> None:
    async def page(exchange: Exchange) -> None:
        number = int(exchange.request.query.get("continue", 0))
        more = {"continue": str(number + 1)} if number < 40 else {}
        items = [{"metadata": {"name": "a"}}] if number == 40 else []
        await exchange.reply_json(
            200, {"metadata": {"resourceVersion": "1"} | more, "items": items}
        )

    async with scripted_server(page) as server:
        client = await connect(server)
        found = [items async for items, _ in list_pages(client, PODS)]
    assert len(found) == 41
    assert len(found[-1]) == 1
