"""From records to accounts and latencies.

Latencies of an iteration are summarised when it ends; the samples themselves
are kept (eight bytes each), so that a workload's percentiles are exact too.
"""

from __future__ import annotations

from array import array
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from perfscale.results.accounts import Accounts
from perfscale.results.latency import LatencySamples
from perfscale.results.records import KindResult, Outcome, Rate

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

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


@dataclass
class RateTally:
    """Creates sent after the first burst, and the time they took.

    The first ``burst`` creates are let go at once; they say nothing of the
    rate. ``creates`` and ``seconds`` add up over iterations.
    """

    target: float | None
    creates: int = 0
    seconds: float = 0.0
    held_back_s: float = 0.0

    def add(self, other: RateTally) -> None:
        """Count everything that ``other`` counted."""
        self.creates += other.creates
        self.seconds += other.seconds
        self.held_back_s += other.held_back_s

    def result(self) -> Rate:
        """The frozen rate."""
        achieved = self.creates / self.seconds if self.seconds > 0 else None
        return Rate(target=self.target, achieved=achieved, held_back_s=self.held_back_s)


def tally_rate(
    sent_s: Iterable[float], *, target: float | None, burst: int, held_back_s: float
) -> RateTally:
    """The rate of creates sent at ``sent_s``; ``burst`` is the depth of the bucket, at least 1."""
    ordered = sorted(sent_s)
    tally = RateTally(target=target, held_back_s=held_back_s)
    if len(ordered) > burst:
        tally.creates = len(ordered) - burst
        tally.seconds = ordered[-1] - ordered[burst - 1]
    return tally


class IterationTally:
    """Accounts and latencies of one iteration, record by record.

    All objects come before the first child: a child's latencies count from its
    owner's create request, since that is what made the child. Where the owner
    is not one of the run's objects, they count from when it was first seen.

    Args:
        paths: Phases on the way to readiness, by kind.
    """

    def __init__(self, paths: Mapping[str, tuple[str, ...]]) -> None:
        self._paths = paths
        self._requested_s: dict[str, float | None] = {}
        self.kinds: dict[str, KindTally] = {}
        self.child_kinds: dict[str, KindTally] = {}
        self.sent_s = array("d")

    def add(self, records: Iterable[ObjectRecord]) -> None:
        """Count objects."""
        for kind, members in _by_kind(records).items():
            tally = self._tally(self.kinds, kind)
            tally.accounts += accounts_of(members)
            for record in members:
                tally.measure(record, record.sent_s)
                if record.uid is not None:
                    self._requested_s[record.uid] = record.sent_s
                if record.sent_s is not None:
                    self.sent_s.append(record.sent_s)

    def add_children(self, records: Iterable[ObjectRecord]) -> None:
        """Count children."""
        for kind, members in _by_kind(records).items():
            tally = self._tally(self.child_kinds, kind)
            tally.accounts += accounts_of(members)
            for record in members:
                seen_s = record.created_s
                tally.measure(record, self._requested_s.get(record.owner_uid or "", seen_s))

    def _tally(self, kinds: dict[str, KindTally], kind: str) -> KindTally:
        if kind not in kinds:
            kinds[kind] = KindTally(path=self._paths.get(kind, ()))
        return kinds[kind]


def _by_kind(records: Iterable[ObjectRecord]) -> dict[str, list[ObjectRecord]]:
    kinds: dict[str, list[ObjectRecord]] = {}
    for record in records:
        kinds.setdefault(record.kind, []).append(record)
    return kinds
