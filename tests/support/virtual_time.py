"""A loop whose clock jumps from timer to timer, so that minutes take no time."""

from __future__ import annotations

import asyncio
import itertools
import random
import selectors
from collections.abc import Awaitable, Callable, Iterable, Iterator

_TURN_S = 1e-7
"""Time passes in every turn of a loop; where it stood still, a timer that is due
in less than the clock can tell would be looked at for ever."""


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


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self, late_s: Iterator[float]) -> None:
        self._clock = JumpingSelector(late_s)
        super().__init__(self._clock)

    def time(self) -> float:
        return self._clock.now_s


def in_virtual_time(
    main: Callable[[], Awaitable[None]], *, late_s: Iterable[float] = itertools.repeat(0.0)
) -> None:
    async def run() -> None:
        await main()

    with asyncio.Runner(loop_factory=lambda: VirtualLoop(iter(late_s))) as runner:
        runner.run(run())


def irregular(most_s: float, *, seed: int = 7) -> Iterator[float]:
    """Most timers a little late, a few very."""
    chance = random.Random(seed)
    while True:
        yield most_s * chance.random() ** 4
