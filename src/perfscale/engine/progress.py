"""Tells listeners a few times a second where the run stands, and in long waits what for."""

from __future__ import annotations

import asyncio
import heapq
import logging
from collections import Counter
from typing import TYPE_CHECKING

from perfscale.engine.events import Progress, SlowObject, Stage, StageStarted, StillWaiting
from perfscale.engine.stuck import held_by

if TYPE_CHECKING:
    from collections.abc import Iterable

    from perfscale.engine.context import RunContext
    from perfscale.engine.creation import Creator
    from perfscale.engine.rows import IterationScope, TrackedObject

_log = logging.getLogger(__name__)

_PERIOD_S = 0.25
_RATE_WINDOW = 4
"""Periods over which the rate is averaged: one second."""
_STILL_WAITING_S = 10.0
_STILL_WAITING_MOST_S = 60.0
"""A wait is told of after ten seconds, then each time that it has doubled, and at
least every minute: half an hour of waiting must not fill the screen."""
_SLOWEST = 3


class Reporter:
    """Keeps what a progress event needs, and sends one in every period."""

    def __init__(self, context: RunContext, creator: Creator) -> None:
        self._context = context
        self._creator = creator
        self._stage = Stage.PREPARING
        self._entered_s = 0.0
        self._told_s = 0.0
        self._workload: str | None = None
        self._iteration: int | None = None
        self._scope: IterationScope | None = None
        self._targets = {plan.name: plan.qps for plan in context.plan.workloads}
        self._sent: list[int] = []

    def follow(self, scope: IterationScope) -> None:
        """Report on this iteration from now on."""
        self._scope = scope
        self._sent.clear()

    def enter(
        self,
        stage: Stage,
        workload: str | None = None,
        iteration: int | None = None,
        deadline_s: float | None = None,
    ) -> None:
        """The run turns to something else."""
        self._stage, self._workload, self._iteration = stage, workload, iteration
        self._entered_s = self._told_s = self._context.stopwatch.now()
        place = f"{workload}, iteration {iteration}: " if iteration is not None else ""
        _log.info("%s%s", place, stage.value)
        self._context.recorder.enter(stage, workload, iteration, self._entered_s)
        self._context.broadcast.send(StageStarted(stage, workload, iteration, deadline_s))
        self.report()

    async def run(self) -> None:
        """Report until cancelled."""
        while True:
            if self._scope is not None:
                self._sent = [*self._sent[-_RATE_WINDOW:], self._scope.sent]
            self.report()
            now = self._context.stopwatch.now()
            if now - self._told_s >= quiet_s(self._told_s - self._entered_s):
                self._told_s = now
                self._report_wait(now)
            await asyncio.sleep(_PERIOD_S)

    def report(self) -> None:
        """Report now."""
        scope = self._scope
        if scope is None or not self._context.broadcast.has_listeners:
            return
        spans = len(self._sent) - 1
        rate = (self._sent[-1] - self._sent[0]) / (spans * _PERIOD_S) if spans > 0 else 0.0
        self._context.broadcast.send(
            Progress(
                elapsed_s=self._context.stopwatch.now(),
                stage=self._stage,
                workload=self._workload,
                iteration=self._iteration,
                requested=scope.requested,
                sent=scope.sent,
                created=scope.created,
                ready=scope.ready,
                failed=scope.failed,
                deleted=scope.deleted,
                present_children=scope.present_children,
                in_flight=self._creator.in_flight,
                rate=rate,
                target=self._targets.get(scope.workload),
                phases=dict(+self._context.tracker.phases),
            )
        )

    def _report_wait(self, now: float) -> None:
        scope = self._scope
        if scope is None or not self._context.broadcast.has_listeners:
            return
        if self._stage is Stage.WAITING_READY:
            waiting = [(row.sent_s, row) for row in scope.objects if not row.settled]
        elif self._stage in {Stage.WAITING_GONE, Stage.CLEANING_UP}:
            waiting = [(row.delete_requested_s, row) for row in scope.rows if row.present]
        else:
            return
        self._context.broadcast.send(
            StillWaiting(
                stage=self._stage,
                waited_s=now - self._entered_s,
                missing=len(waiting),
                phases=Counter((row.resource.kind, row.phase or "") for _, row in waiting),
                slowest=_slowest(waiting, now, leaving=self._stage is not Stage.WAITING_READY),
            )
        )


def quiet_s(waited_s: float) -> float:
    """How long nothing is said of a wait, after it was last spoken of ``waited_s`` into it."""
    return min(max(waited_s, _STILL_WAITING_S), _STILL_WAITING_MOST_S)


def _slowest(
    waiting: Iterable[tuple[float | None, TrackedObject]], now: float, *, leaving: bool
) -> tuple[SlowObject, ...]:
    since = [(begun, row) for begun, row in waiting if begun is not None]
    return tuple(
        SlowObject(
            row.resource.kind,
            row.namespace,
            row.name,
            row.phase,
            now - begun,
            held_by(row.finalizers) if leaving else row.detail,
        )
        for begun, row in heapq.nsmallest(_SLOWEST, since, key=lambda pair: pair[0])
    )
