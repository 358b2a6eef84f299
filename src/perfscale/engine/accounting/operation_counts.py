"""Counts what happens to operations, by workload, for snapshots of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perfscale.engine.snapshot import OperationCounts
from perfscale.results import Sketch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perfscale.engine.tracking.operations.tracked import TrackedOperation
    from perfscale.preflight import OperationPlan


class _Counted:
    """What happened to the operations of one workload."""

    __slots__ = ("accepted", "done", "effect", "failed", "response", "sent")

    def __init__(self) -> None:
        self.sent = self.accepted = self.done = self.failed = 0
        self.response = Sketch()
        self.effect = Sketch()


class OperationCounter:
    """Counts the operations of a run; these only grow, as a monitoring system wants them."""

    def __init__(self) -> None:
        self._of: dict[str, _Counted] = {}

    def send(self, operation: TrackedOperation) -> None:
        """Its request is on its way."""
        self._counted(operation).sent += 1

    def accept(self, operation: TrackedOperation) -> None:
        """It was answered with success."""
        counted = self._counted(operation)
        counted.accepted += 1
        if operation.answered_s is not None and operation.sent_s is not None:
            counted.response.count(operation.answered_s - operation.sent_s)

    def decide(self, operation: TrackedOperation) -> None:
        """It is done, or has failed."""
        counted = self._counted(operation)
        if operation.error is not None:
            counted.failed += 1
            return
        counted.done += 1
        if operation.done_s is not None and operation.sent_s is not None:
            counted.effect.count(operation.done_s - operation.sent_s)

    def effect_percentiles(self, workload: str, *quantiles: float) -> list[float | None]:
        """Of the time from request to effect, of the operations of a workload that are done."""
        counted = self._of.get(workload)
        return (
            [None] * len(quantiles) if counted is None else counted.effect.percentiles(*quantiles)
        )

    def counts(self, plans: Mapping[str, OperationPlan]) -> tuple[OperationCounts, ...]:
        """The counts of each workload, those included that have not begun."""
        return tuple(self._frozen(workload, plan) for workload, plan in plans.items())

    def _frozen(self, workload: str, plan: OperationPlan) -> OperationCounts:
        counted = self._of.get(workload) or _Counted()
        return OperationCounts(
            workload=workload,
            operation=plan.operation.name,
            kind=plan.target.kind_name,
            sent=counted.sent,
            accepted=counted.accepted,
            done=counted.done,
            failed=counted.failed,
            response=counted.response.copy(),
            effect=counted.effect.copy(),
        )

    def _counted(self, operation: TrackedOperation) -> _Counted:
        workload = operation.scope.workload
        counted = self._of.get(workload)
        if counted is None:
            counted = self._of[workload] = _Counted()
        return counted
