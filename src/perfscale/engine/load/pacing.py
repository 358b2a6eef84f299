"""A schedule together with what holds requests back to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from perfscale.engine.load.schedule import Constant
from perfscale.kube.ratelimit import RateLimiter

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from perfscale.engine.load.schedule import Schedule


@dataclass(frozen=True, slots=True)
class Pacing:
    """How the requests of an iteration follow each other.

    A dispatcher calls ``schedule.begin``, then for each request ``schedule.next_due`` and
    ``admit``; when nothing more is due, it is done.

    Attributes:
        schedule: When each is due.
        admit: Waits until the one that is due then, in seconds of the run, may go. Cancelled, it
            admits nothing.
    """

    schedule: Schedule
    admit: Callable[[float], Awaitable[None]]

    @classmethod
    def at_rate(cls, qps: float, burst: int) -> Self:
        """One rate: ``qps`` a second after the first ``burst``; 0 is no limit."""
        limiter = RateLimiter(qps, burst)
        return cls(Constant(qps, burst), lambda _: limiter.acquire())
