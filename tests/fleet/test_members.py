"""What generators send is taken as it comes, and holds nothing else up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Any

from perfscale.engine.sharding.shard import Shard
from perfscale.engine.stopwatch import Stopwatch
from perfscale.fleet.members import Members
from perfscale.fleet.messages import (
    DISTRIBUTION,
    Clocks,
    Ended,
    Opened,
    Probe,
    Published,
    Start,
    ToCoordinator,
    ToGenerator,
)

MESSAGES = 20


class AllAtOnce:
    """A connection, and the transport that makes it: everything is there when it is asked for."""

    name = "worker"

    def __init__(self) -> None:
        self._sent: asyncio.Queue[ToCoordinator] = asyncio.Queue()
        self._sent.put_nowait(Opened("host", 1, version(DISTRIBUTION)))

    def start(self, _: object) -> AllAtOnce:
        return self

    def send(self, message: ToGenerator) -> None:
        match message:
            case Probe(number):
                self._sent.put_nowait(Clocks(number, time.monotonic(), time.time()))
            case Start():
                for _ in range(MESSAGES):
                    self._sent.put_nowait(Published([]))
                self._sent.put_nowait(Ended())

    async def receive(self) -> ToCoordinator:
        return await self._sent.get()

    async def close(self, on_wait: Callable[[float], None]) -> None:
        """There is nothing to end."""


class Turns:
    """A listener that notes in which turn of the loop it is given entries."""

    def __init__(self) -> None:
        self.turn = 0
        self.taken: list[int] = []

    async def count(self) -> None:
        while True:
            self.turn += 1
            await asyncio.sleep(0)

    def take_entries(self, *_: object) -> None:
        self.taken.append(self.turn)

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_: None


async def test_while_much_is_published_at_once_others_have_their_turn() -> None:
    listener: Any = Turns()
    transport: Any = AllAtOnce()
    inputs: Sequence[Any] = [type("Inputs", (), {"shard": Shard(0, 1)})()]
    async with asyncio.TaskGroup() as tasks:
        others = tasks.create_task(listener.count())
        members = Members(transport, listener, Stopwatch(time.monotonic, 0.0), tasks)
        await members.start(inputs)
        await members.end(60.0)
        others.cancel()
    assert len(listener.taken) == len(set(listener.taken)) == MESSAGES
