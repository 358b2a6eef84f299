"""Statistics of one latency."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from perfscale.config.sections.metrics import PERCENTILES

if TYPE_CHECKING:
    from collections.abc import Mapping

QUANTILES: Final[Mapping[str, float]] = {
    name.replace(".", ""): quantile for name, quantile in PERCENTILES.items()
}
"""The percentiles of a latency by the names of their attributes: ``p999`` is the one for 0.999."""


@dataclass(frozen=True, slots=True)
class Earliest:
    """The same statistics if everything that is uncertain had come as early as it may have.

    Attributes:
        uncertain: Number of samples that may be shorter: what they measure was
            seen right after a time in which nothing was.
    """

    uncertain: int
    p50: float | None
    p90: float | None
    p95: float | None
    p99: float | None
    p999: float | None
    max: float | None


def say_not_waited_for(count: int, least_s: float, most_s: float) -> str:
    """What a `NotWaitedFor` means, for a person."""
    lasted = " to ".join(dict.fromkeys(f"{each:.1f}" for each in (least_s, most_s)))
    return (
        f"{count} missing although ready, within {lasted} s until deleted or last seen: "
        "nothing waits for it, as readyWhen would"
    )


@dataclass(frozen=True, slots=True)
class NotWaitedFor:
    """Objects that were ready and did not come to a milestone, which nothing waits for.

    Attributes:
        count: How many.
        min: For how many seconds the one was there, once it was ready, that had the least time:
            until it was asked to go or, of what stays, until the last event of its kind.
        max: The same of the one that had the most.
    """

    count: int
    min: float
    max: float

    def __str__(self) -> str:
        """What that means, for a person."""
        return say_not_waited_for(self.count, self.min, self.max)


@dataclass(frozen=True, slots=True)
class LatencySummary:
    """Statistics of one latency, in seconds.

    Attributes:
        count: Number of objects that got there.
        missing: Number that did not, although they should have; each counts
            as longer than every sample.
        min: Shortest; None without a sample.
        p50: Median, and so on for the other percentiles (``p999`` is the one
            for 0.999); None where the percentile falls among the missing.
        max: Longest; None if anything is missing.
        mean: Arithmetic mean; None if anything is missing.
        earliest: How much shorter they may be; None if every sample is certain.
        not_waited_for: Who of the missing was ready, of a milestone, which nothing waits for; None
            if nobody was.
    """

    count: int
    missing: int
    min: float | None
    p50: float | None
    p90: float | None
    p95: float | None
    p99: float | None
    p999: float | None
    max: float | None
    mean: float | None
    earliest: Earliest | None = None
    not_waited_for: NotWaitedFor | None = None


@dataclass(frozen=True, slots=True)
class PhaseStep:
    """Seconds that objects spent in one phase until the client saw them in the next."""

    before: str
    after: str
    duration: LatencySummary


@dataclass(frozen=True, slots=True)
class WatchDelay:
    """Seconds until a watch reported an object, after the server had stored it.

    It stored it some time between the create request and its answer, so the
    delay lies between the two.

    Attributes:
        at_least: From the answer to the event; 0 where the event came first.
        at_most: From the request to the event.
    """

    at_least: LatencySummary
    at_most: LatencySummary
