"""The token bucket that paces requests and creates.

The bucket is aiolimiter's, which knows how many tokens there are. The waiting
is done here, for three reasons:

- Waiters take turns, first come first served: a caller that finds a token by
  chance does not overtake those who wait.
- aiolimiter sets a timer for the moment at which a token drips in. The timers
  of uvloop tick in milliseconds: below that its bucket is asked again and
  again, which takes a whole core. And waking up costs more than all else that
  a token costs. Here nobody sleeps for less than ``_TICK_S``, and whoever wakes
  finds all the tokens of that time.
- Time that a late timer would lose is given back. A bucket that is full while
  somebody sleeps spills what drips in: with a burst of 1 at 1000/s and timers
  that are a tenth of a millisecond late, that is every tenth token. The time
  that the bucket stood full while somebody waited is owed, and paid back as
  soon as it makes up a token. No more than burst + qps * t tokens are ever
  handed out in the t seconds since the start; within a shorter window there
  may be as many more as drip in during ``_MOST_OWED_S``, or one.
"""

from __future__ import annotations

import asyncio
import math
from typing import Final

from aiolimiter import AsyncLimiter

_TICK_S: Final = 0.005
"""The shortest sleep. libuv's timers, and with them uvloop's, count in milliseconds:
https://docs.libuv.org/en/v1.x/timer.html"""
_MOST_OWED_S: Final = 0.05
"""A hundredth of 5 s: what a rate may be off by over that time."""


class RateLimiter:
    """Admits ``qps`` callers a second after the first ``burst``.

    Belongs to the event loop it is first used in.

    Args:
        qps: Tokens a second; 0 admits everybody at once.
        burst: Tokens that a rested bucket holds; 0 means ``qps``, rounded up.
    """

    def __init__(self, qps: float, burst: int = 0) -> None:
        self.qps = qps
        self.burst = burst or max(1, math.ceil(qps))
        self._turn = asyncio.Lock()
        self._bucket = AsyncLimiter(self.burst, self.burst / qps) if qps > 0 else None
        self._interval_s = 1 / qps if qps > 0 else 0.0
        self._most_owed_s = max(self._interval_s, _MOST_OWED_S)
        self._full_at_s = -math.inf
        self._owed_s = 0.0

    async def acquire(self) -> None:
        """Wait for a token, and take it. Cancellation takes none."""
        if self._bucket is None:
            return
        async with self._turn:
            if self._owed_s >= self._interval_s:
                self._owed_s -= self._interval_s
                return
            if not self._bucket.has_capacity():
                await self._wait(self._bucket)
            await self._bucket.acquire()  # there is one: it returns at once
            now_s = asyncio.get_running_loop().time()
            self._full_at_s = max(self._full_at_s, now_s) + self._interval_s

    async def _wait(self, bucket: AsyncLimiter) -> None:
        """Sleep until there is a token."""
        clock = asyncio.get_running_loop().time
        token_at_s = self._full_at_s - (self.burst - 1) * self._interval_s
        while not bucket.has_capacity():  # noqa: ASYNC110 -- what it waits for is the time
            await asyncio.sleep(max(token_at_s - clock(), _TICK_S))
        overslept_s = clock() - self._full_at_s
        if overslept_s > 0:
            self._owed_s = min(self._owed_s + overslept_s, self._most_owed_s)
