"""A schedule together with what holds requests back to it, for each iteration of a workload."""

from __future__ import annotations

import asyncio
import math
import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Self, TypeVar

from perfscale.config.sections.shape import POISSON, Slope, is_steady, slopes_of
from perfscale.engine.load.schedule import (
    Arrivals,
    Constant,
    Ending,
    EveryNth,
    RateLine,
    at_once,
    evenly,
    poisson,
)
from perfscale.engine.sharding.shard import WHOLE
from perfscale.kube.ratelimit import SHORTEST_SLEEP_S, DueLimiter, RateLimiter

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator

    from perfscale.config import Workload
    from perfscale.engine.load.schedule import Schedule
    from perfscale.engine.sharding.shard import Shard

_T = TypeVar("_T")

_SHORTEST_GAP_S: Final = 0.001
"""Random arrivals are told apart to so much; the timers of uvloop tick in milliseconds."""


@dataclass(frozen=True, slots=True)
class Pacing:
    """How the requests of an iteration follow each other.

    Attributes:
        schedule: When each is due.
        admit: Waits until the one that is due then, in seconds of the run, may go. Cancelled, it
            admits nothing.
        ends: Whether the load is over at some time, whatever there is to request still: by its
            time, or when no other workload is left.
        bounds: On the requests of the workload that are in flight at a time, within the run's.
    """

    schedule: Schedule
    admit: Callable[[float], Awaitable[None]]
    ends: bool = False
    bounds: tuple[asyncio.Semaphore, ...] = ()

    @classmethod
    def at_rate(cls, qps: float, burst: int, *bounds: asyncio.Semaphore) -> Self:
        """One rate: ``qps`` a second after the first ``burst``; 0 is no limit."""
        limiter = RateLimiter(qps, burst)
        return cls(Constant(qps, burst), lambda _: limiter.acquire(), bounds=bounds)

    @classmethod
    def at_share(
        cls,
        qps: float,
        burst: int,
        shard: Shard,
        clock: Callable[[], float],
        *bounds: asyncio.Semaphore,
    ) -> Self:
        """The part of one rate that is a shard's; ``clock`` is that of the run.

        A bucket would let each shard send when it likes. Here each goes when it is due by the
        schedule of the whole, so that the shards together are one even stream.
        """
        whole = Constant(qps, burst)
        if not qps:
            return cls(whole, _at_once, bounds=bounds)
        limiter = DueLimiter(clock)
        schedule = _Restarting(EveryNth(whole, shard), limiter)
        return cls(schedule, limiter.acquire, bounds=bounds)

    def due(
        self,
        wanted: Iterable[_T],
        now: Callable[[], float],
        missed: Callable[[_T], None],
        begins_s: float | None = None,
    ) -> Iterator[tuple[_T, float]]:
        """What is to be sent, each with when it is due, until the load is over.

        It begins at ``begins_s``, or now.

        What is due by then and comes more than `DueLimiter.MOST_LATE_S` after its time, when the
        load is over, is not sent any more, and given to ``missed``.
        """
        schedule = self.schedule
        schedule.begin(now() if begins_s is None else begins_s)
        for each in wanted:
            now_s = now()
            due_s = schedule.next_due(now_s)
            if due_s is None:
                return
            if now_s - due_s > DueLimiter.MOST_LATE_S and schedule.is_over(now_s):
                missed(each)
            else:
                yield each, due_s


async def _at_once(_: float) -> None:
    """Without a rate, there is nothing to wait for."""


class _Restarting:
    """A schedule that begins again and again: what was late before puts off nothing then."""

    def __init__(self, schedule: Schedule, limiter: DueLimiter) -> None:
        self._schedule = schedule
        self._limiter = limiter
        self.next_due, self.is_over = schedule.next_due, schedule.is_over

    def begin(self, now: float) -> None:
        self._limiter.restart()
        self._schedule.begin(now)


class WorkloadPacing:
    """Makes the pacing of each iteration of a workload.

    At a single rate, an iteration finds the bucket as the last one left it. Stages, random
    arrivals, ``spread`` and ``duration`` begin anew with each; random numbers go on, so that no
    two iterations have the same gaps.

    Args:
        workload: What the workload file says of it.
        seed: Of the run; two workloads of a run have different numbers all the same.
        clock: Seconds of the run.
        shard: Whose part of it.
    """

    def __init__(
        self, workload: Workload, seed: int, clock: Callable[[], float], shard: Shard = WHOLE
    ) -> None:
        self._workload = workload
        self._shard = shard
        self._clock = clock
        most = workload.max_in_flight
        self._bounds = () if most is None else (asyncio.Semaphore(most),)
        rate = workload.qps, workload.bucket_depth
        if shard.is_whole:
            self._steady = Pacing.at_rate(*rate, *self._bounds)
        else:
            self._steady = Pacing.at_share(*rate, shard, clock, *self._bounds)
        self._chance = random.Random(f"{seed}/{workload.name}/arrival")  # noqa: S311 -- no secret

    @property
    def of_round(self) -> Pacing:
        """The pacing of the rounds of churn: the workload's rate, whatever shape the load has."""
        return self._steady

    def of_iteration(self, objects: int) -> Pacing:
        """The pacing of the next iteration, which has so many objects in all shards."""
        workload = self._workload
        if is_steady(workload):
            if not workload.duration:
                return replace(self._steady, ends=workload.is_endless)
            schedule: Schedule = Ending(self._steady.schedule, workload.duration)
            return replace(self._steady, schedule=schedule, ends=True)
        positions = self._shard.every_nth(self._positions())
        schedule = Arrivals(RateLine(self._slopes(objects)), positions)
        if workload.duration:
            schedule = Ending(schedule, workload.duration)
        limiter = DueLimiter(
            self._clock, _SHORTEST_GAP_S if workload.arrival == POISSON else SHORTEST_SLEEP_S
        )
        ends = bool(workload.stages or workload.duration)
        return Pacing(schedule, limiter.acquire, ends, self._bounds)

    def _slopes(self, objects: int) -> list[Slope]:
        workload = self._workload
        if workload.stages:
            return slopes_of(workload)
        qps = objects / workload.spread if workload.spread else workload.qps
        return [Slope(math.inf, qps, qps)]

    def _positions(self) -> Iterator[float]:
        if self._workload.arrival == POISSON:
            return poisson(self._chance)
        return at_once(evenly()) if self._workload.spread else evenly()
