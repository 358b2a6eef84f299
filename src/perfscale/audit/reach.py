"""How far Prometheus' data reaches, and waiting until that is far enough."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from perfscale.config import format_duration
from perfscale.errors import QueryError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from perfscale.audit.prometheus import Prometheus
    from perfscale.audit.window import Window

_LAST_SCRAPES: Final = "min(timestamp(up))"
"""When the target whose last scrape is the longest ago was scraped.

Prometheus writes ``up`` with every scrape, one that failed included, and no more once it does
not scrape the target any more: https://prometheus.io/docs/concepts/jobs_instances/
"""
_POLL_EVERY_S: Final = 1.0
_NOTIFY_EVERY: Final = 5


async def data_reaches(prometheus: Prometheus) -> datetime | None:
    """The moment up to which every target has been scraped; None if nothing is scraped.

    Raises:
        PrometheusError: It cannot be queried.
        QueryError: The query failed.
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
    bound_s: float,
    notify: Callable[[str], None],
    *,
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> datetime | None:
    """Wait until every target has been scraped after a moment.

    Args:
        prometheus: Polled every second.
        end: The moment.
        bound_s: How long to wait at most, in seconds; 0 not to wait.
        notify: Gets a line every few seconds of the wait, and the warnings.
        pause: Waits for a number of seconds.
        clock: Seconds of a clock that never goes back.

    Returns:
        How far the data reaches: before ``end`` if the wait timed out; None if that cannot
        be found out.

    Raises:
        PrometheusError: It cannot be queried.
    """
    deadline = clock() + bound_s
    polls = 0
    try:
        while True:
            reached = await data_reaches(prometheus)
            left_s = max(0.0, deadline - clock())
            if reached is not None and reached > end:
                return reached
            if bound_s and polls % _NOTIFY_EVERY == 0:
                left = format_duration(round(left_s))
                notify(
                    f"waiting until Prometheus has scraped past the end of the test, up to {left}"
                )
            if not left_s:
                return reached
            polls += 1
            await pause(min(_POLL_EVERY_S, left_s))
    except QueryError as error:
        notify(f"warning: Prometheus cannot say how far its data reaches: {error}")
        return None


def reach_warnings(window: Window, reached: datetime | None, hint: str = "") -> Iterator[str]:
    """What is missing from an audit, or in it too much, because of when Prometheus scrapes.

    Args:
        window: The time of the audit.
        reached: How far the data of Prometheus reaches; None if that is not known.
        hint: What to do where it does not reach far enough.
    """
    if reached is None:
        yield "warning: Prometheus knows no scrape (up): how far its data reaches is not known"
    elif reached <= window.end:
        short = format_duration(round((window.end - reached).total_seconds(), 1))
        yield (
            f"warning: the data of Prometheus reaches until {reached:%H:%M:%S} UTC, {short} before "
            f"the end of the test: what came later is not counted{hint}"
        )
    if window.before_s:
        before = format_duration(round(window.before_s, 1))
        yield (
            f"note: the test was shorter than 10 scrapes: rates and counts are taken over "
            f"{format_duration(window.range_s)}, and {before} before the test are in them"
        )
