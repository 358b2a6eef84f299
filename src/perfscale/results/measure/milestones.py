"""Who was ready and did not come to a milestone, and for how long they were there.

No object has to come to a milestone, and none is waited for: the run asks objects to go, or ends,
as soon as they are ready. The last to be ready has the least time, so that those who had none are
the slowest, as a rule: they are missing like the others, or percentiles would be too good.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from perfscale.config.sections.metrics import MILESTONES_OF
from perfscale.results.model.latency import NotWaitedFor

if TYPE_CHECKING:
    from perfscale.results.model.records import ObjectRecord


@dataclass(slots=True)
class _Spread:
    count: int = 0
    least: float = math.inf
    most: float = -math.inf

    def take(self, seconds: float) -> None:
        self.count += 1
        if seconds < self.least:
            self.least = seconds
        if seconds > self.most:
            self.most = seconds

    def add(self, other: _Spread) -> None:
        self.count += other.count
        self.least = min(self.least, other.least)
        self.most = max(self.most, other.most)


class MilestoneTimes:
    """For how long objects of one kind were there once they were ready, and came to none."""

    __slots__ = ("_gone", "_last_s", "_staying")

    def __init__(self) -> None:
        self._gone: defaultdict[str, _Spread] = defaultdict(_Spread)
        self._staying: defaultdict[str, _Spread] = defaultdict(_Spread)
        self._last_s = 0.0

    def measure(self, record: ObjectRecord, ready_s: float, until_s: float | None) -> None:
        """Take an object that was ready; ``until_s`` is when it was asked to go, if it was."""
        milestones = MILESTONES_OF.get(record.kind)
        if milestones is None:
            return
        seen = record.phases_s
        if until_s is None:
            self._last_s = max(self._last_s, ready_s, *seen.values())
        for name in milestones:
            if name in seen:
                continue
            if until_s is None:
                self._staying[name].take(ready_s)
            else:
                self._gone[name].take(max(0.0, until_s - ready_s))

    def add(self, other: MilestoneTimes) -> None:
        """Count everything that ``other`` counted."""
        self._last_s = max(self._last_s, other._last_s)
        for into, more in ((self._gone, other._gone), (self._staying, other._staying)):
            for name, spread in more.items():
                into[name].add(spread)

    def not_waited_for(self, name: str) -> NotWaitedFor | None:
        """Who did not come to a milestone although they were ready; None if all did.

        What stays in the cluster was there until the last that was seen of any that stays.
        """
        found = _Spread()
        found.add(self._gone.get(name, found))
        if (staying := self._staying.get(name)) is not None:
            least_s, most_s = self._last_s - staying.most, self._last_s - staying.least
            found.add(_Spread(staying.count, least_s, most_s))
        return NotWaitedFor(found.count, found.least, found.most) if found.count else None
