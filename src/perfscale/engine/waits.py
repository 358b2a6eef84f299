"""Waiting for something to change, with one absolute deadline."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Signal:
    """Wakes everybody who waits whenever something has changed."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def notify(self) -> None:
        """Something has changed."""
        self._event.set()
        self._event = asyncio.Event()

    async def wait_until(
        self, condition: Callable[[], bool], *, timeout_s: float | None = None
    ) -> bool:
        """Wait until ``condition`` holds, looking again at every change.

        Args:
            condition: Cheap; called at every change.
            timeout_s: Bound on the whole wait, in seconds from now, however
                much changes meanwhile; None for no bound.

        Returns:
            Whether it held before the bound was reached.
        """
        try:
            async with asyncio.timeout(timeout_s):
                while not condition():
                    await self._event.wait()
        except TimeoutError:
            return condition()
        return True
