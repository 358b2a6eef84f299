"""Watches the generator itself, so that a run can say whether it was the limit.

Memory is bounded: lags are counted in sketches, however many there are.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from perfscale.engine.snapshot import Lags
from perfscale.results import SLOW_S, Creation, InFlight, Lag, Sketch, Vitals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from perfscale.config import GlobalConfig
    from perfscale.kube.stats import RequestStats
    from perfscale.results import ClockStep


_MOST_STEPS: Final = 10
"""Steps of the wall clock that are kept."""

STALL_S: Final = 0.5
"""An event loop that is late by this has stood still: nothing was seen meanwhile."""


class _Creating:
    """Adds to a workload's `Creation` what has passed since the last time."""

    def __init__(self, creation: Creation, stats: RequestStats, clock: Callable[[], float]) -> None:
        self._creation = creation
        self._stats = stats
        self._clock = clock
        self._read()

    def _read(self) -> None:
        self._at_s, self._cpu_s = self._clock(), time.thread_time()
        self._gone_s = self._stats.outage_seconds

    def count(self) -> None:
        """Count until now."""
        at_s, cpu_s, gone_s = self._at_s, self._cpu_s, self._gone_s
        self._read()
        self._creation.seconds += self._at_s - at_s
        self._creation.cpu_s += self._cpu_s - cpu_s
        self._creation.outage_s += self._gone_s - gone_s


class Health:
    """The generator's own health.

    Args:
        limits: Of the run.
        clock: Seconds, monotonic.
        on_stall: Called when the event loop stood still: when it last went on, and how
            late it was then.

    Attributes:
        in_flight: Create requests without an answer yet.
    """

    def __init__(
        self,
        limits: GlobalConfig,
        clock: Callable[[], float],
        on_stall: Callable[[float, float], None] | None = None,
    ) -> None:
        self._on_stall = on_stall
        self._limits = limits
        self._clock = clock
        self._loop_lag = Sketch()
        self._limiter_lag = Sketch()
        self._send_lag = Sketch()
        self._summaries: dict[int, Lag] = {}
        self._creations: defaultdict[str, Creation] = defaultdict(Creation)
        self._creating: set[_Creating] = set()
        self._clock_steps: list[ClockStep] = []
        self.in_flight = 0
        self._most_in_flight = 0
        self._samples = 0
        self._seen_in_flight = 0

    async def sleep(self, seconds: float) -> None:
        """Sleep, and see how much later than it should the loop wakes who sleeps."""
        since_s = self._clock()
        await asyncio.sleep(seconds)
        late_s = max(0.0, self._clock() - since_s - seconds)
        self._loop_lag.count(late_s)
        if late_s >= STALL_S and self._on_stall is not None:
            self._on_stall(since_s, late_s)
        if self.in_flight:
            self._samples += 1
            self._seen_in_flight += self.in_flight

    @contextmanager
    def creating(self, workload: str, stats: RequestStats) -> Iterator[None]:
        """Objects of a workload are created; ``stats`` knows for how long the server was gone.

        Processor time is the thread's: workloads that create at the same time share it, and
        each has all of it.
        """
        creating = _Creating(self._creations[workload], stats, self._clock)
        self._creating.add(creating)
        try:
            yield
        finally:
            creating.count()
            self._creating.remove(creating)

    def admitted(self, lag_s: float) -> None:
        """A create was let go, so long after it was due; it is in flight now."""
        self._limiter_lag.count(lag_s if lag_s > 0 else 0.0)
        self.in_flight = in_flight = self.in_flight + 1
        if in_flight > self._most_in_flight:
            self._most_in_flight = in_flight

    def sent_elsewhere(self, limiter_lag_s: float, send_lag_s: float) -> None:
        """Another generator of the run has sent a create, or another operation, so late."""
        self._limiter_lag.count(max(0.0, limiter_lag_s))
        self._send_lag.count(max(0.0, send_lag_s))

    def finished(self) -> None:
        """A create is not in flight any more."""
        self.in_flight -= 1

    def answered(self, workload: str, send_lag_s: float, answer_s: float) -> None:
        """A create was sent so long after it was admitted, and answered so long after that."""
        self._send_lag.count(send_lag_s if send_lag_s > 0 else 0.0)
        creation = self._creations[workload]
        creation.answers += 1
        creation.answer_s += answer_s
        if answer_s > SLOW_S:
            creation.slow_s += answer_s

    def refused(self, workload: str, taken_s: float) -> None:
        """A create was refused for good, or not answered, so long after it was sent."""
        creation = self._creations[workload]
        creation.refusals += 1
        creation.refusal_s += taken_s
        if taken_s > SLOW_S:
            creation.slow_s += taken_s

    def stepped(self, step: ClockStep) -> None:
        """The wall clock was set."""
        if len(self._clock_steps) < _MOST_STEPS:
            self._clock_steps.append(step)

    def lags(self) -> Lags:
        """How late things were so far, one by one."""
        return Lags(
            loop=self._loop_lag.copy(),
            limiter=self._limiter_lag.copy(),
            send=self._send_lag.copy(),
        )

    def vitals(self) -> Vitals:
        """Everything so far."""
        for creating in self._creating:
            creating.count()
        return Vitals(
            loop_lag=self._lag(self._loop_lag),
            limiter_lag=self._lag(self._limiter_lag),
            send_lag=self._lag(self._send_lag),
            in_flight=InFlight(
                limit=self._limits.max_in_flight,
                max=self._most_in_flight,
                mean=round(self._seen_in_flight / self._samples, 3) if self._samples else None,
            ),
            qps=self._limits.qps,
            creations={name: each.rounded() for name, each in self._creations.items()},
            clock_steps=tuple(self._clock_steps),
        )

    def _lag(self, sketch: Sketch) -> Lag:
        """Sum it up, unless nothing was counted since the last time: it is asked every second."""
        lag = self._summaries.get(id(sketch))
        if lag is None or lag.count != sum(sketch.buckets.values()):
            found = sketch.summarize()
            lag = self._summaries[id(sketch)] = Lag(
                count=found.count,
                mean=_rounded(found.mean),
                p50=_rounded(found.p50),
                p99=_rounded(found.p99),
                max=_rounded(found.max),
            )
        return lag


def _rounded(seconds: float | None) -> float | None:
    """To microseconds, as all times in results are."""
    return None if seconds is None else round(seconds, 6)
