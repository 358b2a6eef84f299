"""Decides whether and when a request is sent again. Pure: the client does the waiting."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from perfscale.errors import NotServedError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from perfscale.errors import ApiError
    from perfscale.kube.stats import RequestStats

_FIRST_S: Final = 0.2
_LONGEST_S: Final = 10.0
_SERVER_ERROR_ATTEMPTS: Final = 6
"""A 500 is as often one object's fault (an admission webhook that fails on it)
as the server's, so it is not retried for as long as an outage."""

NOT_SERVED_S: Final = 60.0
"""How long a kind, or a permission, that was there before may be missing. An API server that has
just started does not serve custom resources before it has read their definitions, and permits
nothing to anybody before it has read the roles."""

_NOTABLE_S: Final = 1.0

UNAVAILABLE: Final = frozenset({502, 503, 504})
"""What a load balancer answers for an API server that is not there."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Time and chance, so that tests need neither.

    Attributes:
        clock: Monotonic seconds.
        sleep: Waits a number of seconds.
        random: Uniform in [0, 1).
    """

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    random: Callable[[], float] = random.random


class Backoff:
    """Exponential backoff with full jitter.

    Full jitter spreads clients that failed together best:
    https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    """

    __slots__ = ("_failures", "_random")

    def __init__(self, chance: Callable[[], float]) -> None:
        self._random = chance
        self._failures = 0

    def next_s(self) -> float:
        """Seconds to wait after one more failure."""
        ceiling_s = min(_LONGEST_S, _FIRST_S * 2.0 ** min(self._failures, 16))
        self._failures += 1
        return ceiling_s * self._random()

    def reset(self) -> None:
        """Begin again after a success."""
        self._failures = 0


class Outage:
    """Whether the server is gone: the time since the first failure without a success.

    Args:
        clock: Monotonic seconds.
        stats: Where those that count are counted. An outage counts if no
            connection could be made, or if nothing succeeded for a second or
            longer: a single lost answer among others that arrive is none.

    Attributes:
        reached: Whether there ever was a success.
    """

    __slots__ = ("_clock", "_counted", "_counted_to_s", "_since_s", "_stats", "reached")

    def __init__(self, clock: Callable[[], float], stats: RequestStats | None = None) -> None:
        self._clock = clock
        self._stats = stats
        self._since_s: float | None = None
        self._counted = False
        self._counted_to_s = 0.0
        self.reached = False

    def end(self) -> None:
        """Something succeeded."""
        self.reached = True
        if self._since_s is not None:
            self._count(self._clock(), connecting=False)
            self._since_s = None

    def lasted_s(self, *, connecting: bool = False) -> float:
        """Something failed: since how many seconds nothing has succeeded.

        ``connecting`` says that there was not even a connection.
        """
        now_s = self._clock()
        if self._since_s is None:
            self._since_s = self._counted_to_s = now_s
            self._counted = False
        self._count(now_s, connecting=connecting)
        return now_s - self._since_s

    def _count(self, now_s: float, *, connecting: bool) -> None:
        if self._stats is None or self._since_s is None:
            return
        if not self._counted:
            self._counted = connecting or now_s - self._since_s >= _NOTABLE_S
            self._stats.outages += self._counted
        if self._counted:
            self._stats.outage_seconds += now_s - self._counted_to_s
            self._counted_to_s = now_s


class Patience:
    """How long one request is tried."""

    __slots__ = (
        "_absence",
        "_attempts",
        "_backoff",
        "_bound_s",
        "_server_errors",
        "_timing",
        "_until_s",
    )

    def __init__(self, timing: Timing, bound_s: float) -> None:
        self._timing = timing
        self._bound_s = bound_s
        self._until_s = timing.clock() + bound_s
        self._backoff = Backoff(timing.random)
        self._absence = Outage(timing.clock)
        self._attempts = 0
        self._server_errors = 0

    def after_answer(self, error: ApiError) -> float | None:
        """Seconds to wait before the request is sent again; None to give up.

        429, 502, 503 and 504, and whatever names a time to come back, are
        tried until the bound; a kind that is not served, and what was allowed
        before and is refused now, for `NOT_SERVED_S`; other 5xx a few times,
        whatever else came in between; other 4xx never.
        """
        self._attempts += 1
        status = error.status or 0
        if isinstance(error, NotServedError) or error.may_pass:
            left_s = min(NOT_SERVED_S, self._bound_s) - self._absence.lasted_s()
            delay_s = self._backoff.next_s()
            return delay_s if delay_s <= left_s else None
        if status < 500 and status != 429:
            return None
        delay_s = error.retry_after_s or 0.0
        if error.retry_after_s is None and status not in UNAVAILABLE and status != 429:
            self._server_errors += 1
            if self._server_errors >= _SERVER_ERROR_ATTEMPTS:
                return None
        delay_s += self._backoff.next_s()
        return delay_s if self._timing.clock() + delay_s <= self._until_s else None

    def after_silence(self, outage_s: float) -> float | None:
        """Seconds to wait after a lost connection or a timeout; None to give up.

        The last try is at the end of the bound, not before it.

        Args:
            outage_s: How long nothing has succeeded, for any request.
        """
        self._attempts += 1
        left_s = min(self._until_s - self._timing.clock(), self._bound_s - outage_s)
        if left_s <= 0 and self._attempts > 1:
            return None
        return min(self._backoff.next_s(), max(left_s, 0.0))
