"""Measures requests as they are answered; the client calls it in the middle of the load."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perfscale.results.measure.calls import Calls
from perfscale.results.measure.clock import ClockBounds

if TYPE_CHECKING:
    from perfscale.results.measure.calls import Call, CountedCall
    from perfscale.results.model.clocks import ClockOffset


class RequestMeter:
    """Counts the requests that carry it.

    Args:
        clock: Bounds on the offset of the server's clock, which several meters may share.
    """

    def __init__(self, clock: ClockBounds) -> None:
        self._calls = Calls()
        self._clock = clock

    @classmethod
    def since(cls, epoch_s: float) -> RequestMeter:
        """A run's meter; our wall clock read ``epoch_s`` when the client's clock read 0."""
        return cls(ClockBounds(epoch_s))

    def part(self) -> RequestMeter:
        """A meter for some of the requests, which are counted apart."""
        return RequestMeter(self._clock)

    def merge_into(self, other: RequestMeter) -> None:
        """What is counted from now on counts for ``other``; cut what was counted before."""
        self._calls = other._calls

    def answered(
        self, call: Call, status: int, sent_s: float, answered_s: float, date: str | None
    ) -> None:
        """A request was answered; times are on the client's clock."""
        self._calls.of(call).answer(status, answered_s - sent_s)
        if date is not None:
            self._clock.observe(date, sent_s, answered_s)

    def unanswered(self, call: Call, *, timeout: bool) -> None:
        """A request was not answered."""
        tally = self._calls.of(call)
        if timeout:
            tally.timeouts += 1
        else:
            tally.connection_errors += 1

    def retried(self, call: Call, throttled_s: float) -> None:
        """A request is sent again, after it has waited so long because of a 429."""
        tally = self._calls.of(call)
        tally.retries += 1
        tally.throttled_s += throttled_s

    def cut(self) -> list[CountedCall]:
        """What was counted since the last cut."""
        return self._calls.cut()

    def counted(self) -> list[CountedCall]:
        """The same, without cutting."""
        return self._calls.counted()

    def offset(self) -> ClockOffset | None:
        """The offset of the server's clock, as far as it is known."""
        return self._clock.offset()
