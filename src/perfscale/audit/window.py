"""Which samples a query takes: the rules of ranges and offsets, in one place.

Prometheus knows a counter only at its scrapes. What a test added to one is seen between the
last scrape before the test's start and the first one after its end, and each of these may be
up to one scrape interval away from it::

                 start                    end
    scrapes  |     :   |         |         : |         |
             <-----------  increase  -------->
        <- interval ->              <- interval ->
        [-------------------- range -------------------]

So the range begins one interval before the start and ends one after the end, and has all of
the test in it. Nothing is waited for: where the scrape after the end has not happened yet, the
answer lacks the last interval, which is for the caller to know (`perfscale.audit.reach`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

LEAST_SCRAPES: Final = 10
"""The scrapes that a range spans at least.

``rate()`` and ``increase()`` extrapolate from the first and last sample in the range to its
ends (https://prometheus.io/docs/prometheus/latest/querying/functions/#increase): the fewer the
samples, the more is guessed. A shorter test's range is stretched back into the past.
"""
_RATE_SCRAPES: Final = 4
"""What the rate at a moment is taken over: one scrape may be late, or fail."""
_MOST_POINTS: Final = 1000
"""Of a series over time; Prometheus gives no more than 11 000."""


@dataclass(frozen=True)
class Window:
    """The time of a test.

    Attributes:
        start: When it began.
        end: When it was over; queries are evaluated at this moment.
        scrape_interval_s: How often Prometheus scrapes, in seconds.
    """

    start: datetime
    end: datetime
    scrape_interval_s: float

    @property
    def duration_s(self) -> float:
        """How long the test was, in seconds."""
        return (self.end - self.start).total_seconds()

    @property
    def range_s(self) -> int:
        """How far back from its end a range reaches, in whole seconds: ``$range``."""
        whole_test_s = self.duration_s + 2 * self.scrape_interval_s
        return math.ceil(max(whole_test_s, LEAST_SCRAPES * self.scrape_interval_s))

    @property
    def offset_s(self) -> int:
        """How long before the test's end a range ends: ``$offset``, one interval after it.

        A negative offset looks forward. Prometheus does that since 2.33.
        """
        return -math.ceil(self.scrape_interval_s)

    @property
    def step_s(self) -> int:
        """The distance between the points of a series over time: ``$step``."""
        return math.ceil(max(self.scrape_interval_s, self.duration_s / _MOST_POINTS, 1))

    @property
    def before_s(self) -> float:
        """By how much a range was stretched back, to span enough scrapes, in seconds."""
        return max(0.0, (LEAST_SCRAPES - 2) * self.scrape_interval_s - self.duration_s)

    def variables(self) -> dict[str, str]:
        """What stands for the window in a query, as PromQL writes durations."""
        rate_s = math.ceil(_RATE_SCRAPES * self.scrape_interval_s)
        return {
            "range": f"{self.range_s}s",
            "offset": f"{self.offset_s}s",
            "step": f"{self.step_s}s",
            "rateInterval": f"{rate_s}s",
            "duration": f"{math.ceil(self.duration_s)}s",
        }

    @classmethod
    def ending(cls, end: datetime, duration_s: float, scrape_interval_s: float) -> Window:
        """The window of a length that ends at a moment."""
        return cls(end - timedelta(seconds=duration_s), end, scrape_interval_s)


VARIABLES: Final = frozenset({"range", "offset", "step", "rateInterval", "duration"})
"""The names of a window's variables."""
