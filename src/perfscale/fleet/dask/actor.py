"""What Dask makes on a worker: it starts the generator, and passes messages on.

Dask runs async methods of an actor on the worker's own loop. That loop does nothing else here:
the generator is a process of its own. A worker that has lost its scheduler closes itself, and so
ends the generator with it.
"""

from __future__ import annotations

import asyncio
from typing import Final

from perfscale.fleet.processes.process import GeneratorProcess

MOST_BYTES: Final = 2**20
"""Of messages in one answer, or a little more: what the coordinator reads at a time."""


class GeneratorActor:
    """One generator on a worker; not for two coordinators."""

    def __init__(self) -> None:
        self._process: GeneratorProcess | None = None
        self._is_used = False

    async def start(self, inputs: bytes) -> int:
        """Start the generator with its inputs; returns its process id.

        A second call is refused: who calls may repeat what it takes for failed, and the load must
        not be.
        """
        if self._is_used:
            raise RuntimeError("a generator starts once")
        self._is_used = True
        process = GeneratorProcess()
        await process.start()
        self._process = process
        await process.send(inputs)
        return process.pid

    async def post(self, messages: list[bytes]) -> None:
        """Pass messages on to the generator."""
        process = self._started()
        for message in messages:
            await process.send(message)

    async def collect(self, wait_s: float) -> list[bytes]:
        """What the generator has sent since the last call, in its order; not for two at a time.

        It also shows the generator that somebody is there.

        Args:
            wait_s: How long to wait for the first message; then the answer is empty.

        Raises:
            GeneratorLostError: It has ended, and all that it had sent was collected before.
        """
        process = self._started()
        await process.send(b"")
        try:
            async with asyncio.timeout(wait_s):
                return await process.receive_some(MOST_BYTES)
        except TimeoutError:
            return []

    async def kill(self) -> None:
        """End the generator at once, also where it is stopped; it sends nothing more.

        One that is being started has not got its inputs, and ends when nobody is there.
        """
        self._is_used = True
        if self._process is not None:
            await self._process.aclose()

    def _started(self) -> GeneratorProcess:
        if self._process is None:
            raise RuntimeError("the generator was not started")
        return self._process
