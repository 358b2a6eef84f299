"""How the API server answered, by verb and resource, in memory that does not grow."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import msgspec

from perfscale.results.measure.clocks import ClockBounds
from perfscale.results.measure.statistics.sketch import Sketch
from perfscale.results.model.client.calls import CallResult, refused

if TYPE_CHECKING:
    from collections.abc import Iterable

    from perfscale.results.model.client.clocks import ClockOffset


Call: TypeAlias = tuple[str, str]
"""A verb and a resource."""


class CallTally(msgspec.Struct):
    """The same, while it is counted."""

    statuses: dict[int, int] = msgspec.field(default_factory=dict)
    timeouts: int = 0
    connection_errors: int = 0
    retries: int = 0
    throttled_s: float = 0.0
    latency: Sketch | None = None

    def answer(self, status: int, seconds: float) -> None:
        """Count an answer. Called for every request."""
        self.statuses[status] = self.statuses.get(status, 0) + 1
        if status < 300:
            if self.latency is None:
                self.latency = Sketch()
            self.latency.count(seconds)

    def add(self, other: CallTally) -> None:
        """Count everything that ``other`` counted."""
        for status, count in other.statuses.items():
            self.statuses[status] = self.statuses.get(status, 0) + count
        self.timeouts += other.timeouts
        self.connection_errors += other.connection_errors
        self.retries += other.retries
        self.throttled_s += other.throttled_s
        if other.latency is not None:
            self.latency = self.latency or Sketch()
            self.latency.add(other.latency)

    def result(self, call: Call) -> CallResult:
        """The frozen result."""
        return CallResult(
            *call,
            statuses=dict(sorted(self.statuses.items())),
            timeouts=self.timeouts,
            connection_errors=self.connection_errors,
            retries=self.retries,
            throttled_s=self.throttled_s,
            latency=(self.latency or Sketch()).summarize(),
        )


class CountedCall(msgspec.Struct, frozen=True):
    """A call with its tally, as the journal has it."""

    verb: str
    resource: str
    tally: CallTally


class Calls:
    """The tallies of all calls; those of parts of a run add up."""

    def __init__(self) -> None:
        self._tallies: dict[Call, CallTally] = {}

    def of(self, call: Call) -> CallTally:
        """The tally of one. Called for every request."""
        tally = self._tallies.get(call)
        if tally is None:
            tally = self._tallies[call] = CallTally()
        return tally

    def add(self, counted: Iterable[CountedCall]) -> None:
        """Count everything that was counted elsewhere."""
        for each in counted:
            self.of((each.verb, each.resource)).add(each.tally)

    def cut(self) -> list[CountedCall]:
        """What was counted since the last cut; it is not this one's any more."""
        tallies, self._tallies = self._tallies, {}
        return [CountedCall(*call, tally) for call, tally in tallies.items()]

    def counted(self) -> list[CountedCall]:
        """What was counted since the last cut; it goes on being counted here."""
        return [CountedCall(*call, tally) for call, tally in self._tallies.items()]

    @property
    def errors(self) -> int:
        """Errors so far (see `CallResult`)."""
        return sum(
            refused(verb, tally.statuses) + tally.timeouts + tally.connection_errors
            for (verb, _), tally in self._tallies.items()
        )

    @property
    def retries(self) -> int:
        """Retries so far."""
        return sum(tally.retries for tally in self._tallies.values())

    def results(self) -> tuple[CallResult, ...]:
        """The frozen results, by resource and verb."""
        ordered = sorted(self._tallies.items(), key=lambda each: each[0][::-1])
        return tuple(tally.result(call) for call, tally in ordered)


class RequestSums(msgspec.Struct, rename="camel"):
    """What became of all requests together.

    Attributes:
        sent: Requests sent, retries included.
        succeeded: Answers of status 2xx (a watch counts when it is opened).
        client_errors: Answers of status 3xx and 4xx, but for 410 and 429.
        expired: Answers of status 410, and errors of that status inside a watch.
        throttled: Answers of status 429.
        server_errors: Answers of status 5xx.
        connection_errors: Requests and streams that broke without an answer.
        timeouts: Requests without an answer in time; not in ``connection_errors``.
        local_failures: Connections that this process or machine had no means to open: no
            failures of the server, and in none of the others.
        illegible: Answers of status 2xx that were not what they should be; in
            ``succeeded``, too.
        retries: Requests that were sent again.
        credential_renewals: How often a 401 made the client renew its credentials.
        outages: How often the server, or what it calls, was gone.
        outage_seconds: For how long altogether.
    """

    sent: int = 0
    succeeded: int = 0
    client_errors: int = 0
    expired: int = 0
    throttled: int = 0
    server_errors: int = 0
    connection_errors: int = 0
    timeouts: int = 0
    local_failures: int = 0
    illegible: int = 0
    retries: int = 0
    credential_renewals: int = 0
    outages: int = 0
    outage_seconds: float = 0.0

    def add(self, counted: Iterable[CountedCall]) -> None:
        """Add what was counted by call, answers by the class of their status."""
        for call in counted:
            tally = call.tally
            self.connection_errors += tally.connection_errors
            self.timeouts += tally.timeouts
            self.retries += tally.retries
            for status, count in tally.statuses.items():
                if status < 300:
                    self.succeeded += count
                elif status == 410:
                    self.expired += count
                elif status == 429:
                    self.throttled += count
                elif status < 500:
                    self.client_errors += count
                else:
                    self.server_errors += count


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
