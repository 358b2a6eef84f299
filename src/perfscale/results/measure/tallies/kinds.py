"""What is counted and measured of an iteration, kind by kind, from records.

Latencies of an iteration are summarised when it ends; the samples themselves
are kept (eight bytes each), so that a workload's percentiles are exact too.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from perfscale.config.sections.metrics import MILESTONES
from perfscale.results.measure.clocks import StampBounds, phase_clock
from perfscale.results.measure.failures import Failures
from perfscale.results.measure.latencies import RequestTimes
from perfscale.results.measure.rates import CreateTimes
from perfscale.results.measure.samples import LifeSamples, SamplesOf
from perfscale.results.measure.statistics.percentiles import LatencySamples
from perfscale.results.measure.tallies.churn import ChurnTally, apart_from_churn
from perfscale.results.model.accounts import Accounts
from perfscale.results.model.latency import PhaseStep, WatchDelay
from perfscale.results.model.records import UNKNOWN, Outcome
from perfscale.results.model.workload import KindResult

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from perfscale.results.measure.blindness import BlindSpans
    from perfscale.results.model.latency import LatencySummary
    from perfscale.results.model.records import ObjectRecord


def accounts_of(records: Iterable[ObjectRecord]) -> Accounts:
    """Count records; each is one requested object."""
    outcomes = dict.fromkeys(Outcome, 0)
    created = deleted = leftover = unknown = 0
    for record in records:
        outcomes[record.outcome] += 1
        created += record.uid is not None
        deleted += record.deleted_s is not None
        leftover += record.delete_requested_s is not None and record.deleted_s is None
        unknown += record.error == UNKNOWN
    return Accounts(
        requested=sum(outcomes.values()),
        created=created,
        ready=outcomes[Outcome.READY],
        failed=outcomes[Outcome.FAILED],
        unready=outcomes[Outcome.UNREADY],
        not_attempted=outcomes[Outcome.NOT_ATTEMPTED],
        deleted=deleted,
        leftover=leftover,
        unknown=unknown,
    )


@dataclass
class KindTally(LifeSamples):
    """All that is counted and measured of one kind; tallies add up."""

    accounts: Accounts = field(default_factory=Accounts)
    api_version: str = ""
    transitions: SamplesOf[tuple[str, str]] = field(default_factory=SamplesOf)
    server_phases: SamplesOf[str] = field(default_factory=SamplesOf)
    stamped_phases: StampBounds = field(default_factory=StampBounds)
    stamped_creations: StampBounds = field(default_factory=StampBounds)
    negative: int = 0
    watch_at_least: LatencySamples = field(default_factory=LatencySamples)
    watch_at_most: LatencySamples = field(default_factory=LatencySamples)
    churn: ChurnTally | None = None
    made_by: Counter[str] = field(default_factory=Counter)

    def add(self, other: KindTally) -> None:
        """Count everything that ``other`` counted."""
        self.path = self.path or other.path
        self.api_version = self.api_version or other.api_version
        self.accounts += other.accounts
        self.phases.extend(other.phases)
        self.transitions.extend(other.transitions)
        self.server_phases.extend(other.server_phases)
        self.stamped_phases.add(other.stamped_phases)
        self.stamped_creations.add(other.stamped_creations)
        self.negative += other.negative
        self.creation.extend(other.creation)
        self.deletion.extend(other.deletion)
        self.milestones.add(other.milestones)
        self.watch_at_least.extend(other.watch_at_least)
        self.watch_at_most.extend(other.watch_at_most)
        self.made_by.update(other.made_by)
        if self.churn is None:
            self.churn = other.churn
        elif other.churn is not None:
            self.churn.add(other.churn)

    def measure_churned(self, record: ObjectRecord, origin_s: float | None) -> None:
        """Take an object that churn created or deleted, apart from the others."""
        if self.churn is None:
            self.churn = ChurnTally()
        self.churn.measure(record, origin_s, self.path)
        before = apart_from_churn(record)
        if before is not None:
            self.measure(before, origin_s, record.delete_requested_s)
        elif record.replaced_in is None:
            self.measure_deletion(record)

    def measure_later(self, record: ObjectRecord, made_by: str) -> None:
        """Take a child that its owner's creation did not make, so that nothing counts from that."""
        self.made_by[made_by] += 1
        if record.round is not None or record.replaced_in is not None:
            self.measure_churned(record, None)
        else:
            self.measure_deletion(record)

    def measure(
        self, record: ObjectRecord, origin_s: float | None, until_s: float | None = None
    ) -> None:
        """The same, with what happened in between, and as the server saw it."""
        if origin_s is None:
            return
        super().measure(record, origin_s, until_s)
        self._measure_transitions(record)
        self._measure_by_server(record, origin_s)
        self._measure_watch(record)

    def _measure_transitions(self, record: ObjectRecord) -> None:
        """Between each phase that was seen and the next that was; what got stuck is missing."""
        last: str | None = None
        since_s = 0.0
        for phase, at_s in record.phases_s.items():
            if phase in MILESTONES:
                continue
            if last is not None:
                self.transitions[last, phase].add(at_s - since_s)
            last, since_s = phase, at_s
        if record.outcome is not Outcome.READY and last in self.path[:-1]:
            self.transitions[last, self.path[self.path.index(last) + 1]].add_missing()

    def _measure_by_server(self, record: ObjectRecord, origin_s: float) -> None:
        """By the cluster's own timestamps; a latency of less than nothing is none."""
        created, stamps = record.server.get("creationTimestamp"), record.server.get("phases")
        begin_s = stamp_s(created) if isinstance(created, str) else None
        if begin_s is None:
            return
        known = stamps if isinstance(stamps, dict) else {}
        stamped_s = [
            (phase, at_s) for phase, stamp in known.items() if (at_s := stamp_s(stamp)) is not None
        ]
        for phase, at_s in stamped_s:
            if phase in record.later_phases_s and phase not in record.phases_s:
                continue
            if at_s >= begin_s:
                self.server_phases[phase].add(at_s - begin_s)
            else:
                self.negative += 1
        if stamped_s and record.created_s is not None:
            self.stamped_creations.narrow(begin_s - record.created_s, begin_s - origin_s)
            if origin_s != record.created_s:  # else it is not known when it was sent
                self._bound_phases(stamped_s, record.phases_s, origin_s)
        if record.outcome is not Outcome.READY:
            self._miss(record, self.server_phases, known)

    def _bound_phases(
        self, stamped_s: list[tuple[str, float]], seen_s: Mapping[str, float], origin_s: float
    ) -> None:
        """Take one object's stamps as bounds of the clock that made them."""
        found = [(at_s, at_s - seen_s[phase]) for phase, at_s in stamped_s if phase in seen_s]
        if found:
            at_s, ahead_s = zip(*found, strict=True)
            self.stamped_phases.narrow(max(ahead_s), min(at_s) - origin_s)

    def _measure_watch(self, record: ObjectRecord) -> None:
        seen_s, created_s = record.observed_s, record.created_s
        if seen_s is None or record.sent_s is None or created_s is None:
            return
        self.watch_at_least.add(seen_s - created_s if seen_s > created_s else 0.0)
        self.watch_at_most.add(seen_s - record.sent_s)

    def result(self, *, churn: bool = True) -> KindResult:
        """The frozen summary; the phases on the way to readiness come first.

        ``churn`` says whether it has what churn came to.
        """
        self.miss_milestones()
        has_objects = bool(self.creation.values or self.creation.missing)
        stamped = any(samples.values for samples in self.server_phases.values())
        return KindResult(
            accounts=self.accounts,
            phases=self._summaries(self.phases),
            deletion=self.deletion.summarize(),
            path=self.path,
            creation=self.creation.summarize() if has_objects else None,
            transitions=tuple(
                PhaseStep(*pair, samples.summarize()) for pair, samples in self.transitions.items()
            ),
            server_phases=self._summaries(self.server_phases) if stamped else {},
            phase_clock=phase_clock(
                self.stamped_phases,
                self.stamped_creations,
                negative=self.negative,
                count=self.negative + sum(len(each.values) for each in self.server_phases.values()),
            ),
            watch_delay=self._watch_delay(),
            api_version=self.api_version,
            churn=self.churn.result() if churn and self.churn is not None else None,
            made_by=dict(self.made_by),
        )

    def _summaries(self, samples: Mapping[str, LatencySamples]) -> dict[str, LatencySummary]:
        ordered = dict.fromkeys((*self.path, *samples))
        return {phase: samples[phase].summarize() for phase in ordered if phase in samples}

    def _watch_delay(self) -> WatchDelay | None:
        if not self.watch_at_most.values:
            return None
        return WatchDelay(self.watch_at_least.summarize(), self.watch_at_most.summarize())


