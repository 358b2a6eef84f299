"""When each request of a load is due, whatever the run manages to do.

A schedule is pure: it is given the time, and neither sleeps nor looks at a clock. What holds
requests back until they are due is `perfscale.engine.load.pacing`.

The model is open: how fast the cluster answers changes nothing about when the next request is
due. https://grafana.com/docs/k6/latest/using-k6/scenarios/concepts/open-vs-closed/
"""

from __future__ import annotations

import math
from itertools import accumulate, count
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable, Iterator, Sequence

    from perfscale.config.sections.shape import Slope
    from perfscale.engine.sharding.shard import Shard

_ROUNDING = 1e-9
"""By so many requests a sum of floats may miss the whole number that it stands for."""

_ROUNDING_S = 1e-6
"""By so many seconds a sum of the gaps between requests may miss the end of a load."""


class Schedule(Protocol):
    """When requests are due; all times are seconds of one clock."""

    def begin(self, now: float) -> None:
        """What follows is wanted from ``now`` on; called again for each part of an iteration."""

    def next_due(self, now: float) -> float | None:
        """When the next request is due, which may be later than ``now`` or long ago.

        Returns:
            None once the load is over: nothing more is wanted.
        """

    def is_over(self, now: float) -> bool:
        """Whether nothing is due any more at ``now`` or later, however much there is to do."""


class Constant:
    """The schedule of a token bucket that is asked for more than it gives.

    It is the generic cell rate algorithm (ITU-T I.371, annex A) with an
    emission interval of ``1/qps`` and a burst tolerance of ``(burst-1)/qps``:
    the earliest moment at which each request could go. The limiter holds
    requests back to that schedule; the distance between the two is how far the
    generator fell behind.
    """

    def __init__(self, qps: float, burst: int) -> None:
        self._interval_s = 1 / qps if qps else 0.0
        self._tolerance_s = (burst - 1) * self._interval_s
        self._begun_s = 0.0
        self._arrival_s = 0.0

    def begin(self, now: float) -> None:
        """Everything that follows is wanted from ``now`` on."""
        self._begun_s = now

    def next_due(self, now: float) -> float:
        """When the next one is due; without a rate, as soon as it is asked for."""
        if not self._interval_s:
            return now
        due = max(self._begun_s, self._arrival_s - self._tolerance_s)
        self._arrival_s = max(due, self._arrival_s) + self._interval_s
        return due

    def is_over(self, now: float) -> bool:  # noqa: ARG002 -- as in every schedule
        """Never: it goes on for as long as it is asked."""
        return False


class EveryNth:
    """The part of another schedule that is one shard's: the places k, k + n, k + 2n, and so on.

    The shards of a run together send what is due by the whole schedule, evenly: none of them looks
    at what the others do. Where a part of the load ends within a round of n, the rest of it is
    the others': so all of them begin the next part with a round, also after a pause.
    """

    def __init__(self, schedule: Schedule, shard: Shard) -> None:
        self._schedule = schedule
        self._shard = shard
        self._place = 0

    def begin(self, now: float) -> None:
        """Everything that follows is wanted from ``now`` on."""
        while self._place:
            self._pass(now)
        self._schedule.begin(now)

    def next_due(self, now: float) -> float | None:
        """When the next one of the shard is due."""
        while self._place != self._shard.index:
            self._pass(now)
        return self._pass(now)

    def _pass(self, now: float) -> float | None:
        self._place = (self._place + 1) % self._shard.count
        return self._schedule.next_due(now)

    def is_over(self, now: float) -> bool:
        """Whether the whole schedule is."""
        return self._schedule.is_over(now)


class Ending:
    """Another schedule, until a time after its beginning: what is due by then, and no more."""

    def __init__(self, schedule: Schedule, duration_s: float) -> None:
        self._schedule = schedule
        self._duration_s = duration_s
        self._end_s: float | None = None

    def begin(self, now: float) -> None:
        """Everything that follows is wanted from ``now`` on; the first time, it begins."""
        if self._end_s is None:
            self._end_s = now + self._duration_s
        self._schedule.begin(now)

    def next_due(self, now: float) -> float | None:
        """When the next one is due; None if that is at the end or after it."""
        due = self._schedule.next_due(now)
        if due is None or self._end_s is None or due >= self._end_s - _ROUNDING_S:
            return None
        return due

    def is_over(self, now: float) -> bool:
        """Whether the end has come."""
        return (self._end_s is not None and now >= self._end_s) or self._schedule.is_over(now)


class Arrivals:
    """Requests along a rate that moves, from its first beginning on.

    Each is due when so many have come by the rate, in sum, as it stands in ``positions``: with
    1, 2, 3 and so on they are evenly spaced, with the sums of exponential gaps of mean 1 they are
    a Poisson process, whose rate may move too (time rescaling: Cinlar, *Introduction to Stochastic
    Processes*, 4.7).

    Args:
        rate: How many a second, over time.
        positions: Growing; the first belongs to the first request.
    """

    def __init__(self, rate: RateLine, positions: Iterator[float]) -> None:
        self._rate = rate
        self._duration_s = rate.duration_s
        self._positions = positions
        self._begun_s: float | None = None

    def begin(self, now: float) -> None:
        """The first time, the rate begins; later parts of the iteration go on along it."""
        if self._begun_s is None:
            self._begun_s = now

    def next_due(self, now: float) -> float | None:
        """When the next one is due; None if the rate is over by then."""
        begun_s = now if self._begun_s is None else self._begun_s
        after_s = self._rate.reach(next(self._positions))
        return None if after_s is None else begun_s + after_s

    def is_over(self, now: float) -> bool:
        """Whether the rate is."""
        return self._begun_s is not None and now >= self._begun_s + self._duration_s


def evenly() -> Iterator[float]:
    """Positions of requests that are as far apart as the rate says."""
    return map(float, count(1))


def at_once(positions: Iterable[float]) -> Iterator[float]:
    """The same, but the first comes at the beginning."""
    return (position - 1 for position in positions)


def poisson(chance: random.Random) -> Iterator[float]:
    """Positions of requests that come independently of each other; never ends."""
    return accumulate(chance.expovariate(1.0) for _ in count())


class RateLine:
    """A rate that moves: one slope after the other, then nothing."""

    def __init__(self, slopes: Sequence[Slope]) -> None:
        self._slopes = list(slopes)
        self._index = 0
        self._started_s = 0.0
        self._before = 0.0

    @property
    def duration_s(self) -> float:
        """How long all of it takes."""
        return sum(slope.duration_s for slope in self._slopes)

    @property
    def requests(self) -> float:
        """How many come in all of it."""
        return sum(slope.requests for slope in self._slopes)

    def reach(self, requests: float) -> float | None:
        """After how many seconds so many have come; None if they never do.

        It is called with numbers that grow, and forgets the slopes that are over.
        """
        while self._index < len(self._slopes):
            slope = self._slopes[self._index]
            if requests <= self._before + slope.requests + _ROUNDING:
                return self._started_s + _reach(slope, max(0.0, requests - self._before))
            self._started_s += slope.duration_s
            self._before += slope.requests
            self._index += 1
        return None


def _reach(slope: Slope, requests: float) -> float:
    """After how many seconds of a slope so many have come, of those that come in it."""
    duration_s, from_qps, to_qps = slope
    steepness = (to_qps - from_qps) / duration_s
    # The root of steepness/2 t^2 + from t = requests, in the form that cancels nothing when the
    # line is nearly flat.
    root = math.sqrt(max(0.0, from_qps**2 + 2 * steepness * requests))
    total = from_qps + root
    return min(duration_s, 2 * requests / total) if total else 0.0
