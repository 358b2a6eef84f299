"""Of who is missing from a milestone, who had no time to come to it.

No object has to come to a milestone, and none is waited for: the run asks objects to go, or ends,
as soon as they are ready. The last to be ready has the least time, so that those who had none are
the slowest, as a rule: they are missing like the others, or percentiles would be too good.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

from perfscale.config.sections.metrics import MILESTONES_OF

if TYPE_CHECKING:
    from perfscale.results.model.records import ObjectRecord


class MilestoneTimes:
    """For how long objects of one kind were there, after they were ready.

    Eight bytes for each milestone that an object did not come to.
    """

    __slots__ = ("_gone", "_last_s", "_longest_s", "_staying")

    def __init__(self) -> None:
        self._longest_s: dict[str, float] = {}
        self._gone: dict[str, array[float]] = {}
        self._staying: dict[str, array[float]] = {}
        self._last_s = 0.0

    def measure(self, record: ObjectRecord, ready_s: float, until_s: float | None) -> None:
        """Take an object that was ready; ``until_s`` is when it was asked to go, if it was."""
        milestones = MILESTONES_OF.get(record.kind)
        if milestones is None:
            return
        seen, longest_s = record.phases_s, self._longest_s
        if until_s is None:
            self._last_s = max(self._last_s, ready_s, *seen.values())
        for name in milestones:
            at_s = seen.get(name)
            if at_s is not None:
                if at_s - ready_s > longest_s.get(name, 0.0):
                    longest_s[name] = at_s - ready_s
            elif until_s is None:
                self._staying.setdefault(name, array("d")).append(ready_s)
            else:
                self._gone.setdefault(name, array("d")).append(until_s - ready_s)

    def add(self, other: MilestoneTimes) -> None:
        """Count everything that ``other`` counted."""
        self._last_s = max(self._last_s, other._last_s)
        for name, longest_s in other._longest_s.items():
            self._longest_s[name] = max(self._longest_s.get(name, 0.0), longest_s)
        for into, more in ((self._gone, other._gone), (self._staying, other._staying)):
            for name, times_s in more.items():
                into.setdefault(name, array("d")).extend(times_s)

    def not_waited_for(self, name: str) -> int:
        """How many were there for a shorter time than the slowest that came to a milestone took.

        What stays in the cluster was there until the last that was seen of any that stays.
        """
        needed_s = self._longest_s.get(name, 0.0)
        gone = sum(there_s < needed_s for there_s in self._gone.get(name, ()))
        since = self._staying.get(name, ())
        return gone + sum(self._last_s - ready_s < needed_s for ready_s in since)
