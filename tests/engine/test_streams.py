"""Watches that are a load."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from clusters import CONFIGMAPS
from processes import until

from perfscale.config.operations import Effect
from perfscale.engine.load import streams
from perfscale.engine.tracking.operations.effects import Effects
from perfscale.engine.tracking.operations.tracked import TrackedOperation
from perfscale.engine.tracking.rows import IterationScope
from perfscale.errors import WatchError
from perfscale.results import OperationOutcome


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


class Dying(Held):
    """A watch that ends some time after its first state."""

    ends = asyncio.Event()

    async def run(self) -> None:
        self.synced.set()
        await self.ends.wait()
        raise WatchError("the server refuses it from now on")


async def test_a_stream_that_ends_before_its_load_has_failed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(streams, "MeteredWatch", Dying)
    warnings: list[str] = []
    operation = TrackedOperation(
        IterationScope("load", 1, 1), "watch", CONFIGMAPS, None, None, None, sent_s=1.0
    )
    decided: list[TrackedOperation] = []
    effects = Effects(
        Effect.FIRST_STATE,
        target=CONFIGMAPS.name,
        follows=CONFIGMAPS.name,
        on_decided=decided.append,
        is_deleted_by_run=lambda _: False,
    )
    async with asyncio.TaskGroup() as tasks:
        context: Any = SimpleNamespace(tasks=tasks, warn=warnings.append)
        nothing: Any = SimpleNamespace(target=None, selector=None)
        stream = streams.LoadStream(context, nothing, nothing, operation)
        await stream.open()
        effects.accept(operation, 2.0)
        Dying.ends.set()
        await until(lambda: bool(warnings))
        assert not decided
        stream.close()
        effects.finish(operation)
    assert operation.outcome is OperationOutcome.FAILED
    assert operation.error is not None
    assert operation.error.startswith("the stream ended before the load did: ")
    assert decided == [operation]
