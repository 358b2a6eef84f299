"""How far Prometheus' data reaches, and waiting until that is far enough."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from perfscale.errors import QueryError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from perfscale.audit.prometheus import Prometheus

_LAST_SCRAPES: Final = "min(timestamp(up))"
"""When the target whose last scrape is the longest ago was scraped.

Prometheus writes ``up`` with every scrape, one that failed included, and no more once it does
not scrape the target any more: https://prometheus.io/docs/concepts/jobs_instances/
"""
_ASK_EVERY_S: Final = 1.0
_TELL_EVERY: Final = 5


async def data_reaches(prometheus: Prometheus) -> datetime | None:
    """The moment up to which every target has been scraped; None if nothing is scraped.

    Raises:
        PrometheusError: It cannot be asked.
        QueryError: It cannot say.
    """
    answer = await prometheus.at(_LAST_SCRAPES, datetime.now(UTC))
    if not answer:
        return None
    moment_s = answer[0].points[-1][1]
    try:
        return datetime.fromtimestamp(moment_s, UTC)
    except (ValueError, OverflowError, OSError):
        raise QueryError(f"{moment_s:g} is not a time") from None


async def wait_until_scraped(
    prometheus: Prometheus,
    end: datetime,
    *,
    bound_s: float,
    tell: Callable[[float], None],
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> datetime | None:
    """Wait until every target has been scraped after a moment.

    Args:
        prometheus: Whom to ask, every second.
        end: The moment.
        bound_s: How long to wait at most, in seconds.
        tell: Called every few seconds with the seconds that are left.
        pause: Waits for a number of seconds.
        clock: Seconds of a clock that never goes back.

    Returns:
        How far the data reaches; before ``end`` if the bound was reached first.

    Raises:
        PrometheusError: It cannot be asked.
        QueryError: It cannot say.
    """
    deadline = clock() + bound_s
    asked = 0
    while True:
        reached = await data_reaches(prometheus)
        if reached is not None and reached > end:
            return reached
        left_s = max(0.0, deadline - clock())
        if asked % _TELL_EVERY == 0:
            tell(left_s)
        if not left_s:
            return reached
        asked += 1
        await pause(min(_ASK_EVERY_S, left_s))
