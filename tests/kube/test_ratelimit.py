"""On a loop whose clock jumps from timer to timer, so that minutes take no time."""

import asyncio
import selectors
from collections.abc import Awaitable, Callable

import pytest

from perfscale.kube.ratelimit import RateLimiter

_TURN_S = 1e-7
"""Time passes in every turn of a loop; where it stood still, a timer that is due
in less than the clock can tell would be looked at for ever."""


class JumpingSelector(selectors.DefaultSelector):
    """Instead of waiting, moves the clock: to the next timer, and a bit too far."""

    def __init__(self, late_s: float) -> None:
        super().__init__()
        self.now_s = 100.0
        self._late_s = late_s

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        assert timeout is not None, "everybody waits for somebody else"
        self.now_s += _TURN_S + (timeout + self._late_s if timeout > 0 else 0)
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self, late_s: float) -> None:
        self._clock = JumpingSelector(late_s)
        super().__init__(self._clock)

    def time(self) -> float:
        return self._clock.now_s


def in_virtual_time(main: Callable[[], Awaitable[None]], *, late_s: float = 0.0) -> None:
    async def run() -> None:
        await main()

    with asyncio.Runner(loop_factory=lambda: VirtualLoop(late_s)) as runner:
        runner.run(run())


async def admissions(limiter: RateLimiter, number: int) -> list[float]:
    """When each of so many tokens was handed out, counted from the first."""
    clock = asyncio.get_running_loop().time
    times = []
    for _ in range(number):
        await limiter.acquire()
        times.append(clock())
    return [time - times[0] for time in times]


def test_a_burst_goes_at_once_and_the_rest_at_the_rate() -> None:
    async def main() -> None:
        times = await admissions(RateLimiter(20, 10), 30)
        assert times[9] == pytest.approx(0, abs=1e-4)
        assert times[10:] == pytest.approx([0.05 * n for n in range(1, 21)], abs=1e-4)

    in_virtual_time(main)


def test_without_a_rate_nobody_waits() -> None:
    async def main() -> None:
        assert await admissions(RateLimiter(0), 1000) == [0] * 1000

    in_virtual_time(main)


def test_a_burst_of_zero_is_the_rate_rounded_up() -> None:
    assert RateLimiter(2.5, 0).burst == 3
    assert RateLimiter(0.1).burst == 1


@pytest.mark.parametrize("qps", [0.5, 20, 100, 1000, 4000])
@pytest.mark.parametrize("burst", [1, 2, 50])
@pytest.mark.parametrize("late_s", [0.0, 0.0001, 0.0011])
def test_late_timers_do_not_slow_the_rate_down(qps: float, burst: int, late_s: float) -> None:
    number = burst + max(20, int(qps * 2))

    async def main() -> None:
        times = await admissions(RateLimiter(qps, burst), number)
        # Never ahead of burst + qps * t ...
        assert all(n <= burst + qps * t + 1e-6 for n, t in enumerate(times, start=1))
        # ... and never more than one percent and one token behind it.
        assert times[-1] <= (number - burst) / qps * 1.01 + 1 / qps + late_s

    in_virtual_time(main, late_s=late_s)


def test_a_pause_saves_up_no_more_than_the_burst() -> None:
    async def main() -> None:
        limiter = RateLimiter(100, 1)
        await admissions(limiter, 50)
        await asyncio.sleep(60)
        times = await admissions(limiter, 20)
        assert sum(time < 0.009 for time in times) == 1
        assert times[-1] == pytest.approx(0.19, abs=1e-4)

    in_virtual_time(main)


def test_waiters_are_served_in_the_order_they_came() -> None:
    async def main() -> None:
        limiter = RateLimiter(100, 2)
        served: list[int] = []

        async def one(number: int) -> None:
            await limiter.acquire()
            served.append(number)

        async with asyncio.TaskGroup() as tasks:
            for number in range(20):
                tasks.create_task(one(number))
                await asyncio.sleep(0.003)
        assert served == list(range(20))

    in_virtual_time(main)


def test_a_cancelled_waiter_takes_no_token() -> None:
    async def main() -> None:
        limiter = RateLimiter(10, 1)
        await limiter.acquire()
        impatient = [asyncio.create_task(limiter.acquire()) for _ in range(5)]
        patient = asyncio.create_task(admissions(limiter, 1))
        started_s = asyncio.get_running_loop().time()
        await asyncio.sleep(0.05)
        for task in impatient:
            task.cancel()
        await asyncio.wait([*impatient, patient])
        assert asyncio.get_running_loop().time() - started_s == pytest.approx(0.1, abs=1e-4)

    in_virtual_time(main)
