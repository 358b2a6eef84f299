"""Runs of several generators, in the loop of the test."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from clusters import ClusterUnderTest

from perfscale.config import Config
from perfscale.engine import RunOptions
from perfscale.engine.events import Progress
from perfscale.fleet import inprocess
from perfscale.fleet.coordinator import Coordinator
from perfscale.fleet.inprocess import InProcess
from perfscale.results import RunResult
from perfscale.templates import TemplateDefaults


def options(**changes: Any) -> RunOptions:
    return RunOptions(defaults=TemplateDefaults(), **changes)


def coordinator(
    cluster: ClusterUnderTest,
    load: Config,
    generators: int,
    *,
    sink: Any = None,
    transport: InProcess | None = None,
    **changes: Any,
) -> Coordinator:
    return Coordinator(
        load,
        transport or InProcess(),
        generators=generators,
        cluster=cluster.options,
        results=sink,
        options=options(**changes),
    )


async def run(
    cluster: ClusterUnderTest, load: Config, generators: int, *, sink: Any = None, **changes: Any
) -> RunResult:
    async with coordinator(cluster, load, generators, sink=sink, **changes) as running:
        return await running.run()


async def kill_generator_1(running: Coordinator, transport: InProcess, *, at: int) -> RunResult:
    """The result of a run whose second generator is killed once so many operations are done."""
    events = running.events()
    task = asyncio.create_task(running.run())
    async for event in events:
        snapshot = running.snapshot()
        done = sum(each.done for each in snapshot.operations) if snapshot else 0
        if isinstance(event, Progress) and done >= at:
            transport.kill(1)
            break
    return await task


def let_generator_1_send(monkeypatch: pytest.MonkeyPatch, instead: Callable[[Any], Any]) -> None:
    """What ``instead`` makes of each of its messages; nothing where that is None."""
    send = inprocess._Ends.send

    def changed(ends: Any, message: Any) -> None:
        if ends.name == "task 1":
            message = instead(message)
        if message is not None:
            send(ends, message)

    monkeypatch.setattr(inprocess._Ends, "send", changed)
