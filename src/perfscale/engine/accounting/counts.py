"""Counts what happens to objects, by workload and kind, for snapshots and progress of a run.

An iteration's own counts are corrected when more becomes known, and forgotten
with it. These only grow, as a monitoring system wants them.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from perfscale.engine.snapshot import ObjectCounts
from perfscale.engine.tracking.rows import TransitionKind
from perfscale.results import Sketch

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from perfscale.results import ObjectLife, WorkloadPlan


class _Counted:
    """What happened to the objects of one workload and kind."""

    __slots__ = ("created", "deleted", "failed", "ready", "ready_latency", "sent")

    def __init__(self) -> None:
        self.sent = self.created = self.ready = self.failed = self.deleted = 0
        self.ready_latency = Sketch()

    def frozen(self, workload: str, kind: str, requested: int) -> ObjectCounts:
        counts = {name: getattr(self, name) for name in self.__slots__ if name != "ready_latency"}
        ready_latency = self.ready_latency.copy()
        return ObjectCounts(workload, kind, requested, **counts, ready_latency=ready_latency)


class ObjectCounter:
    """Counts the objects of a run; children count for nothing here."""

    def __init__(self) -> None:
        self._of: dict[tuple[str, str], _Counted] = {}
        self._churned: Counter[tuple[str, str]] = Counter()

    def request(self, workload: str, objects: Mapping[str, int]) -> None:
        """Rounds of churn ask for more objects of a workload, by kind."""
        self._churned.update({(workload, kind): count for kind, count in objects.items()})

    def send(self, row: ObjectLife) -> None:
        """Its create request is on its way."""
        self._counted(row).sent += 1

    def change(self, row: ObjectLife, change: TransitionKind) -> None:
        """Something happened to an object."""
        counted = self._counted(row)
        if change is TransitionKind.CREATED:
            counted.created += 1
        elif change is TransitionKind.READY:
            counted.ready += 1
            if row.ready_s is not None and row.sent_s is not None:
                counted.ready_latency.count(row.ready_s - row.sent_s)
        elif change is TransitionKind.DELETED:
            counted.deleted += 1
        elif change is TransitionKind.FAILED:
            counted.failed += 1

    @property
    def ready_latency(self) -> Sketch:
        """Seconds from sending the create request to ready, of all that are."""
        total = Sketch()
        for counted in self._of.values():
            total.add(counted.ready_latency)
        return total

    def counts(self, workloads: Iterable[WorkloadPlan]) -> tuple[ObjectCounts, ...]:
        """The counts of each workload and kind, those included that have not begun."""
        return tuple(
            (self._of.get((plan.name, kind)) or _Counted()).frozen(
                plan.name, kind, requested + self._churned[plan.name, kind]
            )
            for plan in workloads
            for kind, requested in plan.objects.items()
        )

    def _counted(self, row: ObjectLife) -> _Counted:
        key = (row.scope.workload, row.resource.kind_name)
        counted = self._of.get(key)
        if counted is None:
            counted = self._of[key] = _Counted()
        return counted
