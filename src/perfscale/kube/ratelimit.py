"""The token bucket that paces requests and creates.

The bucket is aiolimiter's. Two things are added around it:

- Waiters take turns, first come first served: a caller that finds a token by
  chance does not overtake those who wait.
- Time that a late timer would lose is given back. A timer wakes a waiter some
  tenths of a millisecond late, and a bucket that is full meanwhile spills what
  drips in: with a burst of 1 at 1000/s that is every tenth token. The time that
  the bucket stood full while somebody waited is owed, and paid back as soon as
  it makes up a token. No more than burst + qps * t tokens are ever handed out
  in the t seconds since the start; within a shorter window there may be as many
  more as drip in during ``_MOST_OWED_S``, or one.
"""

from __future__ import annotations

import asyncio
import math
from typing import Final

from aiolimiter import AsyncLimiter

_MOST_OWED_S: Final = 0.02


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
        self._full_at_s = -math.inf
        self._owed_s = 0.0

    async def acquire(self) -> None:
        """Wait for a token, and take it. Cancellation takes none."""
        if self._bucket is None:
            return
        clock = asyncio.get_running_loop().time
        async with self._turn:
            if self._owed_s >= self._interval_s:
                self._owed_s -= self._interval_s
                return
            arrived_s = clock()
            await self._bucket.acquire()
            now_s = clock()
            if arrived_s <= self._full_at_s < now_s:
                most_s = max(self._interval_s, _MOST_OWED_S)
                self._owed_s = min(self._owed_s + now_s - self._full_at_s, most_s)
            self._full_at_s = max(self._full_at_s, now_s) + self._interval_s
