"""Ending one workload of several before it is over by itself."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Coroutine


class Stop:
    """Ends what a workload does, but for the cleanup, which comes after that.

    Attributes:
        is_set: Whether the workload is to end.
    """

    def __init__(self) -> None:
        self.is_set = False
        self._scopes: set[asyncio.Timeout] = set()

    def set(self) -> None:
        """The workload is to end: what `ends` runs is cancelled, and nothing more begins."""
        if self.is_set:
            return  # a scope that is being left cannot be ended once more
        self.is_set = True
        for scope in self._scopes:
            scope.reschedule(asyncio.get_running_loop().time())

    async def ends(self, work: Coroutine[object, object, None]) -> bool:
        """Do some work, and return whether the workload's end came before the work's."""
        if self.is_set:
            work.close()
            return True
        try:
            async with asyncio.timeout(None) as scope:
                self._scopes.add(scope)
                await work
        except TimeoutError:
            if not scope.expired():
                raise
            return True
        finally:
            self._scopes.discard(scope)
        return False
