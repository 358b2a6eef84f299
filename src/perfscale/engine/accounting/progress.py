"""Publishes twice a second where a run stands, and in long waits what it waits for."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from perfscale.config.sections.shape import rate_at
from perfscale.engine.accounting.load_progress import LoadProgress
from perfscale.engine.events import Progress, Stage, StageStarted
from perfscale.results import StageEntry

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from perfscale.engine.context import RunContext
    from perfscale.engine.iteration_context import IterationContext
    from perfscale.engine.tracking.owned import OwnedNamespace
    from perfscale.engine.tracking.rows import IterationScope
    from perfscale.results import OperationLife, RequestSums

_log = logging.getLogger(__name__)

_SENDING: Final = (Stage.CREATING, Stage.OPERATING)


class ProgressPublisher:
    """Sends a progress event in every period for each workload that goes on.

    Args:
        context: The run's.
        leaving: The run's namespaces that are being deleted.
        requests: What became of the run's requests until now.

    Attributes:
        stage: What the run turned to last.
    """

    def __init__(
        self,
        context: RunContext,
        leaving: Callable[[], Sequence[OwnedNamespace]],
        requests: Callable[[], RequestSums],
    ) -> None:
        self._context = context
        self._leaving = leaving
        self._requests = requests
        self._loads: dict[str, LoadProgress] = {}
        self.stage = Stage.PREPARING
        self._targets = {plan.name: plan.qps for plan in context.plan.workloads}
        self._workloads = {each.name: each for each in context.config.workloads}

    def shown(self, scope: IterationScope) -> IterationScope:
        """What is published of an iteration: its counts."""
        return scope

    def open_operations(self, scope: IterationScope) -> Collection[OperationLife]:
        """Those of an iteration that are neither done nor have failed."""
        iteration = self._context.iterations.get(scope)
        return () if iteration is None else iteration.open_operations

    def follow(self, scope: IterationScope, requested: int) -> None:  # noqa: ARG002 -- see fleet
        """An iteration begins: from now on it is what is published of its workload.

        ``requested`` is what it asks all generators of the run for, where there are several.
        """
        scope = self.shown(scope)
        load = self._loads.get(scope.workload)
        if load is not None:
            load.follow(scope)
            return
        # One that is over is kept until now: the run's last events are about something.
        self._loads = {name: each for name, each in self._loads.items() if not each.is_over}
        self._loads[scope.workload] = LoadProgress(scope)

    def attend(self, workload: str, scopes: Iterable[IterationScope]) -> None:
        """What is done next for a workload is about these iterations, all at a time."""
        if (load := self._loads.get(workload)) is not None:
            load.attend(map(self.shown, scopes))

    def finish(self, workload: str) -> None:
        """A workload is over; it is published only until there is another."""
        load = self._loads.get(workload)
        if load is not None:  # one that was stopped before its first iteration has none
            load.is_over = True

    def enter(
        self,
        stage: Stage,
        workload: str | None = None,
        iteration: int | None = None,
        deadline_s: float | None = None,
        round_number: int | None = None,
    ) -> None:
        """A workload turns to something else; without one, all of the run does."""
        self.stage = stage
        now = self._context.stopwatch.now()
        for name, load in self._loads.items():
            if workload in {None, name}:
                load.enter(stage, (workload, iteration), now)
                load.round = round_number
        place = f"{workload}, iteration {iteration}: " if iteration is not None else ""
        _log.info("%s%s", place, stage.value)
        self._context.stages.enter(now, stage, workload, round_number)
        self._context.journal.append(StageEntry(now, stage, workload, iteration, round_number))
        self._context.broadcast.send(
            StageStarted(stage, workload, iteration, deadline_s, round_number)
        )
        self.publish()

    def enter_iteration(
        self,
        iteration: IterationContext,
        stage: Stage,
        *,
        bounded: bool = False,
        round_number: int | None = None,
    ) -> None:
        """An iteration turns to something else; ``bounded``, to a wait with a deadline."""
        workload = iteration.workload
        self.enter(
            stage,
            workload.name,
            iteration.number,
            workload.max_wait_timeout if bounded else None,
            iteration.scope.round if round_number is None else round_number,
        )

    @property
    def targets(self) -> dict[str, float | None]:
        """Requests a second that are wanted now, by workload; None without a limit."""
        return {name: self._target(name) for name in self._targets}

    def _target(self, workload: str) -> float | None:
        load, settings = self._loads.get(workload), self._workloads[workload]
        if load is None or not settings.stages or load.stage not in _SENDING:
            return self._targets[workload]
        return rate_at(settings, self._context.stopwatch.now() - load.entered_s)

    @property
    def rates(self) -> dict[str, float]:
        """Creates sent in the last second, by workload."""
        return {name: load.rate for name, load in self._loads.items()}

    @property
    def stages(self) -> dict[str, Stage]:
        """What is done for each workload that goes on, or for the last."""
        return {load.workload: load.stage for load in self._shown()}

    @property
    def workload(self) -> str | None:
        """The workload that began last, of those that go on; None before the first."""
        return next(reversed(self._loads), None)

    def tick(self) -> None:
        """Sample how far the run has come, and publish it; called every `PERIOD_S`."""
        now = self._context.stopwatch.now()
        for load in self._loads.values():
            load.sample(now)
        self.publish()
        if not self._context.broadcast.has_listeners:
            return
        for load in self._shown():
            waited = load.wait(now, self._leaving(), self.open_operations(load.scopes[-1]))
            if waited is not None:
                self._context.broadcast.send(waited)

    def publish(self) -> None:
        """Send an event for each workload now."""
        if self._loads and self._context.broadcast.has_listeners:
            ready = self._context.counter.ready_latency.percentiles(0.5, 0.99)
            for load in self._shown():
                self._context.broadcast.send(self._progress(load, *ready))

    def _shown(self) -> list[LoadProgress]:
        loads = list(self._loads.values())
        return [load for load in loads if not load.is_over] or loads[-1:]

    def _progress(self, load: LoadProgress, p50: float | None, p99: float | None) -> Progress:
        context = self._context
        requests = self._requests()
        workload, iteration = load.place
        effect = context.operation_counter.effect_percentiles(load.workload, 0.5, 0.99)
        return Progress(
            elapsed_s=context.stopwatch.now(),
            stage=load.stage,
            workload=workload,
            iteration=iteration,
            requested=load.total("requested"),
            sent=load.total("sent"),
            created=load.total("created"),
            ready=load.total("ready"),
            failed=load.total("failed"),
            deleted=load.total("deleted"),
            present_children=load.total("present_children"),
            in_flight=context.health.in_flight,
            rate=load.rate,
            target=self._target(load.workload),
            phases=dict(+context.tracker.phases),
            child_phases=dict(+context.tracker.child_phases),
            ready_p50_s=p50,
            ready_p99_s=p99,
            request_errors=requests.server_errors
            + requests.connection_errors
            + requests.timeouts
            + requests.illegible,
            throttled=requests.throttled,
            remaining_s=load.remaining_s,
            round=load.round,
            operation=self._workloads[load.workload].operation,
            open=len(self.open_operations(load.scopes[-1])),
            effect_p50_s=effect[0],
            effect_p99_s=effect[1],
        )
