"""A controller that can do so much and no more, and less the more wait for it.

Below a known rate objects wait no longer than its work takes. Above it more come than go, and
each that waits beside too many others makes the work longer for all: of locks, caches, conflicts
and retries, a real controller has the same.
"""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from perfscale.sim.controllers.schedule import Item, Timer, Timers
    from perfscale.sim.latency import Stage


@dataclass(frozen=True, slots=True)
class Capacity:
    """How much the controllers of a kind can do.

    Attributes:
        stage: What objects wait in for their turn.
        per_second: How many of them a second get theirs, on average.
        in_flight: Up to so many that wait, that is so.
        growth: By which share of it each one more makes every turn longer.
        jitter: How much single turns differ: the standard deviation of their logarithm.
        seed: Makes that repeatable.
    """

    stage: Stage
    per_second: float
    in_flight: int = 10
    growth: float = 0.02
    jitter: float = 0.2
    seed: int = 0

    def turn_s(self, waiting: int, rng: random.Random) -> float:
        """How long the turn of one object takes, beside so many that wait for theirs."""
        slower = 1 + self.growth * max(0, waiting - self.in_flight)
        # The mean of this is 1, whatever the jitter is.
        drawn = rng.lognormvariate(-(self.jitter**2) / 2, self.jitter)
        return slower * drawn / self.per_second


@dataclass(slots=True, eq=False)
class _Waiter:
    callback: Callable[[Item], None]
    item: Item
    queue: Bottleneck
    gone: bool = False

    def cancel(self) -> None:
        if not self.gone:
            self.gone = True
            self.queue.leave()


class Bottleneck:
    """A queue, first in first out, from which one after the other is let through.

    An object that is deleted leaves it, and takes nobody's time.

    Args:
        timers: The event loop.
        capacity: How fast it is.
    """

    def __init__(self, timers: Timers, capacity: Capacity) -> None:
        self._timers = timers
        self._capacity = capacity
        self._rng = random.Random(capacity.seed)  # noqa: S311 - a simulation, not a secret
        self._queue: deque[_Waiter] = deque()
        self._waiting = 0
        self._due_s = 0.0
        self._timer: Timer | None = None

    def enter(self, callback: Callable[[Item], None], item: Item) -> Timer:
        """Let the object wait; cancelling what is returned lets it leave."""
        waiter = _Waiter(callback, item, self)
        self._queue.append(waiter)
        self._waiting += 1
        if self._timer is None:
            self._begin(self._timers.time())
        return waiter

    def leave(self) -> None:
        """One of those that wait is not there any more."""
        self._waiting -= 1

    def close(self) -> None:
        """Let nobody through any more."""
        if self._timer is not None:
            self._timer.cancel()
        self._queue.clear()

    def _begin(self, now_s: float) -> None:
        while self._queue and self._queue[0].gone:
            self._queue.popleft()
        if not self._queue:
            self._timer = None
            return
        # The next turn begins when the last one was due: what the loop is late costs no capacity.
        self._due_s = now_s + self._capacity.turn_s(self._waiting, self._rng)
        self._timer = self._timers.call_at(self._due_s, self._end, self._queue[0].item)

    def _end(self, _: Item) -> None:
        waiter = self._queue.popleft()
        if not waiter.gone:
            waiter.gone = True
            self._waiting -= 1
            waiter.callback(waiter.item)
        self._begin(self._due_s)
