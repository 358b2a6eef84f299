"""The client, discovery and watches against a real API server, which dies in between."""

import asyncio
import json
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pages import list_pages
from patience import PATIENCE_S
from real_control_plane import RealControlPlane

from perfscale.errors import (
    AlreadyExistsError,
    ApiError,
    ConflictError,
    CredentialsError,
    ForbiddenError,
)
from perfscale.kube.cluster import Cluster, ClusterOptions, open_cluster
from perfscale.kube.discovery import Discovery
from perfscale.kube.resources import NAMESPACES, Resource
from perfscale.kube.watching.watch import Watch

CONFIGMAPS = Resource("", "v1", "configmaps", "ConfigMap", namespaced=True)


@pytest.fixture
async def cluster(real_control_plane: RealControlPlane) -> AsyncIterator[Cluster]:
    options = ClusterOptions(kubeconfig=str(real_control_plane.kubeconfig))
    async with await open_cluster(options) as opened:
        yield opened


@pytest.fixture
async def namespace(cluster: Cluster) -> AsyncIterator[str]:
    name = f"kube-{uuid4().hex[:8]}"
    await cluster.client.request("POST", NAMESPACES.path(None), body=manifest(name))
    yield name
    await cluster.client.delete(NAMESPACES, None, name)


def manifest(name: str) -> bytes:
    return json.dumps({"metadata": {"name": name, "labels": {"test": "kube"}}}).encode()


class Books:
    """The names that a watch says there are."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self._changed = asyncio.Event()

    def on_list(self, items: Any, _: object) -> None:
        self.names = {item["metadata"]["name"] for item in items}
        self._changed.set()

    def on_event(self, kind: str, item: Any, _: float) -> None:
        change = self.names.discard if kind == "DELETED" else self.names.add
        change(item["metadata"]["name"])
        self._changed.set()

    async def until(self, names: set[str]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while self.names != names:
                self._changed.clear()
                await self._changed.wait()


def watch(cluster: Cluster, namespace: str, books: Books) -> Watch[dict[str, Any]]:
    return Watch(
        cluster.client,
        CONFIGMAPS,
        decoder=dict[str, Any],
        namespace=namespace,
        label_selector="test=kube",
        on_list=books.on_list,
        on_event=books.on_event,
    )


async def test_kubevirts_kinds_are_discovered(cluster: Cluster) -> None:
    discovery = Discovery(cluster.client)
    vmi = await discovery.resolve("kubevirt.io/v1", "VirtualMachineInstance")
    everything = await discovery.all_resources()
    assert (vmi.plural, vmi.namespaced) == ("virtualmachineinstances", True)
    assert vmi in everything
    assert (await discovery.server_version()).startswith("v")
    assert discovery.skipped == {}


async def test_refusals_say_what_the_server_said(cluster: Cluster, namespace: str) -> None:
    client = cluster.client
    await client.request("POST", CONFIGMAPS.path(namespace), body=manifest("one"))
    with pytest.raises(AlreadyExistsError, match='configmaps "one" already exists'):
        await client.request("POST", CONFIGMAPS.path(namespace), body=manifest("one"))
    with pytest.raises(ApiError, match=r"metadata\.name: Invalid value") as caught:
        await client.request("POST", CONFIGMAPS.path(namespace), body=manifest("NOT VALID"))
    assert (caught.value.status, caught.value.reason) == (422, "Invalid")
    with pytest.raises(ConflictError):
        await client.delete(CONFIGMAPS, namespace, "one", uid="another")


async def test_pages_of_a_list_hold_everything_once(cluster: Cluster, namespace: str) -> None:
    names = {f"c-{number}" for number in range(7)}
    for name in names:
        await cluster.client.request("POST", CONFIGMAPS.path(namespace), body=manifest(name))
    pages = [
        [item["metadata"]["name"] for item in items]
        async for items, _ in list_pages(
            cluster.client, CONFIGMAPS, namespace, label_selector="test=kube", limit=3
        )
    ]
    assert [len(page) for page in pages] == [3, 3, 1]
    assert {name for page in pages for name in page} == names


async def test_a_watch_and_requests_outlive_the_death_of_the_api_server(
    real_control_plane: RealControlPlane, cluster: Cluster, namespace: str
) -> None:
    books = Books()
    following = watch(cluster, namespace, books)
    task = asyncio.create_task(following.run())
    await following.synced.wait()
    await cluster.client.request("POST", CONFIGMAPS.path(namespace), body=manifest("before"))
    await books.until({"before"})
    with ThreadPoolExecutor() as thread:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(thread, partial(real_control_plane.restart_apiserver, kill=True))
    await cluster.client.request("POST", CONFIGMAPS.path(namespace), body=manifest("after"))
    await books.until({"before", "after"})
    await cluster.client.delete_collection(CONFIGMAPS, namespace, label_selector="test=kube")
    await books.until(set())
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert following.reconnects + following.relists >= 1


async def test_whoever_is_not_known_or_not_permitted_is_told_so(
    real_control_plane: RealControlPlane, tmp_path: Path
) -> None:
    for token, expected in (
        ("nobody", CredentialsError),
        (real_control_plane.outsider_token, ForbiddenError),
    ):
        config = real_control_plane.write_kubeconfig(tmp_path / "config", token)
        async with await open_cluster(ClusterOptions(kubeconfig=str(config))) as opened:
            with pytest.raises(expected):
                await opened.client.request("GET", "/api/v1/namespaces")
