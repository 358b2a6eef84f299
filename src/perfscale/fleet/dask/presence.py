"""Finds out what is gone: a worker, or Dask's scheduler and all workers with it.

Dask notices a worker that hangs after minutes, and waits for one that is gone without a word.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from perfscale.errors import GeneratorLostError, SchedulerLostError
from perfscale.fleet.members import SILENT, SILENT_S

if TYPE_CHECKING:
    from distributed import Client

_PERIOD_S: Final = 1.0
_ANSWER_S: Final = 3.0
"""For the scheduler to answer, and to notice that a connection to a worker broke."""
_RETRY_S: Final = 0.2


class Presence:
    """Whether one worker is there, and the scheduler.

    Args:
        client: Dask's.
        scheduler: The scheduler's address.
        address: The worker's.

    Attributes:
        has_ended: Whether the worker's process is known to have ended: the scheduler has lost it
            too, and nobody listens at its address any more.
    """

    def __init__(self, client: Client, scheduler: str, address: str) -> None:
        self.has_ended = False
        self._client = client
        self._scheduler = scheduler
        self._address = address

    async def lost(self) -> GeneratorLostError:
        """Wait until the worker or the scheduler is gone, or silent for 10 s; with the reason."""
        worker: Any = self._client.rpc(self._address)
        try:
            while await self._is_registered(SILENT_S):
                async with asyncio.timeout(SILENT_S):
                    await worker.identity()
                await asyncio.sleep(_PERIOD_S)
        except TimeoutError:
            return await self.find_loss(SILENT)
        except SchedulerLostError as error:
            return error
        except (OSError, RuntimeError) as error:
            return await self.find_loss(f"its worker failed: {error}")
        return await self.find_loss("the scheduler had lost its worker")

    async def find_loss(self, why: str) -> GeneratorLostError:
        """What is gone, after something has failed; ``why`` if the worker is there all the same."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + _ANSWER_S
        try:
            while await self._is_registered(_ANSWER_S):
                if loop.time() >= until_s:
                    return GeneratorLostError(why)
                await asyncio.sleep(_RETRY_S)
        except SchedulerLostError as error:
            return error
        self.has_ended = await self._is_refused()
        return GeneratorLostError("its worker is gone")

    async def _is_registered(self, bound_s: float) -> bool:
        """Whether the scheduler has the worker.

        Raises:
            SchedulerLostError: It is gone, or does not answer.
        """
        gone = SchedulerLostError(
            f"the scheduler at {self._scheduler} is gone, and with it all generators"
        )
        if self._client.status != "running":
            raise gone
        try:
            async with asyncio.timeout(bound_s):
                known: Any = await self._client.nthreads([self._address])  # type: ignore[no-untyped-call]
        except TimeoutError:
            raise SchedulerLostError(
                f"the scheduler at {self._scheduler} did not answer for {bound_s:g} s"
            ) from None
        except (OSError, RuntimeError):
            raise gone from None
        return self._address in known

    async def _is_refused(self) -> bool:
        """Whether the worker's machine is there, and nothing listens at the worker's address."""
        where = urlsplit(self._address)
        with suppress(OSError):  # of which a timeout is one
            try:
                async with asyncio.timeout(_ANSWER_S):
                    _, writer = await asyncio.open_connection(where.hostname, where.port)
            except ConnectionRefusedError:
                return True
            writer.close()
        return False
