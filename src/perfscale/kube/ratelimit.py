"""The token bucket that paces requests and creates.

The bucket is aiolimiter's, which knows how many tokens there are. The waiting
is done here, for three reasons:

- Waiters take turns, first come first served: a caller that finds a token by
  chance does not overtake those who wait.
- aiolimiter sets a timer for the moment at which a token drips in. The timers
  of uvloop tick in milliseconds: below that its bucket is asked again and
  again, which takes a whole core. And waking up costs more than all else that
  a token costs. Here nobody sleeps for less than ``SHORTEST_SLEEP_S``, and whoever wakes
  finds all the tokens of that time.
- A rate that loses what a late timer spills is too low: with a burst of 1 at
  1000/s and timers that are a tenth of a millisecond late, that is every tenth
  token. So the bucket is deeper than the burst by what drips in during
  ``_TICK_S``: room for those who keep asking, which one who stayed away for
  longer does not find filled. What spills all the same while somebody waits is
  owed, and counts towards the next tokens.

What that promises to those who keep asking, t seconds after the first token:

- No more than burst + qps * t tokens were ever handed out, because what is owed
  has spilled before. Within a shorter window there may be more by what drips in
  during ``_TICK_S``, and by what late timers have spilled before.
- No fewer either, but for less than one token, for what drips in while somebody sleeps
  (``SHORTEST_SLEEP_S``, and as long as the timer is late), and for what spilled while
  nobody waited or was more than ``_MOST_OWED_S`` makes up.
- So the tokens of any window after the burst, of whatever length, are off from qps times
  its length by no more than 1 + qps * (``SHORTEST_SLEEP_S`` + the lateness of timers): by
  what is due and not handed out at one of its ends.

Two limits, one after the other, keep the promise of the slower.

Where a schedule says when each request is due, because its rate moves or its requests come at
random, `DueLimiter` holds each back until then. A bucket would do wrong there: one that is no
deeper than a rate needs delays what comes close together at random, and one that is deeper lets a
rate that falls be exceeded. So the schedule alone says how many there are in a time, and the
limiter, that none goes before its time and that what is late does not come all at once.
"""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Final

from aiolimiter import AsyncLimiter

if TYPE_CHECKING:
    from collections.abc import Callable

SHORTEST_SLEEP_S: Final = 0.01
"""The shortest sleep. libuv's timers, and with them uvloop's, count in milliseconds:
https://docs.libuv.org/en/v1.x/timer.html"""
_TICK_S: Final = 1.5 * SHORTEST_SLEEP_S
"""A sleep and half as much again for the lateness of its timer: nothing spills within it."""
_MOST_OWED_S: Final = 1.0
"""How long a process may be held up without a loss. More than that is a process that was stopped,
and the cluster is not to get it all at once."""


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
        self._depth = self.burst + qps * _TICK_S
        self._bucket = AsyncLimiter(self._depth, self._depth / qps) if qps > 0 else None
        self._interval_s = 1 / qps if qps > 0 else 0.0
        self._most_owed_s = max(self._interval_s, _MOST_OWED_S)
        self._wanted_s = -math.inf
        self._full_at_s = -math.inf
        self._owed_s = 0.0

    async def acquire(self) -> None:
        """Wait for a token, and take it. Cancellation takes none."""
        bucket = self._bucket
        if bucket is None:
            return
        clock = asyncio.get_running_loop().time
        asked_s = clock()
        async with self._turn:
            if asked_s - self._wanted_s > _TICK_S:
                await self._start_afresh(bucket, asked_s)
            missing = self._missing()
            if not bucket.has_capacity(missing):
                await self._wait(bucket, missing)
                missing = self._missing()
            await bucket.acquire(missing)  # which are there, so that it returns at once
            now_s = self._wanted_s = clock()
            self._full_at_s = max(self._full_at_s, now_s) + missing * self._interval_s
            if missing < 1:
                self._owed_s -= (1 - missing) * self._interval_s

    async def _start_afresh(self, bucket: AsyncLimiter, now_s: float) -> None:
        """Leave the burst to one who has not asked for a while, and no more."""
        self._owed_s = 0.0
        surplus_s = _TICK_S - max(0.0, self._full_at_s - now_s)
        if surplus_s > 0:
            await bucket.acquire(surplus_s * self.qps)
            self._full_at_s = max(self._full_at_s, now_s) + surplus_s

    def _missing(self) -> float:
        """What a token takes from the bucket: all of it but for what is owed."""
        return max(0.0, 1 - self._owed_s * self.qps) if self._owed_s else 1.0

    async def _wait(self, bucket: AsyncLimiter, missing: float) -> None:
        """Sleep until so much is there, and note what spilled meanwhile."""
        clock = asyncio.get_running_loop().time
        token_at_s = self._full_at_s - (self._depth - missing) * self._interval_s
        try:
            while not bucket.has_capacity(missing):  # noqa: ASYNC110 -- it waits for the time
                await asyncio.sleep(max(token_at_s - clock(), SHORTEST_SLEEP_S))
        finally:
            self._wanted_s = clock()
            spilled_s = max(0.0, self._wanted_s - self._full_at_s)
            self._owed_s = min(self._owed_s + spilled_s, self._most_owed_s)
            self._full_at_s += spilled_s


class DueLimiter:
    """Admits callers when they are due, in the order in which they come.

    What it promises of any schedule, with A(t) for how many are due by t:

    - No more than A(t) were ever admitted by t, so that from the beginning on there are never more
      than the integral of the rate.
    - One that comes in time is admitted no later than ``shortest_sleep_s`` after it is due, but
      for the lateness of the timer.
    - What is late, because the process was held up or all places in flight were taken, goes at
      once as far as it is late by up to ``MOST_LATE_S``. Where it is later than that, everything
      that follows is put off by the rest: the schedule goes on as it would have, and a window of
      time has no more than the same window of the schedule and what is due in ``MOST_LATE_S``.

    Belongs to the event loop it is used in.

    Args:
        clock: Seconds, on the clock of the schedule.
        shortest_sleep_s: Nobody sleeps for less: whoever wakes lets everybody go who is due.
    """

    MOST_LATE_S: Final = _MOST_OWED_S

    def __init__(
        self, clock: Callable[[], float], shortest_sleep_s: float = SHORTEST_SLEEP_S
    ) -> None:
        self._clock = clock
        self._shortest_sleep_s = shortest_sleep_s
        self._put_off_s = 0.0

    def restart(self) -> None:
        """Forget what was late until now: what follows is put off by nothing."""
        self._put_off_s = 0.0

    async def acquire(self, due_s: float) -> None:
        """Wait until the next one may go, which is due at ``due_s``."""
        now_s = self._clock()
        self._put_off_s = max(self._put_off_s, now_s - due_s - self.MOST_LATE_S)
        while (left_s := due_s + self._put_off_s - now_s) > 0:
            await asyncio.sleep(max(left_s, self._shortest_sleep_s))
            now_s = self._clock()
