"""A server of ours answers at names of loopback, and no web page gets at it."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from simulated_api import Api, manifest, serving

from perfscale.exporter import serve_metrics
from perfscale.kube.resources import NAMESPACES
from perfscale.loopback import is_own

EVIL = "page.example.com"


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    async with serving() as served:
        yield served


async def status_of(url: str, *headers: str, method: str = "GET", body: str = "") -> int:
    """The status of a request with just these headers, from a client of no habits."""
    address, _, path = url.removeprefix("http://").partition("/")
    host, port = address.split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    lines = [f"{method} /{path} HTTP/1.1", *headers, f"Content-Length: {len(body)}", "", body]
    writer.write("\r\n".join(lines).encode())
    status = (await reader.readline()).split()[1]
    writer.close()
    await writer.wait_closed()
    return int(status)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "LOCALHOST:8001", "[::1]:1", "127.9.9.9"]
)
async def test_a_name_of_loopback_is_answered_at_any_port(api: Api, host: str) -> None:
    assert await status_of(f"{api.url}/version", f"Host: {host}") == 200


@pytest.mark.parametrize(
    "headers",
    [
        [f"Host: {EVIL}"],
        ["Host: 192.0.2.1"],
        ["Host: localhost.example.com"],
        ["Host: 127.0.0.1.nip.io:80"],
        ["Host: ["],
        ["Host: user@127.0.0.1@example.com"],
        ["Host:"],
        [],
        ["Host: localhost", f"Origin: http://{EVIL}"],
        ["Host: localhost", "Origin: null"],
    ],
)
@pytest.mark.parametrize("path", ["/version", "/api/v1/namespaces", "/simulation/books", "/x"])
async def test_any_other_is_refused_whatever_it_asks(
    api: Api, headers: list[str], path: str
) -> None:
    assert await status_of(api.url + path, *headers) in (400, 403)


async def test_a_page_of_another_site_cannot_write(api: Api) -> None:
    namespace = manifest(NAMESPACES, "evil")
    body = str(namespace).replace("'", '"')
    url = f"{api.url}/api/v1/namespaces"
    rebound = await status_of(url, f"Host: {EVIL}", method="POST", body=body)
    form = await status_of(
        url, "Host: 127.0.0.1", f"Origin: http://{EVIL}", method="POST", body=body
    )
    assert (rebound, form) == (403, 403)
    assert "evil" not in [each["metadata"]["name"] for each in api.store.list(NAMESPACES)]


async def test_the_metrics_of_a_run_are_for_this_machine_alone() -> None:
    async with serve_metrics(lambda: None) as url:
        assert url is not None
        assert await status_of(url, "Host: localhost:9464") == 200
        assert await status_of(url, f"Host: {EVIL}") == 403


def test_the_address_of_its_start_is_its_own() -> None:
    assert is_own("http://10.0.0.7:8080", "10.0.0.7")
    assert is_own("//Host.Example:8080", "host.example")
    assert not is_own("//10.0.0.8", "10.0.0.7")
