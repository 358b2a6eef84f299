"""Churn of whole iterations: they are deleted with their namespaces, and others take their place.

An iteration that is made anew has a number, and so a namespace, that was never used. Iterations
that share objects, of which only the first has them, are replaced together.
"""

from __future__ import annotations

import asyncio
from functools import partial
from itertools import count
from typing import TYPE_CHECKING

from perfscale.engine.concurrency import run_bounded
from perfscale.engine.events import RoundStarted, Stage
from perfscale.engine.flow.churn.rounds import Rounds, chance_of
from perfscale.engine.removal.deletion import CONCURRENCY
from perfscale.engine.sharding.coordination import Moment
from perfscale.templates import replaced_iterations

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from perfscale.config import Workload
    from perfscale.engine.accounting.progress import ProgressPublisher
    from perfscale.engine.context import RunContext
    from perfscale.engine.flow.iteration import IterationRunner
    from perfscale.engine.flow.removing import IterationRemover
    from perfscale.engine.flow.stopping import Stop
    from perfscale.engine.load.pacing import WorkloadPacing
    from perfscale.templates import ObjectFactory


class NamespaceChurner:
    """Replaces iterations of workloads; it keeps nothing of any."""

    def __init__(
        self,
        context: RunContext,
        iterations: IterationRunner,
        remover: IterationRemover,
        progress: ProgressPublisher,
    ) -> None:
        self._context = context
        self._iterations = iterations
        self._remover = remover
        self._progress = progress

    async def run(
        self,
        workload: Workload,
        factories: Sequence[ObjectFactory],
        *,
        pacing: WorkloadPacing,
        stop: Stop,
        went_well: bool,
    ) -> bool:
        """Replace iterations round by round, after the last of a workload, if that ``went_well``.

        Returns:
            Whether all went well; no round follows one in which something did not.
        """
        churn, context = workload.churn, self._context
        if churn is None:
            return went_well
        last = workload.iteration_count
        agree = partial(context.agree, workload=workload, number=last)
        rounds = Rounds(churn, context.stopwatch.now())
        chance = chance_of(context.config.global_config.seed, workload.name)
        replaced = replaced_iterations(factories)
        present, unused = replaced.groups, replaced.unused()
        for number in count(1):
            pause_s = rounds.pause_before(number, context.stopwatch.now())
            begins = went_well and pause_s is not None and not stop.is_set
            begins = await agree(Moment.ROUND, round_number=number, well=begins)
            if pause_s is None or not begins:
                break
            if await self._pause(workload, pause_s, number - 1, stop):
                break
            wanted = churn.replaced_of(sum(map(len, present)))
            groups = chance.sample(present, replaced.drawn_of(wanted))
            drawn = [each for group in groups for each in group]
            context.broadcast.send(RoundStarted(workload.name, number, churn.rounds, len(drawn)))
            gone = await self._delete(workload, drawn, number)
            if not await agree(Moment.ROUND_DELETED, round_number=number, well=gone):
                return False
            if await self._pause(workload, churn.recreation_delay, number, stop):
                break
            starts = [next(unused) for _ in groups]
            new = [
                range(start, start + len(group))
                for start, group in zip(starts, groups, strict=True)
            ]
            create = partial(self._iterations.run, workload, factories)
            how = {"pacing": pacing, "stop": stop, "round_number": number}
            numbers = (each for group in new for each in group)
            ready = await _all_well(partial(create, each, **how) for each in numbers)
            if not await agree(Moment.ROUND_OVER, round_number=number, well=ready):
                return False
            present = [group for group in present if group not in groups] + new
        return went_well

    async def _pause(self, workload: Workload, pause_s: float, number: int, stop: Stop) -> bool:
        """Pause in a round, or after it; whether it was stopped."""
        if not pause_s:
            return False
        self._progress.enter(Stage.PAUSING, workload.name, None, None, number)
        return await stop.ends(asyncio.sleep(pause_s))

    async def _delete(self, workload: Workload, drawn: Sequence[int], number: int) -> bool:
        """Whether those iterations were gone in time."""
        contexts = {each.number: each for each in self._context.iterations_of(workload)}
        replace = self._remover.replace
        self._progress.attend(workload.name, [contexts[each].scope for each in drawn])
        return await _all_well(partial(replace, contexts[each], number) for each in drawn)


async def _all_well(works: Iterable[Callable[[], Awaitable[bool]]]) -> bool:
    """Do all of it at the same time; whether all of it went well."""
    results: list[bool] = []

    async def note(work: Callable[[], Awaitable[bool]]) -> None:
        results.append(await work())

    await run_bounded((partial(note, work) for work in works), limit=CONCURRENCY)
    return all(results)
