"""Places among the requests in flight, of which each bound has so many."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio


class Slots:
    """A place in each of several bounds: the workload's own, and the run's."""

    def __init__(self, *bounds: asyncio.Semaphore) -> None:
        self._bounds = bounds

    def are_taken(self) -> bool:
        """Whether the next one has to wait."""
        for bound in self._bounds:  # noqa: SIM110 -- once for each request, and a loop is cheaper
            if bound.locked():
                return True
        return False

    async def acquire(self) -> None:
        """Wait for a place, the workload's own first. Cancellation takes none."""
        taken: list[asyncio.Semaphore] = []
        try:
            for bound in self._bounds:
                await bound.acquire()
                taken.append(bound)
        except BaseException:
            for bound in taken:
                bound.release()
            raise

    def release(self) -> None:
        """Give a place back."""
        for bound in self._bounds:
            bound.release()
