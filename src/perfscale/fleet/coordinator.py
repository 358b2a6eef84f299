"""A run of several generators, used as a run of one is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from perfscale.engine.generator import LoadGenerator
from perfscale.engine.inputs import RunOptions
from perfscale.engine.sharding.shard import COORDINATOR, Shard
from perfscale.fleet.published.merging import MergedSink
from perfscale.fleet.run import CoordinatorRun, Crew
from perfscale.fleet.share import refuse
from perfscale.templates import TemplateDefaults

if TYPE_CHECKING:
    from collections.abc import Callable

    from perfscale.config import Config
    from perfscale.engine.inputs import RunInputs
    from perfscale.engine.run import Run
    from perfscale.engine.stopwatch import Stopwatch
    from perfscale.fleet.transport import Transport
    from perfscale.kube.cluster import Cluster, ClusterOptions
    from perfscale.preflight import Plan
    from perfscale.results import ResultSink, RunInfo


class Coordinator(LoadGenerator):
    """Runs the workloads of a file with several generators: one run id, one rate, one result.

    It is a `LoadGenerator` without a load of its own: preflight, namespaces, hooks, deadlines,
    cleanup and results are its.

    Args:
        config: The workload file.
        transport: What starts the generators.
        generators: How many.
        cluster: As `LoadGenerator` takes it. The generators open it by themselves, if it is not
            an open one.
        run_id: Value of the run's label; None makes a new UUID.
        results: Where the records go; None keeps only the result.
        clock: Monotonic clock, in seconds; for tests.
        options: What is not in the workload file.
    """

    def __init__(
        self,
        config: Config,
        transport: Transport,
        *,
        generators: int,
        cluster: Cluster | ClusterOptions | None = None,
        run_id: str | None = None,
        results: ResultSink | None = None,
        clock: Callable[[], float] | None = None,
        options: RunOptions | None = None,
    ) -> None:
        if generators < 1:
            raise ValueError("a run has at least one generator")
        super().__init__(
            config,
            cluster=cluster,
            run_id=run_id,
            results=results,
            clock=clock,
            options=_resolved(options or RunOptions()),
        )
        self._transport = transport
        self._count = generators
        self._merged = MergedSink(results)
        self._shard = Shard(COORDINATOR, generators)

    async def preflight(self) -> Plan:
        """As that of `LoadGenerator`.

        Raises:
            FleetError: Several generators cannot run this workload file; with everything in the
                way.
        """
        plan = await super().preflight()
        refuse(self._config, self._compiled.factories, plan, self._count)
        return plan

    def _describe(self, plan: Plan, stopwatch: Stopwatch) -> RunInfo:
        return replace(super()._describe(plan, stopwatch), generators=self._count)

    def _begin_results(self, info: RunInfo) -> ResultSink:
        self._merged.begin(info)
        return self._merged

    def _make_run(self, inputs: RunInputs) -> Run:
        crew = Crew(self._transport, self._count, self._given)
        return CoordinatorRun(inputs, crew, self._merged)


def _resolved(options: RunOptions) -> RunOptions:
    """The same, with what the environment says: the generators have another."""
    return replace(options, defaults=options.defaults or TemplateDefaults.from_environment())
