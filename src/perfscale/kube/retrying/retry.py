"""Decides whether and when a request is sent again. Pure: the client does the waiting."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from perfscale.errors import ConflictError, DependencyError, IllegibleError, NotServedError
from perfscale.kube.retrying.outages import Outage

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from perfscale.errors import ApiError

_FIRST_S: Final = 0.2
_LONGEST_S: Final = 10.0
_SHORTEST_S: Final = 0.02
"""Whatever the server asks for and however the dice fall: nothing may be a hot loop."""
_ROUNDING_S: Final = 1e-3
_SERVER_ERROR_ATTEMPTS: Final = 6
"""A 500 is as often one object's fault (an admission webhook that fails on it)
as the server's, so it is not retried for as long as an outage."""

NOT_SERVED_S: Final = 60.0
"""How long a kind, or a permission, that was there before may be missing. An API server that has
just started does not serve custom resources before it has read their definitions, and permits
nothing to anybody before it has read the roles."""

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

    def __init__(self, chance: Callable[[], float]) -> None:
        self._random = chance
        self._failures = 0

    def next_s(self) -> float:
        """Seconds to wait after one more failure."""
        ceiling_s = min(_LONGEST_S, _FIRST_S * 2.0 ** min(self._failures, 16))
        self._failures += 1
        return max(_SHORTEST_S, ceiling_s * self._random())

    def reset(self) -> None:
        """Begin again after a success."""
        self._failures = 0


class Patience:
    """How long one request is tried."""

    def __init__(self, timing: Timing, bound_s: float) -> None:
        self._timing = timing
        self._bound_s = bound_s
        self._until_s = timing.clock() + bound_s
        self._backoff = Backoff(timing.random)
        self._absence = Outage(timing.clock)
        self._attempts = 0
        self._server_errors = 0

    def after_answer(
        self, error: ApiError, outage_s: float = 0.0, *, creating: bool = False
    ) -> float | None:
        """Seconds to wait before the request is sent again; None to give up.

        429, 502, 503 and 504, a webhook or a server that the API server cannot call,
        and whatever names a time to come back, are tried until the bound, the last
        time at its end. So is a create that met a conflict: it does not change
        anything that is there, so the conflict is another's, over a quota's counter.
        A kind that is not served, and what went well before and does not now, are
        tried for `NOT_SERVED_S`; other 5xx, and what cannot be read, a few times, whatever
        else came in between; other 4xx never.

        Args:
            error: The answer.
            outage_s: How long nothing has succeeded, for any request, if it says that the
                server is not there.
            creating: Whether the request is a create.
        """
        self._attempts += 1
        if isinstance(error, NotServedError) or error.may_pass:
            left_s = min(NOT_SERVED_S, self._bound_s) - self._absence.lasted_s()
            delay_s = self._backoff.next_s()
            return delay_s if delay_s <= left_s else None
        status = error.status or 0
        conflict = creating and isinstance(error, ConflictError)
        illegible = isinstance(error, IllegibleError)
        if status < 500 and status != 429 and not (conflict or illegible):
            return None
        if not (conflict or _passes(error)):
            self._server_errors += 1
            if self._server_errors >= _SERVER_ERROR_ATTEMPTS:
                return None
        if error.status in UNAVAILABLE:
            self._absence.end()
        return self._within(outage_s, error.retry_after_s or 0.0)

    def after_silence(self, outage_s: float) -> float | None:
        """Seconds to wait after a lost connection or a timeout; None to give up.

        The last try is at the end of the bound, not before it.

        Args:
            outage_s: How long nothing has succeeded, for any request.
        """
        self._attempts += 1
        self._absence.end()
        return self._within(outage_s)

    def is_over(self, outage_s: float) -> bool:
        """Whether an outage has taken all the time that there is for one."""
        return outage_s > 0 and outage_s >= self._bound_s - _ROUNDING_S

    def _within(self, outage_s: float, retry_after_s: float = 0.0) -> float | None:
        left_s = min(self._until_s - self._timing.clock(), self._bound_s - outage_s)
        if left_s <= _ROUNDING_S and self._attempts > 1:
            return None
        return min(retry_after_s + self._backoff.next_s(), max(left_s, _SHORTEST_S))


def _passes(error: ApiError) -> bool:
    """Whether it is about the server and not about the request."""
    return (
        error.retry_after_s is not None
        or error.status == 429
        or error.status in UNAVAILABLE
        or isinstance(error, DependencyError)
    )
