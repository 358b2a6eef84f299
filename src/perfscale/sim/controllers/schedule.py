"""When each object's next step is due: one timer an object, and no task."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, Protocol

from perfscale.sim.latency import Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from perfscale.sim.controllers.contention import Bottleneck
    from perfscale.sim.controllers.objects import Key
    from perfscale.sim.latency import Latencies


class Item(NamedTuple):
    """One object that a controller reconciles."""

    kind: str
    key: Key


class Timer(Protocol):
    """A call that can still be called off."""

    def cancel(self) -> None:
        """Do not make the call."""


class Timers(Protocol):
    """What the schedule uses of an event loop."""

    def time(self) -> float:
        """Seconds of a clock that never goes back."""

    def call_at(self, when: float, callback: Callable[[Item], None], item: Item, /) -> Timer:
        """Have `callback(item)` called when `time` has reached `when`."""


@dataclass(slots=True)
class _Wait:
    uid: str
    stage: Stage
    due_s: float
    timer: Timer | None = None

    @property
    def is_over(self) -> bool:
        return self.timer is None

    def cancel(self) -> None:
        if self.timer is not None:
            self.timer.cancel()


class Schedule:
    """Knows for each object which stage it is in, and since when.

    Args:
        timers: The event loop.
        latencies: How long the stages take.
        on_due: Called with the item when its wait is over.
        bottlenecks: Where objects wait for their turn too, when the time of a stage is over.
    """

    def __init__(
        self,
        timers: Timers,
        latencies: Latencies,
        on_due: Callable[[Item], None],
        bottlenecks: Mapping[Stage, Bottleneck] = MappingProxyType({}),
    ) -> None:
        self._timers = timers
        self._latencies = latencies
        self._on_due = on_due
        self._bottlenecks = bottlenecks
        self._waits: dict[Item, _Wait] = {}

    def is_due(self, item: Item, uid: str, stage: Stage, more_s: float = 0.0) -> bool:
        """Whether the object has been long enough in its stage.

        If not, `on_due` will be called. A stage that follows on one whose wait was over
        begins when that one was due, not when its write came back: what the server and
        the queue take does not make a life longer than was drawn. A stage that cut
        another short (a deletion), that follows on `Stage.NOW`, which may be long ago, or
        that an object was found in, begins now. It takes ``more_s`` than was drawn.
        """
        wait = self._waits.get(item)
        if wait is not None and wait.uid == uid and wait.stage is stage:
            return wait.is_over
        begins_s = now_s = self._timers.time()
        if wait is not None:
            wait.cancel()
            if wait.uid == uid and wait.is_over and wait.stage is not Stage.NOW:
                begins_s = wait.due_s
        due_s = begins_s + self._latencies.draw(stage) + more_s
        new = self._waits[item] = _Wait(uid, stage, due_s)
        if due_s > now_s:
            new.timer = self._timers.call_at(due_s, self._ring, item)
        elif (bottleneck := self._bottlenecks.get(stage)) is not None:
            new.timer = bottleneck.enter(self._take_turn, item)
        return new.is_over

    def forget(self, item: Item) -> None:
        """Cancel what the object waits for, if it does."""
        wait = self._waits.pop(item, None)
        if wait is not None:
            wait.cancel()

    def close(self) -> None:
        """Cancel every wait."""
        for wait in self._waits.values():
            wait.cancel()
        self._waits.clear()
        for bottleneck in self._bottlenecks.values():
            bottleneck.close()

    def _ring(self, item: Item) -> None:
        # Only the latest wait of an item still has its timer.
        wait = self._waits[item]
        bottleneck = self._bottlenecks.get(wait.stage)
        if bottleneck is not None:
            wait.timer = bottleneck.enter(self._take_turn, item)
            return
        wait.timer = None
        self._on_due(item)

    def _take_turn(self, item: Item) -> None:
        wait = self._waits[item]
        wait.timer = None
        wait.due_s = self._timers.time()
        self._on_due(item)
