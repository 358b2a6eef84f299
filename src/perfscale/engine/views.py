"""What others may see of a run while it goes on, and when it is over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perfscale.engine.snapshot import RunCourse, RunSnapshot

if TYPE_CHECKING:
    from perfscale.engine.accounting.progress import ProgressPublisher
    from perfscale.engine.accounting.run_accounting import RunAccounting
    from perfscale.engine.attribution.attributor import Attributor
    from perfscale.engine.context import RunContext
    from perfscale.engine.hooks.runner import HookRunner
    from perfscale.engine.tracking.observer import Observer
    from perfscale.results import RunResult


class RunViews:
    """Puts together, from what the parts of a run know, where it stands; it keeps nothing."""

    def __init__(
        self,
        context: RunContext,
        accounting: RunAccounting,
        progress: ProgressPublisher,
        observer: Observer,
        hooks: HookRunner,
        attributor: Attributor,
    ) -> None:
        self._context = context
        self._accounting = accounting
        self._progress = progress
        self._observer = observer
        self._hooks = hooks
        self._attributor = attributor

    def snapshot(self, result: RunResult | None) -> RunSnapshot:
        """Where it stands; ``result`` is there when it is over."""
        context, progress = self._context, self._progress
        inputs = context.inputs
        return RunSnapshot(
            run_id=inputs.info.run_id,
            server_version=inputs.info.cluster.version,
            started_at=inputs.info.started_at,
            elapsed_s=self._elapsed_s(result),
            stage=progress.stage if result is None else None,
            workload=progress.workload,
            stages=progress.stages if result is None else {},
            rates=progress.rates,
            targets=dict(progress.targets),
            objects=context.counter.counts(inputs.plan.workloads),
            operations=context.operation_counter.counts(inputs.plan.operations),
            phases=dict(context.tracker.phases),
            child_phases=dict(context.tracker.child_phases),
            in_flight=context.health.in_flight,
            most_in_flight=inputs.config.global_config.max_in_flight,
            calls=self._accounting.calls(),
            watch=self._observer.counts,
            lags=context.health.lags(),
        )

    def course(self, result: RunResult | None) -> RunCourse:
        """What happened so far beside the load; ``result`` is there when it is over."""
        context = self._context
        return RunCourse(
            # Watches may come back after the end, of which the result knows nothing.
            outages=context.gaps.outages if result is None else result.outages,
            blind_spans=tuple(context.gaps.blind) if result is None else result.blind_spans,
            hooks=self._hooks.records,
            stages=context.stages.spans(self._elapsed_s(result)),
            rounds=context.stages.rounds,
            iterations=context.stages.iterations,
            results=self._accounting.results(),
            requests=self._accounting.requests(),
            slowest=context.counter.slowest(),
            churn=context.counter.churn(),
            attribution=self._attributor.result,
        )

    def _elapsed_s(self, result: RunResult | None) -> float:
        return self._context.stopwatch.now() if result is None else result.duration_s
