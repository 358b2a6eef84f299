"""A loop whose clock jumps from timer to timer, so that minutes take no time."""

from __future__ import annotations

import asyncio
import itertools
import random
import selectors
from collections.abc import Awaitable, Callable, Iterable, Iterator
from concurrent.futures import Executor
from functools import partial
from typing import TypeVar, TypeVarTuple

from patience import PATIENCE_S

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_TURN_S = 1e-7
"""Time passes in every turn of a loop; where it stood still, a timer that is due
in less than the clock can tell would be looked at for ever."""
_NETWORK_TURN_S = 1e-5
"""The same, and more than the microsecond to which records are rounded."""
_QUIET_S = 0.002
"""Of real time: what one end of a connection in this process writes is at the other end by then."""


class JumpingSelector(selectors.DefaultSelector):
    """Instead of waiting, moves the clock: to the next timer, and a bit too far."""

    def __init__(self, late_s: Iterator[float]) -> None:
        super().__init__()
        self.now_s = 100.0
        self._late_s = late_s

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        assert timeout is not None, "everybody waits for somebody else"
        self.now_s += _TURN_S + (timeout + next(self._late_s) if timeout > 0 else 0)
        return super().select(0)


class NetworkSelector(selectors.DefaultSelector):
    """The same where both ends of each connection are in the loop: it moves the clock only once
    nothing is on its way any more, and no thread is at work."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 100.0
        self.threads = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.now_s += _NETWORK_TURN_S
        if timeout is not None and timeout <= 0:
            return super().select(0)
        jumps = timeout is not None and not self.threads
        ready = super().select(_QUIET_S if jumps else PATIENCE_S)
        assert ready or jumps, "everybody waits for somebody else"
        if timeout is not None and not ready:
            self.now_s += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self, clock: JumpingSelector | NetworkSelector) -> None:
        self._clock = clock
        super().__init__(clock)

    def time(self) -> float:
        return self._clock.now_s


class NetworkLoop(VirtualLoop):
    """For client and server in one loop, in which nothing takes time but to wait for a timer.

    So a test measures how long the two wait, and not how much else the machine has to do. It is
    what a test with the mark ``virtual_time`` runs on.
    """

    def __init__(self) -> None:
        self._network = NetworkSelector()
        super().__init__(self._network)

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts
    ) -> asyncio.Future[T]:
        network = self._network
        network.threads += 1
        future = super().run_in_executor(executor, func, *args)

        def end(_: object) -> None:
            network.threads -= 1

        future.add_done_callback(end)
        return future


def in_virtual_time(
    main: Callable[[], Awaitable[None]], *, late_s: Iterable[float] = itertools.repeat(0.0)
) -> None:
    async def run() -> None:
        await main()

    factory = partial(VirtualLoop, JumpingSelector(iter(late_s)))
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(run())


def irregular(most_s: float, *, seed: int = 7) -> Iterator[float]:
    """Most timers a little late, a few very."""
    chance = random.Random(seed)
    while True:
        yield most_s * chance.random() ** 4
