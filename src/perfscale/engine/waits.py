"""Waiting for something to change, with one absolute deadline."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Signal:
    """Wakes those who wait when what they wait for has come about.

    Changes come by the thousand a second, and waking a task costs more than
    all else that is done about one. So `notify` checks the conditions, and a
    waiter is woken once, when its own holds.
    """

    def __init__(self) -> None:
        self._waiting: dict[asyncio.Future[None], Callable[[], bool]] = {}

    def notify(self) -> None:
        """Something has changed."""
        for waiter, condition in self._waiting.items():
            if not waiter.done() and condition():
                waiter.set_result(None)

    async def wait_until(
        self, condition: Callable[[], bool], *, timeout_s: float | None = None
    ) -> bool:
        """Wait until ``condition`` holds, looking again at every change.

        Args:
            condition: Cheap, and raises nothing; called at every change.
            timeout_s: Bound on the whole wait, in seconds from now, however
                much changes meanwhile; None for no bound.

        Returns:
            Whether it held before the bound was reached.
        """
        try:
            async with asyncio.timeout(timeout_s):
                while not condition():  # it may be over again by the time that the task runs
                    await self._woken(condition)
        except TimeoutError:
            return condition()
        return True

    async def _woken(self, condition: Callable[[], bool]) -> None:
        waiter = asyncio.get_running_loop().create_future()
        self._waiting[waiter] = condition
        try:
            await waiter
        finally:
            del self._waiting[waiter]
