"""Is the rate kept, and what does a token cost? On the real clock, with asyncio and uvloop.

Each case takes its first burst, then goes on for five seconds and more. The rate is over those;
`ahead` is by how many tokens the limiter was ever ahead of burst + qps * t.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import uvloop
from figures import Row, report

from perfscale.kube.ratelimit import RateLimiter

if TYPE_CHECKING:
    from collections.abc import Callable

RATES: Final = (5, 20, 100, 1000, 5000)
LOOPS: Final[dict[str, Callable[[], asyncio.AbstractEventLoop]]] = {
    "asyncio": asyncio.new_event_loop,
    "uvloop": uvloop.new_event_loop,
}


async def measure(loop: str, qps: int, burst: int, seconds: float) -> Row:
    """One case."""
    limiter = RateLimiter(qps, burst)
    instants = []
    number = burst + max(2, round(qps * seconds))
    cpu_s, started_s = time.process_time(), time.monotonic()
    for _ in range(number):
        await limiter.acquire()
        instants.append(time.monotonic() - started_s)
    cpu_s = time.process_time() - cpu_s
    achieved = (number - burst) / (instants[-1] - instants[burst - 1])
    ahead = max(n - burst - qps * at for n, at in enumerate(instants, start=1))
    return {
        "loop": loop,
        "qps": qps,
        "burst": burst,
        "achieved": achieved,
        "off by %": (achieved / qps - 1) * 100,
        "ahead": max(0.0, ahead),
        "µs CPU/token": cpu_s / number * 1e6,
    }


def main() -> None:
    """Measure every loop, rate and burst."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each case")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    options = parser.parse_args()
    rows = []
    for name, factory in LOOPS.items():
        for qps in RATES:
            for burst in sorted({1, max(1, qps // 10), qps}):
                with asyncio.Runner(loop_factory=factory) as runner:
                    rows.append(runner.run(measure(name, qps, burst, options.seconds)))
    report(rows, options.json)


if __name__ == "__main__":
    main()
