"""How fast objects were created, or other operations sent: three rates of one load.

*Offered* is what the schedule wanted, *sent* what the generator managed, and
*accepted* what the API server took. They are kept apart because each has its own
cause: an outage lowers the last alone, a busy generator the last two.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from itertools import pairwise
from math import inf
from typing import TYPE_CHECKING, Final

from perfscale.results.measure.statistics.sketch import Sketch
from perfscale.results.model.workload import Rate

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from perfscale.results.model.records import ObjectRecord

_FEW: Final = 10
_AT_ONCE_S: Final = 1.0
"""Without a limit, fewer requests than ``_FEW`` in less time than this were sent at once, and show
the time of a request and no rate."""
_NEVER: Final = inf
"""When something happened that did not."""


@dataclass
class Flow:
    """Creates that passed one point, and the time they took; flows add up.

    ``wanted_s`` is the time that those with a target should have taken, and
    ``limited_s`` the one that they took.
    """

    creates: int = 0
    seconds: float = 0.0
    wanted_s: float = 0.0
    limited_s: float = 0.0

    def count(self, creates: int, seconds: float, wanted_s: float | None) -> None:
        """Count creates that took so many seconds, and should have taken ``wanted_s``."""
        self.creates += creates
        self.seconds += seconds
        if wanted_s is not None:
            self.wanted_s += wanted_s
            self.limited_s += seconds

    def add(self, other: Flow) -> None:
        """Count everything that ``other`` counted."""
        self.creates += other.creates
        self.seconds += other.seconds
        self.wanted_s += other.wanted_s
        self.limited_s += other.limited_s

    @property
    def per_second(self) -> float | None:
        """None with too few creates."""
        return self.creates / self.seconds if self.seconds > 0 else None

    @property
    def share(self) -> float | None:
        """Of what was wanted; None with too few creates, or without a target."""
        return self.wanted_s / self.limited_s if self.limited_s > 0 else None


@dataclass
class RateTally:
    """What was offered, sent and accepted after the first burst; tallies add up.

    The first ``burst`` creates are admitted at once; they show nothing of the
    rate, and are in ``creates`` alone, which counts all that were sent. Where the load
    is not ``steady``, because its rate moves or its creates come at random, what was wanted
    is what was offered.
    """

    target: float | None
    burst: int = 1
    steady: bool = True
    creates: int = 0
    held_back_s: float = 0.0
    offered: Flow = field(default_factory=Flow)
    sent: Flow = field(default_factory=Flow)
    accepted: Flow = field(default_factory=Flow)

    def add(self, other: RateTally) -> None:
        """Count everything that ``other`` counted."""
        self.creates += other.creates
        self.held_back_s += other.held_back_s
        self.offered.add(other.offered)
        self.sent.add(other.sent)
        self.accepted.add(other.accepted)

    def result(self) -> Rate:
        """The frozen rate."""
        sent = self.sent
        at_once = self.target is None and sent.creates < _FEW and sent.seconds < _AT_ONCE_S
        return Rate(
            target=self.target if self.steady else self.offered.per_second,
            achieved=None if at_once else self.accepted.per_second,
            held_back_s=self.held_back_s,
            share=self.accepted.share,
            seconds=self.accepted.seconds,
            offered=self.offered.per_second,
            sent=None if at_once else sent.per_second,
            sent_share=sent.share,
            sent_seconds=sent.seconds,
            creates=self.creates,
            burst=self.burst,
        )


class _Later:
    """Requests that were due after all that are kept one by one.

    Attributes:
        count: How many.
        sent: How many of them were sent, and likewise ``accepted``.
        due_s: When the last was due, and likewise sent and accepted; 0 where none was.
    """

    def __init__(self, origin_s: float) -> None:
        self.count = self.sent = self.accepted = 0
        self.due_s = self.sent_s = self.accepted_s = 0.0
        self._origin_s = origin_s
        self._due = Sketch()

    def add(self, due_s: float, sent_s: float, accepted_s: float) -> None:
        """Take one."""
        self.count += 1
        self.due_s = max(self.due_s, due_s)
        self._due.count(due_s - self._origin_s)
        if sent_s < _NEVER:
            self.sent += 1
            self.sent_s = max(self.sent_s, sent_s)
        if accepted_s < _NEVER:
            self.accepted += 1
            self.accepted_s = max(self.accepted_s, accepted_s)

    def nth_due_s(self, number: int) -> float:
        """When so many of them had been due, at least one; within one per cent of the time."""
        if number >= self.count:
            return self.due_s
        (after_s,) = self._due.percentiles((number - 0.5) / (self.count - 1))
        return self._origin_s + (after_s or 0.0)


class CreateTimes:
    """When each create of an iteration was due, sent, and accepted by the server."""

    def __init__(self) -> None:
        self._later: _Later | None = None
        self._kept = 0
        self._due_s = array("d")
        self._sent_s = array("d")
        self._accepted_s = array("d")

    def add(self, due_s: float | None, sent_s: float | None, accepted_s: float | None) -> None:
        """Take one create; None stands for what did not happen.

        One that was never due was due when it was sent, and one that is neither
        does not count.
        """
        due_s = sent_s if due_s is None else due_s
        if due_s is not None:
            self._due_s.append(due_s)
            self._sent_s.append(_NEVER if sent_s is None else sent_s)
            self._accepted_s.append(_NEVER if accepted_s is None else accepted_s)

    def add_records(self, records: Iterable[ObjectRecord]) -> None:
        """Take objects; what has no UID was not accepted."""
        for record in records:
            accepted_s = None if record.uid is None else record.created_s
            self.add(record.scheduled_s, record.sent_s, accepted_s)

    def fold(self, most: int) -> None:
        """Keep no more than so many one by one, and half of them if there are more: the earliest.

        The burst is among them, if it is no larger than that.
        """
        if len(self._due_s) > most:
            self._kept = most // 2
            self._shed()

    def _shed(self) -> None:
        """Keep those alone that were due first: all others were due after them."""
        order = sorted(range(len(self._due_s)), key=self._due_s.__getitem__)
        if self._later is None:
            self._later = _Later(self._due_s[order[0]])
        kept, rest = order[: self._kept], order[self._kept :]
        for each in rest:
            self._later.add(self._due_s[each], self._sent_s[each], self._accepted_s[each])
        self._due_s, self._sent_s, self._accepted_s = (
            array("d", (at_s[each] for each in kept))
            for at_s in (self._due_s, self._sent_s, self._accepted_s)
        )

    def tally(self, result: RateTally) -> RateTally:
        """The rates of all of them, counted in ``result``, which is empty and says what was wanted.

        Its burst is at least 1.
        """
        target, burst = result.target, result.burst
        if self._later is not None:
            self._shed()
        due_s, later = self._due_s, self._later or _Later(0.0)
        result.creates = sum(at_s < _NEVER for at_s in self._sent_s) + later.sent
        if len(due_s) + later.count <= burst:
            return result
        # As a rule they come in that order, and need no memory to be put into it.
        in_order: Sequence[int] = range(len(due_s))
        if any(second < first for first, second in pairwise(due_s)):
            in_order = sorted(in_order, key=due_s.__getitem__)
        # A burst is due at once and takes its time to send, in which the bucket
        # fills again: it is from when it was due that the rate of the others counts.
        began_s = due_s[in_order[min(burst, len(due_s)) - 1]]
        rest = in_order[burst:]
        sent_s = _happened(self._sent_s, rest)
        accepted_s = _happened(self._accepted_s, rest)

        def wanted_s(creates: int) -> float | None:
            if target is None:
                return None
            if result.steady or not creates:
                return creates / target
            if creates > len(rest):
                return later.nth_due_s(creates - len(rest)) - began_s
            return due_s[rest[creates - 1]] - began_s

        if target is not None:
            count = len(rest) + later.count
            last_due_s = later.due_s if later.count else due_s[rest[-1]]
            result.offered.count(count, last_due_s - began_s, wanted_s(count))
        sent, accepted = len(sent_s) + later.sent, len(accepted_s) + later.accepted
        if sent:
            last_sent_s = max(later.sent_s, max(sent_s, default=0.0))
            last_answer_s = max(later.accepted_s, max(accepted_s, default=0.0))
            result.sent.count(sent, last_sent_s - began_s, wanted_s(sent))
            # To the last request at least: one that failed took its time too.
            ended_s = max(last_sent_s, last_answer_s)
            result.accepted.count(accepted, ended_s - began_s, wanted_s(accepted))
        return result


def _happened(at_s: array[float], creates: Iterable[int]) -> array[float]:
    """When what happened to some creates did."""
    return array("d", (at_s[each] for each in creates if at_s[each] < _NEVER))


def explain_rate(rate: Rate, what: str = "creates") -> str | None:
    """Why there is no rate of ``what``; None where there is one, or where nothing was sent."""
    if rate.achieved is not None or not rate.creates:
        return None
    if rate.target is None and rate.creates > rate.burst:
        return f"no rate of {what}: no iteration sent more than a few at once"
    at_once = "one at a time" if rate.burst == 1 else f"{rate.burst} at once"
    return f"no rate of {what}: no iteration sent more than its burst, {at_once}"
