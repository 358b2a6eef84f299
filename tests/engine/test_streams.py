"""Watches that are a load."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from perfscale.engine.load import streams


class Held:
    """A watch whose server never answers."""

    received = 0

    def __init__(self, *_: object, **__: object) -> None:
        self.synced = asyncio.Event()

    async def run(self) -> None:
        await asyncio.Event().wait()

    def take_rest(self) -> None:
        pass


async def test_a_stream_that_is_closed_before_its_first_state_was_not_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(streams, "MeteredWatch", Held)
    async with asyncio.TaskGroup() as tasks:
        context: Any = SimpleNamespace(tasks=tasks)
        operation: Any = SimpleNamespace(namespace=None, scope=SimpleNamespace(workload="load"))
        nothing: Any = SimpleNamespace(target=None, selector=None)
        stream = streams.LoadStream(context, nothing, nothing, operation)
        opening = tasks.create_task(stream.open())
        await asyncio.sleep(0)  # it is opened in its first step
        stream.close()
        await asyncio.wait([opening])
    assert opening.cancelled()
