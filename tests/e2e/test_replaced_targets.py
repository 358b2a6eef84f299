"""Targets that somebody replaces by others of their names: nothing is done to those silently."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from clusters import VMIS, VMS, ClusterUnderTest
from operation_load import OperationSink, accounts, on
from pages import list_pages
from processes import until
from refusals import Refusing
from workloads import config, objects

from perfscale.engine.flow.operations import OperationRunner
from perfscale.engine.tracking.operations.effects import Effects
from perfscale.results import OperationAccounts

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from perfscale.engine.load.sending import Work
    from perfscale.kube.resources import Resource

COUNT = 3


async def read(cluster: ClusterUnderTest, kind: Resource, name: str) -> dict[str, Any] | None:
    async for items, _ in list_pages(cluster.client, kind, "density-1"):
        for item in items:
            if item["metadata"]["name"] == name:
                return dict(item)
    return None


async def replace(cluster: ClusterUnderTest, kind: Resource, name: str) -> None:
    """Delete an object, and create one like it."""
    old = await read(cluster, kind, name)
    assert old is not None
    await cluster.client.delete(kind, "density-1", name)
    async with asyncio.timeout(60):
        while await read(cluster, kind, name) is not None:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    kept = ("name", "namespace", "labels")
    metadata = {key: old["metadata"][key] for key in kept}
    manifest = {**old, "metadata": metadata, "status": {}}
    await cluster.create(kind, manifest)


def once_the_load_begins(
    monkeypatch: pytest.MonkeyPatch, do: Callable[[Work], Awaitable[None]]
) -> None:
    """Do something once a generator knows its targets, and nothing has been sent to any."""
    run, is_done = OperationRunner.run, False

    async def late(runner: OperationRunner, work: Work, *args: Any, **more: Any) -> bool:
        nonlocal is_done
        if work.targets and not is_done:  # a coordinator has none
            is_done = True
            await do(work)
        return await run(runner, work, *args, **more)

    monkeypatch.setattr(OperationRunner, "run", late)


def load(kind: Resource, operation: str) -> Any:
    file = "vm-ephemeral.yaml" if kind == VMS else "vmi-ephemeral.yaml"
    made = {"name": "made", "iterationCreationWait": True, "objects": [objects(file, COUNT)]}
    return config(made, on("made", operation))


async def has_seen(work: Work, uid: str) -> None:
    """Wait until the watches have shown that an object is gone."""
    await until(lambda: uid not in {view.uid for view in work.effects._known.values() if view})


@pytest.mark.parametrize(
    ("kind", "operation", "path"),
    [
        (VMS, "restart", "/restart"),
        (VMIS, "pause", "/pause"),
        (VMIS, "softReboot", "/softreboot"),
        (VMIS, "migrate", "/virtualmachineinstancemigrations"),
    ],
)
async def test_nothing_is_sent_for_a_target_that_was_replaced(
    refusing: Refusing,
    kind: Resource,
    operation: str,
    path: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cluster, requests = refusing

    async def replace_first(work: Work) -> None:
        name, uid = work.targets[0][0].name, work.targets[0][0].uid
        await replace(cluster, kind, name or "")
        await has_seen(work, uid or "")

    once_the_load_begins(monkeypatch, replace_first)
    sink = OperationSink()
    result = await cluster.run(load(kind, operation), sink=sink)
    assert accounts(result) == OperationAccounts(requested=COUNT, done=COUNT - 1, failed=1)
    (failed,) = [each for each in sink.operations if each.error]
    assert failed.sent_s is None
    assert "nothing was sent" in (failed.error or "")
    sent = {
        (verb, where): count
        for (verb, where), count in requests.sent.items()
        if where.endswith(path) and verb in {"PUT", "POST"}
    }
    assert sum(sent.values()) == COUNT - 1


@pytest.mark.parametrize(
    ("kind", "operation", "error"),
    [
        (VMIS, "softReboot", "it was replaced by another object of its name"),
        (VMIS, "pause", "its instance was replaced by another"),
        (VMS, "restart", "it was replaced by another object of its name|somebody else deleted it"),
    ],
)
async def test_a_request_that_reaches_another_object_of_the_name_is_a_failure(
    simulated: ClusterUnderTest,
    kind: Resource,
    operation: str,
    error: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As where the watches are behind by a moment."""

    async def replace_first(work: Work) -> None:
        name = work.targets[0][0].name or ""
        await replace(simulated, kind, name)
        async with asyncio.timeout(60):
            while not await is_running(name):  # noqa: ASYNC110
                await asyncio.sleep(0.02)

    async def is_running(name: str) -> bool:
        vmi = await read(simulated, VMIS, name)
        return vmi is not None and vmi["status"].get("phase") == "Running"

    once_the_load_begins(monkeypatch, replace_first)
    monkeypatch.setattr(Effects, "find_loss", lambda *_: None)
    sink = OperationSink()
    result = await simulated.run(load(kind, operation), sink=sink)
    assert accounts(result) == OperationAccounts(requested=COUNT, done=COUNT - 1, failed=1)
    (failed,) = [each.error for each in sink.operations if each.error]
    assert failed in error.split("|")  # of two watches, whichever shows it first
