"""Every latency of an object: from when to when it lasts, and for whom it is missing.

============  ======================  =====================  ===================================
latency       from                    to                     missing if it was not reached, of
============  ======================  =====================  ===================================
``creation``  the create request      its answer             objects that were sent
each phase    the create request      first seen in it       those on the way that are not ready
``Ready``     the create request      first seen ready       objects that were sent
a milestone   the create request      first seen so          objects that were sent, where one was
``deletion``  the request to delete   seen gone              those whose deletion was requested
============  ======================  =====================  ===================================

A child has no create request of its own: what it has counts from its owner's (see
`RequestTimes`), if that made it. Percentiles, thresholds, aborts and pages all go by this table,
of a live object as of the record of one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from perfscale.config.sections.metrics import MILESTONES, Latency

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator, Sequence

    from perfscale.results.model.records import ObjectRecord


class _Phases(Protocol):
    def get(self, phase: str, /) -> float | None: ...


class _Decided(Protocol):
    """What readiness is read off."""

    @property
    def ready_s(self) -> float | None: ...
    @property
    def error(self) -> str | None: ...


class _Life(Protocol):
    """What is known of an object, by `ObjectRecord` and by the life that it is made from."""

    @property
    def replica(self) -> int | None: ...
    @property
    def uid(self) -> str | None: ...
    @property
    def error(self) -> str | None: ...
    @property
    def sent_s(self) -> float | None: ...
    @property
    def created_s(self) -> float | None: ...
    @property
    def phases_s(self) -> _Phases: ...
    @property
    def ready_s(self) -> float | None: ...
    @property
    def delete_requested_s(self) -> float | None: ...
    @property
    def deleted_s(self) -> float | None: ...


@dataclass(frozen=True, slots=True)
class LatencyRule:
    """A row of the table.

    Attributes:
        name: Of the latency.
        times_s: From when to when it lasts, given from when the object's count; None for what
            never began, or was not reached yet. A single call, as it is made for each record.
        skippable: Whether an object can be ready without it, and then misses nothing.
    """

    name: str
    times_s: Callable[[_Life, float | None], tuple[float | None, float | None]]
    skippable: bool = False

    def is_skipped(self, life: _Life) -> bool:
        """Whether an object that has not got there is not missing for that."""
        return self.skippable and life.ready_s is not None


def ready_s(life: _Decided) -> float | None:
    """When an object was first seen ready; None for what has failed, also if it once was."""
    return life.ready_s if life.error is None else None


def missed_phases(record: ObjectRecord, path: Sequence[str], seen: Container[str]) -> Iterator[str]:
    """The phases on a way to readiness that an object, which is not ready, is missing from.

    One that was ready before it failed has passed all that lie before the last it was seen in.
    """
    for phase in reversed(path):
        if phase not in seen:
            yield phase
        elif record.ready_s is not None:
            return


CREATION: Final = LatencyRule(
    Latency.CREATION.value,
    lambda life, _: (
        None if life.replica is None else life.sent_s,
        None if life.uid is None else life.created_s,
    ),
)
READY: Final = LatencyRule(Latency.READY.value, lambda life, origin_s: (origin_s, ready_s(life)))
DELETION: Final = LatencyRule(
    Latency.DELETION.value, lambda life, _: (life.delete_requested_s, life.deleted_s)
)
_NAMED: Final = {rule.name: rule for rule in (CREATION, READY, DELETION)}


def latency_rule(name: str) -> LatencyRule:
    """The rule of a latency: one of the three, or else a phase, or a milestone."""
    return _NAMED.get(name) or LatencyRule(
        name,
        lambda life, origin_s: (origin_s, life.phases_s.get(name)),
        skippable=name not in MILESTONES,
    )


class RequestTimes:
    """From when latencies count: from an object's create request, and a child's from its owner's.

    That is what made the child, also by way of other children: the VMs of a pool make VMIs.
    Where no owner is one of the run's objects, they count from when the child was first seen.

    Args:
        children: Whether there are any. Each comes after its owner, which is remembered.
    """

    __slots__ = ("_requested_s",)

    def __init__(self, *, children: bool) -> None:
        self._requested_s: dict[str, float | None] | None = {} if children else None

    def of(self, record: ObjectRecord) -> float | None:
        """From when those of an object, or of a child, count; None for one that was never sent."""
        known = self._requested_s
        requested_s = record.sent_s
        if record.replica is None:
            requested_s = (known or {}).get(record.owner_uid or "", record.created_s)
        if known is not None and record.uid is not None:
            known[record.uid] = requested_s
        return requested_s
