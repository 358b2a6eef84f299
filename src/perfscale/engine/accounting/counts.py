"""Counts what happens to objects, by workload and kind, for snapshots and progress of a run.

An iteration's own counts are corrected when more becomes known, and forgotten
with it. These only grow, as a monitoring system wants them.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from perfscale.engine.snapshot import ObjectCounts
from perfscale.engine.tracking.rows import TransitionKind
from perfscale.results import DELETION, ChurnTally, ObjectRecord, Sketch, Slowest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from perfscale.results import (
        ChurnResult,
        LatencySummary,
        ObjectLife,
        WorkloadPlan,
    )


class _Counted:
    """What happened to the objects of one workload and kind."""

    __slots__ = (
        "churn", "churned_ready", "created", "deleted", "failed", "first_ready", "ready", "sent",
    )  # fmt: skip

    def __init__(self) -> None:
        self.sent = self.created = self.ready = self.failed = self.deleted = 0
        self.first_ready, self.churned_ready = Sketch(), Sketch()
        self.churn: ChurnTally | None = None

    @property
    def ready_latency(self) -> Sketch:
        """Of what churn created too; one that does not count on."""
        latency = self.first_ready.copy()
        latency.add(self.churned_ready)
        return latency

    def of_churn(self) -> ChurnTally:
        """What rounds of churn came to, from the first of them on."""
        if self.churn is None:
            self.churn = ChurnTally()
        return self.churn

    def frozen(self, workload: str, kind: str, requested: int) -> ObjectCounts:
        return ObjectCounts(
            workload=workload,
            kind=kind,
            requested=requested,
            sent=self.sent,
            created=self.created,
            ready=self.ready,
            failed=self.failed,
            deleted=self.deleted,
            ready_latency=self.ready_latency,
            first_ready_latency=self.first_ready.copy(),
        )


class ObjectCounter:
    """Counts the objects of a run; children count for nothing here."""

    def __init__(self) -> None:
        self._of: dict[tuple[str, str], _Counted] = {}
        self._churned: Counter[tuple[str, str]] = Counter()
        self._slowest: Slowest[ObjectLife | ObjectRecord] = Slowest()

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
                latency_s = row.ready_s - row.sent_s
                if latency_s > self._slowest.bound_s:
                    self._slowest.add(row)
                if row.round is None:
                    counted.first_ready.count(latency_s)
                else:
                    counted.churned_ready.count(latency_s)
                    counted.of_churn().count_ready(row.round, latency_s)
        elif change is TransitionKind.DELETED:
            counted.deleted += 1
            if row.replaced_in is not None:
                asked_s, gone_s = DELETION.times_s(row, None)
                if asked_s is not None and gone_s is not None:
                    counted.of_churn().count_gone(row.replaced_in, gone_s - asked_s)
        elif change is TransitionKind.FAILED:
            counted.failed += 1

    def slowest(self) -> tuple[ObjectRecord, ...]:
        """The objects that took longest to be ready, the slowest first."""
        return tuple(map(_record, self._slowest.found()))

    def let_go(self, rows: Iterable[ObjectLife]) -> None:
        """Nothing more becomes known of these: of the slowest among them, the record is kept."""
        self._slowest.replace(rows, _record)

    def churn(self) -> dict[tuple[str, str], ChurnResult]:
        """What rounds of churn came to, by workload and kind."""
        found = {key: counted.churn for key, counted in self._of.items()}
        return {key: churn.result() for key, churn in found.items() if churn is not None}

    @property
    def ready_latency(self) -> Sketch:
        """Seconds from sending the create request to ready, of all that are."""
        total = Sketch()
        for counted in self._of.values():
            total.add(counted.ready_latency)
        return total

    def ready_latency_of(self, workload: str, kind: str) -> LatencySummary:
        """Seconds from sending the create request to ready, of a workload's objects of a kind."""
        counted = self._of.get((workload, kind))
        return (Sketch() if counted is None else counted.ready_latency).summarize()

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


def _record(life: ObjectLife | ObjectRecord) -> ObjectRecord:
    return life if isinstance(life, ObjectRecord) else life.record()
