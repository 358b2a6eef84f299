"""Counts and measures operations, by operation and kind, record by record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perfscale.config.operations import OPERATIONS
from perfscale.results.measure.failures import Failures
from perfscale.results.measure.operations.latencies import MOST_EXACT, OperationSamples
from perfscale.results.measure.rates import CreateTimes
from perfscale.results.model.operations import (
    OperationAccounts,
    OperationOutcome,
    OperationResult,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from perfscale.results.measure.blindness import BlindSpans
    from perfscale.results.measure.samples import SamplesOf
    from perfscale.results.model.latency import LatencySummary
    from perfscale.results.model.operations import OperationRecord


class OperationTally:
    """What became of one operation on one kind, and how long it took."""

    def __init__(self, operation: str, kind: str, api_version: str = "") -> None:
        self.operation = operation
        self.kind = kind
        self.api_version = api_version
        self.accounts = OperationAccounts()
        self.samples = OperationSamples(operation)

    def add_records(self, records: Iterable[OperationRecord], blind: BlindSpans | None) -> None:
        """Count records of this operation and kind."""
        outcomes = []
        for record in records:
            outcomes.append(record.outcome)
            self.samples.measure(record)
            if blind:
                self.samples.doubt(record, blind)
        self.accounts += OperationAccounts.count(outcomes)
        self.samples.fold()

    def add(self, other: OperationTally) -> None:
        """Add another tally of the same operation and kind."""
        self.api_version = self.api_version or other.api_version
        self.accounts += other.accounts
        self.samples.add(other.samples)
        self.samples.fold()

    def result(self) -> OperationResult:
        """What it comes to."""
        samples = self.samples
        return OperationResult(
            operation=self.operation,
            kind=self.kind,
            api_version=self.api_version,
            accounts=self.accounts,
            response=samples.response.summarize(),
            effect=samples.effect.summarize(),
            milestones=self._summaries(samples.milestones),
            time_in=self._summaries(samples.time_in),
        )

    def _summaries(self, samples: SamplesOf[str]) -> dict[str, LatencySummary]:
        """In the order of the operation's row."""
        ordered = dict.fromkeys((*OPERATIONS[self.operation].milestones, *samples))
        return {name: samples[name].summarize() for name in ordered if name in samples}


class OperationTallies:
    """The operations of an iteration, of a workload or of a run, by operation and kind.

    Args:
        blind: Times in which nothing was seen, as far as they are known when a record is counted.

    Attributes:
        times: When each was due, sent and accepted: of an iteration alone.
    """

    def __init__(self, blind: BlindSpans | None = None) -> None:
        self.times = CreateTimes()
        self._blind = blind
        self._tallies: dict[tuple[str, str], OperationTally] = {}
        self._reasons: dict[OperationOutcome, Failures] = {}

    def add_records(self, records: Iterable[OperationRecord]) -> None:
        """Count records."""
        groups: dict[tuple[str, str], list[OperationRecord]] = {}
        for record in records:
            groups.setdefault((record.operation, record.kind), []).append(record)
        for (operation, kind), members in groups.items():
            tally = self._of(operation, kind, members[0].api_version)
            tally.add_records(members, self._blind)
            self.times.fold(MOST_EXACT)
            for record in members:
                self.times.add(record.scheduled_s, record.sent_s, record.answered_s)
                count_failure(self._reasons.setdefault(record.outcome, Failures()), record)

    def sentences(self, outcome: OperationOutcome) -> list[str]:
        """Why operations failed, or are unfinished: one for each reason."""
        reasons = self._reasons.get(outcome)
        return [] if reasons is None else reasons.sentences()

    def add_not_attempted(
        self, operation: str, requested: Mapping[str, int], surely: Mapping[str, int]
    ) -> None:
        """Count those whose turn never came, of so many by kind, as far as is known.

        They have no record. How many of them were ``surely`` not attempted is by kind, too.
        """
        for kind, count in requested.items():
            tally = self._of(operation, kind)
            tally.accounts = tally.accounts.with_requested(count, surely.get(kind, 0))

    def add(self, other: OperationTallies) -> None:
        """Add those of another part, which is over."""
        for key, tally in other._tallies.items():
            if key in self._tallies:
                self._tallies[key].add(tally)
            else:  # nobody needs it any more: it is taken as it is
                self._tallies[key] = tally

    def results(self) -> tuple[OperationResult, ...]:
        """What they come to, in the order in which they were counted first."""
        return tuple(tally.result() for tally in self._tallies.values())

    def _of(self, operation: str, kind: str, api_version: str = "") -> OperationTally:
        tally = self._tallies.get((operation, kind))
        if tally is None:
            tally = OperationTally(operation, kind, api_version)
            self._tallies[operation, kind] = tally
        return tally


def count_failure(failures: Failures, record: OperationRecord) -> None:
    """Count why an operation failed, or is unfinished; one that is done counts for nothing."""
    if record.error is None:
        return
    state = f"{record.outcome} to {record.operation}"
    if record.outcome is OperationOutcome.UNFINISHED:
        state = f"not through with {record.operation}"
    failures.count(record.kind, state, record.error, name=record.name or "", where=record.namespace)
