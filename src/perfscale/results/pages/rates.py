"""How often something happened, interval by interval."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from perfscale.results.records import ObjectRecord

_WIDTHS_S: Final = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)
_MOST_INTERVALS: Final = 150


class Rates:
    """Creates that were due, creates sent, and deletions seen, a second.

    A create is due when its turn comes by the target rate, whether or not the
    run kept up: so offered and achieved load stand side by side.

    Attributes:
        width_s: Of an interval.
        starts_s: When each interval begins, in seconds since the run's start.
    """

    def __init__(self, duration_s: float) -> None:
        fitting = (width for width in _WIDTHS_S if duration_s / width <= _MOST_INTERVALS)
        self.width_s = next(fitting, _WIDTHS_S[-1])
        self.starts_s = list(range(0, int(duration_s) + 1, self.width_s))
        self._happened: dict[str, Counter[int]] = {
            name: Counter() for name in ("due by the target rate", "creates sent", "seen gone")
        }

    def add(self, record: ObjectRecord) -> None:
        """Count one object."""
        times = (record.scheduled_s, record.sent_s, record.deleted_s)
        for happened, at_s in zip(self._happened.values(), times, strict=True):
            if at_s is not None:
                happened[min(int(at_s // self.width_s), len(self.starts_s) - 1)] += 1

    def rates(self) -> dict[str, list[float]]:
        """What happened in each interval, divided by its width."""
        return {
            name: [happened[index] / self.width_s for index in range(len(self.starts_s))]
            for name, happened in self._happened.items()
        }
