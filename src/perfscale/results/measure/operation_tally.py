"""Counts operations, by operation and kind, record by record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perfscale.results.measure.failures import Failures
from perfscale.results.model.operations import (
    OperationAccounts,
    OperationOutcome,
    OperationResult,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from perfscale.results.model.operations import OperationRecord


class OperationTally:
    """What became of one operation on one kind."""

    def __init__(self, operation: str, kind: str, api_version: str = "") -> None:
        self.operation = operation
        self.kind = kind
        self.api_version = api_version
        self.accounts = OperationAccounts()

    def add_records(self, records: Iterable[OperationRecord]) -> None:
        """Count records of this operation and kind."""
        self.accounts += OperationAccounts.count(record.outcome for record in records)

    def add(self, other: OperationTally) -> None:
        """Add another tally of the same operation and kind."""
        self.api_version = self.api_version or other.api_version
        self.accounts += other.accounts

    def result(self) -> OperationResult:
        """What it comes to."""
        return OperationResult(self.operation, self.kind, self.api_version, self.accounts)


class OperationTallies:
    """The operations of an iteration, of a workload or of a run, by operation and kind."""

    def __init__(self) -> None:
        self._tallies: dict[tuple[str, str], OperationTally] = {}
        self._reasons: dict[OperationOutcome, Failures] = {}

    def add_records(self, records: Iterable[OperationRecord]) -> None:
        """Count records."""
        groups: dict[tuple[str, str], list[OperationRecord]] = {}
        for record in records:
            groups.setdefault((record.operation, record.kind), []).append(record)
        for (operation, kind), members in groups.items():
            self._of(operation, kind, members[0].api_version).add_records(members)
            for record in members:
                if record.error is not None:
                    self._count_reason(record)

    def sentences(self, outcome: OperationOutcome) -> list[str]:
        """Why operations failed, or are unfinished: one for each reason."""
        reasons = self._reasons.get(outcome)
        return [] if reasons is None else reasons.sentences()

    def _count_reason(self, record: OperationRecord) -> None:
        state = f"{record.outcome} to {record.operation}"
        if record.outcome is OperationOutcome.UNFINISHED:
            state = f"not through with {record.operation}"
        self._reasons.setdefault(record.outcome, Failures()).count(
            record.kind, state, record.error, name=record.name or "", where=record.namespace
        )

    def add_not_attempted(self, operation: str, requested: Mapping[str, int]) -> None:
        """Count those whose turn never came, of so many by kind; they have no record."""
        for kind, count in requested.items():
            tally = self._of(operation, kind)
            tally.accounts = tally.accounts.with_requested(count)

    def add(self, other: OperationTallies) -> None:
        """Add those of another part."""
        for tally in other._tallies.values():
            self._of(tally.operation, tally.kind).add(tally)

    def results(self) -> tuple[OperationResult, ...]:
        """What they come to, in the order in which they were counted first."""
        return tuple(tally.result() for tally in self._tallies.values())

    def _of(self, operation: str, kind: str, api_version: str = "") -> OperationTally:
        tally = self._tallies.get((operation, kind))
        if tally is None:
            tally = OperationTally(operation, kind, api_version)
            self._tallies[operation, kind] = tally
        return tally
