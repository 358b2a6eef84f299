"""When each create is due by the target rate, whatever the run manages to do."""

from __future__ import annotations


class Pace:
    """The schedule of a token bucket that is asked for more than it gives.

    It is the generic cell rate algorithm (ITU-T I.371, annex A) with an
    emission interval of ``1/qps`` and a burst tolerance of ``(burst-1)/qps``:
    the earliest moment at which each create could go. The limiter holds
    creates back to that schedule; the distance between the two is how far the
    generator fell behind.
    """

    def __init__(self, qps: float, burst: int) -> None:
        self._interval_s = 1 / qps if qps else 0.0
        self._tolerance_s = (burst - 1) * self._interval_s
        self._begun_s = 0.0
        self._arrival_s = 0.0

    def begin(self, now: float) -> None:
        """Everything that follows is wanted from ``now`` on."""
        self._begun_s = now

    def next_due(self, now: float) -> float:
        """When the next create is due; without a rate, as soon as it is asked for."""
        if not self._interval_s:
            return now
        due = max(self._begun_s, self._arrival_s - self._tolerance_s)
        self._arrival_s = max(due, self._arrival_s) + self._interval_s
        return due
