"""Requests of all generators together, while a run goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from perfscale.engine.accounting.run_accounting import RunAccounting
from perfscale.results import RequestSums

if TYPE_CHECKING:
    from perfscale.engine.context import RunContext
    from perfscale.results import CountedCall, IterationResult, Replay


class MergedAccounting(RunAccounting):
    """The coordinator's accounting: its own part of iterations, and the sums of all parts.

    Args:
        context: The coordinator's.
        replay: What the generators have published comes to.
    """

    def __init__(self, context: RunContext, replay: Replay) -> None:
        super().__init__(context)
        self._replay = replay

    def own_requests(self) -> RequestSums:
        """What became of the coordinator's own requests."""
        return super().requests()

    def requests(self) -> RequestSums:
        """What became of every request until now, as far as the generators have said."""
        return msgspec.convert(self._replay.course.totals.requests, RequestSums)

    def calls(self) -> tuple[CountedCall, ...]:
        """Every request of the run, likewise."""
        return tuple(self._replay.run_tally.calls_of(None).counted())

    def results(self) -> dict[str, tuple[IterationResult, ...]]:
        """Of the iterations that are written down, by workload."""
        return self._replay.run_tally.results()
