"""Is the rate kept, and what does a token cost? On the real clock, with asyncio and uvloop.

Each case takes its first burst, then goes on for more than the five seconds for which a rate is
promised. It ends with exit code 1 when a case is outside of one of these:

- any five seconds after the burst have the rate, to one percent or one token;
- it is never ahead of burst + qps * t by more than drips in within a millisecond, which is what
  uvloop's clock ticks in;
- a token costs less than 20 µs of CPU, from 1000/s on; on uvloop, which the commands run on.

The cases with two limits are what a run does: a token of the workload's limit starts a task, which
takes one of the run's limit. They are judged by the slower. Their CPU has that of the tasks in it,
and is not judged.

No limiter hands out tokens while the machine does something else: a case that is outside is tried
again, a few times at most, and `tries` tells how often it took. What is wrong stays wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import uvloop
from figures import Row, report

from perfscale.kube.ratelimit import RateLimiter

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from admissions import WINDOW_S, allowed_deviation, most_ahead, worst_deviation

if TYPE_CHECKING:
    from collections.abc import Callable

RATES: Final = (5, 20, 100, 1000, 5000)
LOOPS: Final[dict[str, Callable[[], asyncio.AbstractEventLoop]]] = {
    "asyncio": asyncio.new_event_loop,
    "uvloop": uvloop.new_event_loop,
}
SHIPPED: Final = "uvloop"
TICK_S: Final = 0.001
MOST_CPU_US: Final = 20.0
IN_FLIGHT: Final = 256


@dataclass(frozen=True)
class Case:
    """One rate and burst, alone or behind those of another limit.

    Attributes:
        behind: Rate and burst of the workload's limit, whose tokens come to this one.
    """

    qps: int
    burst: int
    behind: tuple[int, int] | None = None


CASES: Final = (
    *(Case(qps, burst) for qps in RATES for burst in sorted({1, max(1, qps // 10), qps})),
    Case(1000, 1, behind=(1000, 1)),
    Case(1000, 100, behind=(5000, 500)),
)


async def take(case: Case, number: int) -> list[float]:
    """Take so many tokens; return when each was there."""
    limiter = RateLimiter(case.qps, case.burst)
    times: list[float] = []
    if case.behind is None:
        for _ in range(number):
            await limiter.acquire()
            times.append(time.monotonic())
        return times

    in_flight = asyncio.Semaphore(IN_FLIGHT)

    async def one() -> None:
        await limiter.acquire()
        times.append(time.monotonic())
        in_flight.release()

    first = RateLimiter(*case.behind)
    async with asyncio.TaskGroup() as tasks:
        for _ in range(number):
            await in_flight.acquire()
            await first.acquire()
            tasks.create_task(one())
    return times


async def measure(loop: str, case: Case, seconds: float, tries: int) -> Row:
    """One case, for the so many-th time."""
    number = case.burst + max(2, round(case.qps * seconds))
    cpu_s = time.process_time()
    times = await take(case, number)
    acquired = number if case.behind is None else 2 * number
    cpu_us = (time.process_time() - cpu_s) / acquired * 1e6
    off = worst_deviation(times, qps=case.qps, burst=case.burst)
    ahead = most_ahead(times, qps=case.qps, burst=case.burst)
    outside = (
        abs(off) > allowed_deviation(case.qps)
        or ahead > case.qps * TICK_S
        or (loop == SHIPPED and case.behind is None and case.qps >= 1000 and cpu_us >= MOST_CPU_US)
    )
    return {
        "loop": loop,
        "qps": case.qps,
        "burst": case.burst,
        "behind": "{}, {}".format(*case.behind) if case.behind else "",
        "worst 5 s": off,
        "%": off / (case.qps * WINDOW_S) * 100,
        "ahead": ahead,
        "a tick": case.qps * TICK_S,
        "µs CPU/token": cpu_us,
        "tries": tries,
        "": "outside" if outside else "",
    }


def main() -> int:
    """Measure every loop, rate and burst; return 1 if one is outside of what is promised."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=1.4 * WINDOW_S, help="of each case")
    parser.add_argument("--tries", type=int, default=3, help="of a case that is outside")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    options = parser.parse_args()
    if options.seconds <= WINDOW_S:
        parser.error(f"--seconds: the rate is judged over any {WINDOW_S:g}: take more")
    rows = []
    for name, factory in LOOPS.items():
        for case in CASES:
            for tries in range(1, options.tries + 1):
                with asyncio.Runner(loop_factory=factory) as runner:
                    row = runner.run(measure(name, case, options.seconds, tries))
                if not row[""]:
                    break
            rows.append(row)
    report(rows, options.json)
    return int(any(row[""] for row in rows))


if __name__ == "__main__":
    sys.exit(main())
