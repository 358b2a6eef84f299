"""What is counted and measured of one kind: accounts, and samples of its latencies."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from perfscale.results.accounts import Accounts
from perfscale.results.latency import LatencySamples
from perfscale.results.records import KindResult, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable

    from perfscale.results.records import ObjectRecord

READY = "Ready"
"""The name under which readiness stands among the phases."""

_ACCOUNT = {
    Outcome.READY: "ready",
    Outcome.FAILED: "failed",
    Outcome.UNREADY: "unready",
    Outcome.NOT_ATTEMPTED: "not_attempted",
}


def accounts_of(records: Iterable[ObjectRecord]) -> Accounts:
    """Count records; each is one requested object."""
    counts: Counter[str] = Counter()
    for record in records:
        counts["requested"] += 1
        counts[_ACCOUNT[record.outcome]] += 1
        if record.uid is not None:
            counts["created"] += 1
        if record.deleted_s is not None:
            counts["deleted"] += 1
        elif record.delete_requested_s is not None:
            counts["leftover"] += 1
    return Accounts(**counts)


@dataclass
class KindTally:
    """One kind's accounts and samples; tallies add up."""

    path: tuple[str, ...] = ()
    accounts: Accounts = field(default_factory=Accounts)
    phases: dict[str, LatencySamples] = field(default_factory=dict)
    deletion: LatencySamples = field(default_factory=LatencySamples)

    def add(self, other: KindTally) -> None:
        """Count everything that ``other`` counted."""
        self.path = self.path or other.path
        self.accounts += other.accounts
        for phase, samples in other.phases.items():
            self._samples(phase).extend(samples)
        self.deletion.extend(other.deletion)

    def measure(self, record: ObjectRecord, origin_s: float | None) -> None:
        """Take the latencies of one object, which count from ``origin_s``.

        One that failed or was unready is missing from ``Ready``, and from
        those phases on the way to readiness in which it was not seen. One that
        was never attempted, which has no origin, is missing from nothing.
        """
        if origin_s is None:
            return
        for phase, at in record.phases_s.items():
            self._samples(phase).add(at - origin_s)
        if record.outcome is Outcome.READY and record.ready_s is not None:
            self._samples(READY).add(record.ready_s - origin_s)
        else:
            self._samples(READY).add_missing()
            for phase in self.path:
                if phase not in record.phases_s:
                    self._samples(phase).add_missing()
        if record.delete_requested_s is not None:
            if record.deleted_s is None:
                self.deletion.add_missing()
            else:
                self.deletion.add(record.deleted_s - record.delete_requested_s)

    def result(self) -> KindResult:
        """The frozen summary; the phases on the way to readiness come first."""
        ordered = dict.fromkeys((*self.path, *self.phases))
        return KindResult(
            accounts=self.accounts,
            phases={
                phase: self.phases[phase].summarize() for phase in ordered if phase in self.phases
            },
            deletion=self.deletion.summarize(),
            path=self.path,
        )

    def _samples(self, phase: str) -> LatencySamples:
        samples = self.phases.get(phase)
        if samples is None:
            samples = self.phases[phase] = LatencySamples()
        return samples
