"""Every latency of an operation: from when to when it lasts, and for whom it is missing.

============  =====================  ===========================  ==============================
latency       from                   to                           missing if it was not reached,
                                                                  of operations that were
============  =====================  ===========================  ==============================
response      the request            the answer that accepts it   sent
effect        the request            first seen done              sent
a milestone   the request            first seen there             sent, and are not done
time in one   first seen there       seen at the next, or done    there
============  =====================  ===========================  ==============================

Percentiles, thresholds, aborts and pages all go by this table, of a live operation as of the
record of one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Final, Protocol

from perfscale.config.operations import OPERATIONS, VMI
from perfscale.config.sections.metrics import OperationLatency
from perfscale.results.measure.samples import SamplesOf
from perfscale.results.measure.statistics.percentiles import LatencySamples

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from perfscale.results.measure.blindness import BlindSpans
    from perfscale.results.model.operations import OperationRecord

_FOLLOWED: Final = {VMI: "VirtualMachineInstance"}
"""The kinds that show effects on objects of other kinds."""


MOST_EXACT: Final = 100_000
"""Samples of a latency that are kept as they are; of more, a sketch is."""


class _Life(Protocol):
    """What is known of an operation, by `OperationRecord` and by the life that it is made from."""

    @property
    def error(self) -> str | None: ...
    @property
    def sent_s(self) -> float | None: ...
    @property
    def answered_s(self) -> float | None: ...
    @property
    def done_s(self) -> float | None: ...
    @property
    def milestones(self) -> Mapping[str, float]: ...


def done_s(life: _Life) -> float | None:
    """When an operation was first seen done; None for what has failed."""
    return life.done_s if life.error is None else None


@dataclass(frozen=True, slots=True)
class OperationRule:
    """A row of the table.

    Attributes:
        name: Of the latency.
        times_s: From when to when it lasts; None for what never began, or was not reached yet.
        skippable: Whether an operation can be done without it, and then misses nothing.
    """

    name: str
    times_s: Callable[[_Life], tuple[float | None, float | None]]
    skippable: bool = False

    def is_skipped(self, life: _Life) -> bool:
        """Whether an operation that has not got there is not missing for that."""
        return self.skippable and done_s(life) is not None


_RESPONSE: Final = OperationRule(
    OperationLatency.RESPONSE.value, lambda life: (life.sent_s, life.answered_s)
)
_EFFECT: Final = OperationRule(
    OperationLatency.EFFECT.value, lambda life: (life.sent_s, done_s(life))
)


def operation_rule(latency: str, milestone: str | None = None) -> OperationRule:
    """The rule of a latency, one of `OperationLatency`; some are of a ``milestone``."""
    match latency, milestone:
        case OperationLatency.RESPONSE, None:
            return _RESPONSE
        case OperationLatency.EFFECT, None:
            return _EFFECT
        case OperationLatency.MILESTONE, str():
            return OperationRule(
                milestone,
                lambda life: (life.sent_s, life.milestones.get(milestone)),
                skippable=True,
            )
        case OperationLatency.TIME_IN, str():
            return OperationRule(milestone, lambda life: _stay(life, milestone))
    raise ValueError(f"there is no latency {latency} of {milestone}")


def _stay(life: _Life, milestone: str) -> tuple[float | None, float | None]:
    """From a milestone to the next that was seen, or until it was done."""
    since_s = life.milestones.get(milestone)
    if since_s is None:
        return None, None
    names = list(life.milestones)
    after = names.index(milestone) + 1
    if after < len(names):
        return since_s, max(since_s, life.milestones[names[after]])
    ended_s = done_s(life)
    return since_s, None if ended_s is None else max(since_s, ended_s)


@dataclass
class OperationSamples:
    """How long operations of one sort took: eight bytes for each sample, until they are folded."""

    operation: str
    response: LatencySamples = field(default_factory=LatencySamples)
    effect: LatencySamples = field(default_factory=LatencySamples)
    milestones: SamplesOf[str] = field(default_factory=SamplesOf)
    time_in: SamplesOf[str] = field(default_factory=SamplesOf)

    def measure(self, record: OperationRecord) -> None:
        """Take the latencies of one; one that was never sent is missing from nothing."""
        sent_s = record.sent_s
        if sent_s is None:
            return
        for rule, samples in ((_RESPONSE, self.response), (_EFFECT, self.effect)):
            _, reached_s = rule.times_s(record)
            if reached_s is None:
                samples.add_missing()
            else:
                samples.add(reached_s - sent_s)
        if record.milestones or record.done_s is None:
            self._measure_milestones(record, sent_s)

    def doubt(self, record: OperationRecord, blind: BlindSpans) -> None:
        """Note which may be shorter, since a moment came after a time in which nothing was seen."""
        sent_s, answered_s, at_s = record.sent_s, record.answered_s, done_s(record)
        if sent_s is None:
            return
        for samples, reached_s, kind in (
            (self.response, answered_s, None),
            (self.effect, at_s, None if at_s == answered_s else self._seen_by(record)),
        ):
            if reached_s is None:
                continue
            earliest_s = blind.earliest_s(kind, record.namespace, reached_s)
            if earliest_s is not None:
                samples.doubt(reached_s - sent_s, max(0.0, earliest_s - sent_s))

    def add(self, other: OperationSamples) -> None:
        """Count everything that ``other`` counted."""
        self.response.extend(other.response)
        self.effect.extend(other.effect)
        self.milestones.extend(other.milestones)
        self.time_in.extend(other.time_in)

    def fold(self) -> None:
        """Keep a bounded number of samples: of a load that goes round there is no end to them."""
        for samples in (
            self.response,
            self.effect,
            *self.milestones.values(),
            *self.time_in.values(),
        ):
            samples.fold(MOST_EXACT)

    def named(self, name: str) -> LatencySamples | None:
        """The samples of a latency, by its name for a person (see `OperationResult.latencies`)."""
        known = {"response": self.response, "effect": self.effect, **self.milestones}
        return known.get(name) or self.time_in.get(name.removeprefix("time in "))

    def _measure_milestones(self, record: OperationRecord, sent_s: float) -> None:
        seen = record.milestones
        for name, at_s in seen.items():
            self.milestones[name].add(at_s - sent_s)
        for (name, since_s), (_, until_s) in pairwise(seen.items()):
            self.time_in[name].add(max(0.0, until_s - since_s))
        ended_s = done_s(record)
        if seen:
            last = next(reversed(list(seen)))
            if ended_s is None:
                self.time_in[last].add_missing()
            else:
                self.time_in[last].add(max(0.0, ended_s - seen[last]))
        if ended_s is None:
            for name in OPERATIONS[self.operation].milestones:
                if name not in seen:
                    self.milestones[name].add_missing()

    def _seen_by(self, record: OperationRecord) -> str:
        """The kind whose watch shows the effect."""
        row = OPERATIONS[self.operation]
        return _FOLLOWED.get(row.follows, record.kind)


class SamplesOfOperations:
    """The samples of the operations of each workload, of a run whose records are read again."""

    def __init__(self) -> None:
        self._of: dict[tuple[str, str, str], OperationSamples] = {}

    def add(self, record: OperationRecord) -> None:
        """Count one."""
        key = (record.workload, record.operation, record.kind)
        samples = self._of.get(key)
        if samples is None:
            samples = self._of[key] = OperationSamples(record.operation)
        samples.measure(record)

    def of(self, workload: str, operation: str, kind: str) -> OperationSamples | None:
        """What was measured of one operation on one kind; None where there are no records."""
        return self._of.get((workload, operation, kind))
