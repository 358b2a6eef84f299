"""A workload: its iterations, one after another, and the pauses between them."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from perfscale.config.sections.hooks import (
    AFTER_ITERATION,
    AFTER_WORKLOAD,
    BEFORE_ITERATION,
    BEFORE_WORKLOAD,
)
from perfscale.engine.events import Stage, WorkloadStarted
from perfscale.engine.flow.churn.namespaces import NamespaceChurner
from perfscale.engine.load.pacing import WorkloadPacing
from perfscale.engine.sharding.coordination import Moment

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from perfscale.config import Workload
    from perfscale.engine.accounting.progress import ProgressPublisher
    from perfscale.engine.context import RunContext
    from perfscale.engine.flow.churn.objects import Churner
    from perfscale.engine.flow.iteration import IterationRunner
    from perfscale.engine.flow.operations import OperationRunner
    from perfscale.engine.flow.removing import IterationRemover
    from perfscale.engine.flow.stopping import Stop
    from perfscale.templates import ObjectFactory


class WorkloadRunner:
    """Runs the workloads of a run; it keeps nothing of any."""

    def __init__(
        self,
        iterations: IterationRunner,
        remover: IterationRemover,
        operations: OperationRunner,
        churn: Churner,
        context: RunContext,
        progress: ProgressPublisher,
    ) -> None:
        self._iterations = iterations
        self._remover = remover
        self._churn = churn
        self._namespace_churn = NamespaceChurner(context, iterations, remover, progress)
        self._operations = operations
        self._context = context
        self._progress = progress

    async def run(self, workload: Workload, factories: Sequence[ObjectFactory], stop: Stop) -> bool:
        """Whether all its iterations went well; none follows one that did not, or ``stop``."""
        self._context.broadcast.send(
            WorkloadStarted(
                workload.name,
                workload.iteration_count,
                operation=workload.operation,
                background=workload.background,
            )
        )
        await stop.ends(self._reach(BEFORE_WORKLOAD, workload))
        await stop.ends(self._context.open_watches(factories))
        went_well = await self._run(workload, factories, stop)
        went_well = await self._context.agree(AFTER_WORKLOAD, workload, well=went_well)
        if went_well:
            await self._pause(workload, stop)
        if workload.workload_cleanup:
            went_well = await self._remover.remove(workload) and went_well
        self._progress.finish(workload.name)
        return await self._context.agree(Moment.WORKLOAD_OVER, workload, well=went_well)

    async def _pause(self, workload: Workload, stop: Stop) -> None:
        if workload.wait_when_finished and not stop.is_set:
            self._progress.enter(Stage.PAUSING, workload.name)
            await stop.ends(asyncio.sleep(workload.wait_when_finished))

    async def _reach(self, moment: str, workload: Workload, number: int | None = None) -> None:
        await self._context.reach(moment, workload, number)

    async def _run(
        self, workload: Workload, factories: Sequence[ObjectFactory], stop: Stop
    ) -> bool:
        if workload.does.creates:
            run = partial(self._create, workload, factories)
            return await self._iterate(workload, stop, run)
        if stop.is_set:  # before its first request
            return True
        work = await self._operations.begin(workload)
        try:
            return await self._iterate(workload, stop, partial(self._operations.run, work))
        finally:
            self._operations.end(work)

    async def _create(
        self,
        workload: Workload,
        factories: Sequence[ObjectFactory],
        number: int,
        *,
        pacing: WorkloadPacing,
        stop: Stop,
    ) -> bool:
        """Run an iteration that creates objects; after the last, or during it, comes the churn."""
        run = partial(self._iterations.run, workload, factories, number, pacing=pacing, stop=stop)
        if workload.churn is None or number < workload.iteration_count:
            return await run()
        if workload.churn.replaces_objects:
            return await run(churn=partial(self._churn.run, pacing.of_round))
        churn = partial(self._namespace_churn.run, workload, factories, pacing=pacing, stop=stop)
        return await churn(went_well=await run())

    async def _iterate(
        self, workload: Workload, stop: Stop, run: Callable[..., Awaitable[bool]]
    ) -> bool:
        seed = self._context.config.global_config.seed or 0
        context = self._context
        pacing = WorkloadPacing(workload, seed, context.stopwatch.now, context.shard)
        for number in range(1, workload.iteration_count + 1):
            if number > 1 and workload.iteration_interval:
                self._progress.enter(Stage.PAUSING, workload.name, number)
                await stop.ends(asyncio.sleep(workload.iteration_interval))
            await stop.ends(self._reach(BEFORE_ITERATION, workload, number))
            if stop.is_set:
                break
            went_well = await run(number, pacing=pacing, stop=stop)
            if not await context.agree(AFTER_ITERATION, workload, number, well=went_well):
                return False
        return True
