"""Generators in the loop of the coordinator: for tests, and for programs that embed them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from perfscale.errors import GeneratorLostError
from perfscale.fleet.generator import run_generator

if TYPE_CHECKING:
    from collections.abc import Callable

    from perfscale.fleet.messages import ToCoordinator, ToGenerator
    from perfscale.fleet.transport import Connection, GeneratorInputs


class InProcess:
    """A `Transport` that runs each generator as a task of this loop.

    They share one core, so that nothing is gained by them; each has connections of its own unless
    it is given an open cluster.

    Attributes:
        tasks: One for each generator that was started, by its shard.
    """

    def __init__(self) -> None:
        self.tasks: dict[int, asyncio.Task[None]] = {}
        self._ends: dict[int, _Ends] = {}

    def start(self, inputs: GeneratorInputs) -> Connection:
        """Start one generator."""
        ends = _Ends(f"task {inputs.shard.index}")
        task = asyncio.get_running_loop().create_task(
            run_generator(inputs, ends), name=f"perfscale-generator-{inputs.shard.index}"
        )
        ends.attach(task)
        self.tasks[inputs.shard.index] = task
        self._ends[inputs.shard.index] = ends
        return _Coordinators(ends)

    def kill(self, shard: int) -> None:
        """End one at once, as a process that is killed: nothing that it still does is heard of."""
        task = self.tasks[shard]
        self._ends[shard].is_cut = True
        task.cancel()
        asyncio.get_running_loop().call_soon(task.cancel)


class _Ends:
    """The generator's end; the coordinator's shares its queues.

    A task cannot be lost, but it can be cancelled.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_cut = False
        self.up: asyncio.Queue[ToCoordinator | None] = asyncio.Queue()
        self.down: asyncio.Queue[ToGenerator] = asyncio.Queue()

    def attach(self, task: asyncio.Task[None]) -> None:
        self.task = task
        task.add_done_callback(lambda _: self.up.put_nowait(None))

    def send(self, message: ToCoordinator) -> None:
        if not self.is_cut:
            self.up.put_nowait(message)

    async def receive(self) -> ToGenerator:
        return await self.down.get()


class _Coordinators:
    def __init__(self, ends: _Ends) -> None:
        self._ends = ends
        self.name = ends.name

    def send(self, message: ToGenerator) -> None:
        self._ends.down.put_nowait(message)

    async def receive(self) -> ToCoordinator:
        message = await self._ends.up.get()
        if message is None:
            raise GeneratorLostError("its task was cancelled")
        return message

    async def close(self, on_wait: Callable[[float], None]) -> None:  # noqa: ARG002 -- see there
        """Cancel it, twice if it has to be: the first time it would clean up."""
        task = self._ends.task
        while not task.done():
            task.cancel()
            await asyncio.wait([task], timeout=0.1)