class IterationTally:
    """Accounts and latencies of one iteration, record by record.

    All objects come before the first child, and in each part anew.

    Args:
        paths: Phases on the way to readiness, by kind.
        children: Whether there are any.
        blind: Times in which nothing was seen.
    """

    def __init__(
        self,
        paths: Mapping[str, tuple[str, ...]],
        *,
        children: bool,
        blind: BlindSpans | None = None,
    ) -> None:
        self._paths = paths
        self._blind = blind
        self._request_times = RequestTimes(children=children)
        self.kinds: dict[str, KindTally] = {}
        self.child_kinds: dict[str, KindTally] = {}
        self.creates = CreateTimes()
        self.failures = Failures()

    def begin_part(self, *, children: bool) -> None:
        """What comes has no owners among the objects that came before; it may have ``children``."""
        self._request_times = RequestTimes(children=children)

    def add(self, records: Iterable[ObjectRecord], *, children: bool = False) -> None:
        """Count objects, or ``children``."""
        kinds = self.child_kinds if children else self.kinds
        for kind, members in _by_kind(records).items():
            tally = kinds.setdefault(kind, KindTally(path=self._paths.get(kind, ())))
            tally.api_version = members[0].api_version
            tally.accounts += accounts_of(members)
            for record in members:
                origin_s = self._request_times.of(record)
                if record.made_by is not None:
                    tally.measure_later(record, record.made_by)
                    continue
                if record.round is not None or record.replaced_in is not None:
                    tally.measure_churned(record, origin_s)
                    continue
                tally.measure(record, origin_s)
                if self._blind:
                    tally.doubt(record, origin_s, self._blind)
            if not children:
                # The rate is that of the load, and not of what churn creates with pauses.
                self.creates.add_records(each for each in members if each.round is None)
                for record in members:
                    if record.outcome is Outcome.FAILED:
                        self.failures.add(record)


def _by_kind(records: Iterable[ObjectRecord]) -> dict[str, list[ObjectRecord]]:
    kinds: dict[str, list[ObjectRecord]] = {}
    for record in records:
        kinds.setdefault(record.kind, []).append(record)
    return kinds


@lru_cache(maxsize=4096)
def stamp_s(stamp: str) -> float | None:
    """A timestamp of Kubernetes (RFC 3339) in seconds since 1970; None if it is none."""
    try:
        return datetime.fromisoformat(stamp).timestamp()
    except (ValueError, OverflowError):
        return None
