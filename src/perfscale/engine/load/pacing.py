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
    RateLine,
    at_once,
    evenly,
    poisson,
)
from perfscale.kube.ratelimit import SHORTEST_SLEEP_S, DueLimiter, RateLimiter

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator

    from perfscale.config import Workload
    from perfscale.engine.load.schedule import Schedule

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

    def due(
        self, wanted: Iterable[_T], now: Callable[[], float], missed: Callable[[_T], None]
    ) -> Iterator[tuple[_T, float]]:
        """What is to be sent, each with when it is due, until the load is over.

        What is due by then and comes more than `DueLimiter.MOST_LATE_S` after its time, when the
        load is over, is not sent any more, and given to ``missed``.
        """
        schedule = self.schedule
        schedule.begin(now())
        for each in wanted:
            now_s = now()
            due_s = schedule.next_due(now_s)
            if due_s is None:
                return
            if now_s - due_s > DueLimiter.MOST_LATE_S and schedule.is_over(now_s):
                missed(each)
            else:
                yield each, due_s


class WorkloadPacing:
    """Makes the pacing of each iteration of a workload.

    At a single rate, an iteration finds the bucket as the last one left it. Stages, random
    arrivals, ``spread`` and ``duration`` begin anew with each; random numbers go on, so that no
    two iterations have the same gaps.

    Args:
        workload: What the workload file says of it.
        seed: Of the run; two workloads of a run have different numbers all the same.
        clock: Seconds of the run.
    """

    def __init__(self, workload: Workload, seed: int, clock: Callable[[], float]) -> None:
        self._workload = workload
        self._clock = clock
        most = workload.max_in_flight
        self._bounds = () if most is None else (asyncio.Semaphore(most),)
        self._steady = Pacing.at_rate(workload.qps, workload.bucket_depth, *self._bounds)
        self._chance = random.Random(f"{seed}/{workload.name}/arrival")  # noqa: S311 -- no secret

    @property
    def of_round(self) -> Pacing:
        """The pacing of the rounds of churn: the workload's rate, whatever shape the load has."""
        return self._steady

    def of_iteration(self, objects: int) -> Pacing:
        """The pacing of the next iteration, which has so many objects."""
        workload = self._workload
        if is_steady(workload):
            if not workload.duration:
                return replace(self._steady, ends=workload.is_endless)
            schedule: Schedule = Ending(self._steady.schedule, workload.duration)
            return replace(self._steady, schedule=schedule, ends=True)
        schedule = Arrivals(RateLine(self._slopes(objects)), self._positions())
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
