"""Which of a run's workloads goes on when: in turn, or beside the others."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from perfscale.engine.concurrency import first_error
from perfscale.engine.flow.stopping import Stop

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class WorkloadRun:
    """A workload that is to run.

    Attributes:
        name: Its name.
        work: Runs it until it is over or its stop is set; returns whether it went well.
        background: Whether the next one begins beside it.
        endless: Whether it goes on until it is stopped.
        until: Name of the workload with whose end it is stopped; None if there is none.
        stop: Ends it, cleanup included.
    """

    name: str
    work: Callable[[Stop], Awaitable[bool]]
    background: bool = False
    endless: bool = False
    until: str | None = None
    stop: Stop = field(default_factory=Stop)

    async def run(self) -> bool:
        """Run it; returns whether it went well."""
        return await self.work(self.stop)


async def in_turn(workloads: Sequence[WorkloadRun]) -> bool:
    """One after the other, those in the background beside those that follow.

    The first that does not go well ends all that go on, cleanup included, and none follows it.
    At the end those in the background are waited for, and then the endless ones are stopped.
    A cancellation ends all of them at once; so does an error, which is raised.
    """
    return await _Turns(workloads).run()


class _Turns:
    def __init__(self, workloads: Sequence[WorkloadRun]) -> None:
        self._workloads = workloads
        self._went_well = True

    async def run(self) -> bool:
        try:
            async with asyncio.TaskGroup() as tasks:
                await self._run_all(tasks)
        except BaseExceptionGroup as group:
            raise first_error(group) from None
        return self._went_well

    async def _run_all(self, tasks: asyncio.TaskGroup) -> None:
        beside: list[asyncio.Task[None]] = []
        for each in self._workloads:
            if not self._went_well:
                break
            if not each.background:
                await self._run(each)
                continue
            name = f"perfscale-workload-{each.name}"
            task = tasks.create_task(self._run(each), name=name)
            if not each.endless:
                beside.append(task)
            await asyncio.sleep(0)  # it begins in its turn
        if beside:
            await asyncio.wait(beside)
        self._stop(each for each in self._workloads if each.endless)

    async def _run(self, workload: WorkloadRun) -> None:
        went_well = await workload.run()
        self._stop(each for each in self._workloads if each.until == workload.name)
        if went_well or not self._went_well:
            return
        self._went_well = False
        others = [each for each in self._workloads if each is not workload]
        _log.info("%s did not go well, so that the others end", workload.name)
        self._stop(others)

    def _stop(self, workloads: Iterable[WorkloadRun]) -> None:
        for each in workloads:
            each.stop.set()
