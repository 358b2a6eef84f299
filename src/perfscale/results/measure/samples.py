"""Samples of every latency: of one kind, and of a run whose records are read again."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from perfscale.config.sections.metrics import MILESTONES
from perfscale.results.measure.latencies import (
    CREATION,
    DELETION,
    READY,
    LatencyRule,
    RequestTimes,
    missed_phases,
    ready_s,
)
from perfscale.results.measure.milestones import MilestoneTimes
from perfscale.results.measure.statistics.percentiles import LatencySamples
from perfscale.results.measure.tallies.churn import apart_from_churn

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    from perfscale.results.measure.blindness import BlindSpans
    from perfscale.results.model.records import ObjectRecord


KeyT = TypeVar("KeyT")


class SamplesOf(dict[KeyT, LatencySamples]):
    """Samples of several latencies, made when they are first used."""

    def __missing__(self, key: KeyT) -> LatencySamples:
        """Begin a new one."""
        samples = self[key] = LatencySamples()
        return samples

    def extend(self, other: Mapping[KeyT, LatencySamples]) -> None:
        """Count everything that ``other`` counted."""
        for key, samples in other.items():
            self[key].extend(samples)


@dataclass
class LifeSamples:
    """How long objects of one kind took: for the create request, to each phase, to go."""

    path: tuple[str, ...] = ()
    phases: SamplesOf[str] = field(default_factory=SamplesOf)
    creation: LatencySamples = field(default_factory=LatencySamples)
    deletion: LatencySamples = field(default_factory=LatencySamples)
    milestones: MilestoneTimes = field(default_factory=MilestoneTimes)

    def measure(
        self, record: ObjectRecord, origin_s: float | None, until_s: float | None = None
    ) -> None:
        """Take the latencies of one object, which count from ``origin_s``.

        One that was never attempted, which has no origin, is missing from nothing. ``until_s`` is
        when churn asked it to go, if it did.
        """
        if origin_s is None:
            return
        phases = self.phases
        for phase, at_s in record.phases_s.items():
            phases[phase].add(at_s - origin_s)
        ready = ready_s(record)
        if ready is None:
            self._miss(record, phases, record.phases_s)
        else:
            self.milestones.measure(
                record, ready, until_s or record.delete_requested_s or record.deleted_s
            )
        for rule, samples in self._named():
            begun_s, reached_s = rule.times_s(record, origin_s)
            if begun_s is None:
                continue
            if reached_s is None:
                samples.add_missing()
            else:
                samples.add(reached_s - begun_s)

    def measure_deletion(self, record: ObjectRecord) -> None:
        """Take how long its deletion took, and no more."""
        requested_s, gone_s = DELETION.times_s(record, None)
        if requested_s is not None and gone_s is not None:
            self.deletion.add(gone_s - requested_s)
        elif requested_s is not None:
            self.deletion.add_missing()

    def doubt(self, record: ObjectRecord, origin_s: float | None, blind: BlindSpans) -> None:
        """Note which of those latencies may be shorter, since a moment came after a blind span."""
        if origin_s is None or not blind.overlap(origin_s, record.deleted_s or math.inf):
            return
        touches = blind.touches  # of hardly any moment of most objects
        kind, namespace = record.kind, record.namespace
        for phase, at_s in record.phases_s.items():
            if touches(at_s):
                earliest_s = blind.earliest_s(kind, namespace, at_s)
                _doubt(self.phases[phase], origin_s, at_s, earliest_s)
        for rule, samples in self._named():
            begun_s, reached_s = rule.times_s(record, origin_s)
            if begun_s is None or reached_s is None or not touches(reached_s):
                continue
            # What is ready as soon as it is created is so by the answer to its create.
            at_once = reached_s == record.created_s
            place: tuple[str | None, str | None] = (None, None) if at_once else (kind, namespace)
            _doubt(samples, begun_s, reached_s, blind.earliest_s(*place, reached_s))

    def miss_milestones(self) -> None:
        """Count who is missing from the milestones, once every object is measured.

        Those that nobody came to are no latencies: the guests may have nothing of the kind.
        """
        for name in MILESTONES:
            if name in self.phases:
                samples = self.phases[name]
                samples.not_waited_for = self.milestones.not_waited_for(name)
                samples.missing = self.phases[READY.name].total - len(samples.values)

    def latency(self, name: str) -> LatencySamples | None:
        """The samples of a latency; None if there are none."""
        self.miss_milestones()
        others = {CREATION.name: self.creation, DELETION.name: self.deletion}
        return others.get(name) or self.phases.get(name)

    def _named(self) -> tuple[tuple[LatencyRule, LatencySamples], ...]:
        """The latencies that every kind has."""
        return (
            (READY, self.phases[READY.name]),
            (CREATION, self.creation),
            (DELETION, self.deletion),
        )

    def _miss(self, record: ObjectRecord, into: SamplesOf[str], seen: Container[str]) -> None:
        for phase in missed_phases(record, self.path, seen):
            into[phase].add_missing()


def _doubt(samples: LatencySamples, origin_s: float, at_s: float, earliest_s: float | None) -> None:
    if earliest_s is not None:
        samples.doubt(at_s - origin_s, max(0.0, earliest_s - origin_s))


class Samples:
    """The samples of each workload, by kind; all objects come before the first child.

    Args:
        paths: Phases on the way to readiness, by kind.
        children: Whether there are any.
    """

    def __init__(self, paths: Mapping[str, tuple[str, ...]], *, children: bool) -> None:
        self._paths = paths
        self._request_times = RequestTimes(children=children)
        self._of: dict[tuple[str, bool], dict[str, LifeSamples]] = {}

    def add(self, record: ObjectRecord) -> None:
        """Count one object, or one child, apart from what churn did to it."""
        kinds = self._of.setdefault((record.workload, record.replica is None), {})
        samples = kinds.get(record.kind)
        if samples is None:
            samples = kinds[record.kind] = LifeSamples(self._paths.get(record.kind, ()))
        origin_s = self._request_times.of(record)
        if record.made_by is not None:
            if record.round is None and record.replaced_in is None:
                samples.measure_deletion(record)
            return
        before = apart_from_churn(record)
        if before is not None:
            samples.measure(before, origin_s, record.delete_requested_s)
        elif record.replaced_in is None:
            samples.measure_deletion(record)

    def of(self, workload: str, *, children: bool) -> Mapping[str, LifeSamples]:
        """What was measured of each kind; nothing where there are no records."""
        return self._of.get((workload, children), {})
