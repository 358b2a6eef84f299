"""The timers of an event loop whose time passes when a test says so."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

from perfscale.sim.controllers.schedule import Item


@dataclass
class Call:
    callback: Callable[[Item], None]
    item: Item
    cancelled: bool = False

    def cancel(self) -> None:
        self.cancelled = True


@dataclass
class VirtualTimers:
    now: float = 0.0
    _calls: list[tuple[float, int, Call]] = field(default_factory=list)
    _numbers: count[int] = field(default_factory=count)

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, callback: Callable[[Item], None], item: Item, /) -> Call:
        call = Call(callback, item)
        heapq.heappush(self._calls, (when, next(self._numbers), call))
        return call

    def pass_time(self, seconds: float) -> None:
        self.pass_until(self.now + seconds)

    def pass_until(self, until: float) -> None:
        while self._calls and self._calls[0][0] <= until:
            when, _, call = heapq.heappop(self._calls)
            self.now = max(self.now, when)
            if not call.cancelled:
                call.callback(call.item)
        self.now = until
