"""How the API server answered, by verb and resource, in memory that does not grow."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import msgspec

from perfscale.results.measure.sketch import Sketch
from perfscale.results.model.calls import CallResult, refused

if TYPE_CHECKING:
    from collections.abc import Iterable


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
