"""Answers to operations that are not what an API server sends, as a proxy gives them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from aiohttp import web
from clusters import ClusterUnderTest, simulated_cluster
from operation_load import accounts, done, on
from refusals import put_before_servers
from under_test import load_generator
from workloads import config, objects

from perfscale.results import RunOutcome

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

COUNT = 5
GARBLED = b"<html>"


def garble(
    monkeypatch: pytest.MonkeyPatch, is_meant: Callable[[web.Request], bool], *, most: int
) -> list[str]:
    """Garble the answers of so many requests, all of which are carried out; returns their paths."""
    garbled: list[str] = []

    async def answer(request: web.Request, handler: Any) -> web.StreamResponse:
        response: web.StreamResponse = await handler(request)
        if not is_meant(request) or len(garbled) >= most:
            return response
        garbled.append(request.path)
        status = 201 if request.method == "POST" else response.status
        return web.Response(status=status, body=GARBLED, content_type="application/json")

    put_before_servers(monkeypatch, answer)
    return garbled


def vmis() -> dict[str, Any]:
    return {"name": "vmis", "iterationCreationWait": True, "objects": [objects(count=COUNT)]}


async def run(directory: Path, *workloads: dict[str, Any]) -> Any:
    cluster: ClusterUnderTest
    async with simulated_cluster(directory) as cluster:
        options = replace(cluster.options, max_unavailable_s=0.5)
        async with load_generator(config(*workloads), cluster=options) as generator:
            return await generator.run()


async def test_a_list_whose_page_cannot_be_read_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lists = on("vmis", "list", iterationCount=3)
    garbled = garble(
        monkeypatch,
        lambda request: "perfscale/workload" in request.query.get("labelSelector", ""),
        most=1,
    )
    result = await run(tmp_path, vmis(), lists)
    assert len(garbled) == 1
    assert result.outcome is RunOutcome.PASSED, result.problems
    assert accounts(result) == done(3)


async def test_migrations_whose_answers_cannot_be_read_are_looked_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    garbled = garble(
        monkeypatch,
        lambda request: request.method == "POST" and request.path.endswith("migrations"),
        most=1000,
    )
    result = await run(tmp_path, vmis(), on("vmis", "migrate"))
    assert len(garbled) >= COUNT
    assert result.outcome is RunOutcome.PASSED, result.problems
    assert accounts(result) == done(COUNT)
