"""A run that is cancelled or interrupted at any of its awaits leaves nothing behind.

The same small run, with all that a run can wait for in it, is stepped through: the first time
it is cancelled at its first suspension, the next time at its second, until one ends before.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest
from faulty_runs import left_of
from stepping import Steps, run_in_steps
from workloads import config, objects, workload

from perfscale.engine import LoadGenerator, RunOptions
from perfscale.kube.cluster import Cluster, ClusterOptions, open_cluster
from perfscale.results import RunOutcome, RunResult
from perfscale.sim.cluster import SimulatedCluster
from perfscale.templates import TemplateDefaults

HANGS_S = 60.0
"""Only reached by a run that hangs."""


@dataclass
class SteppedRun:
    """One of many runs on the same cluster, each with a namespace to itself."""

    cluster: SimulatedCluster
    generator: LoadGenerator
    steps: Steps
    task: asyncio.Task[RunResult]

    @property
    def result(self) -> RunResult | None:
        return self.generator.result

    @property
    def left(self) -> dict[str, list[str]]:
        return left_of(self.cluster, self.generator.run_id)

    async def end(self) -> None:
        """Wait for its end, whatever that is."""
        async with asyncio.timeout(HANGS_S):
            await asyncio.wait([self.task])


class Runs:
    """Starts one small run after the other."""

    def __init__(self, cluster: SimulatedCluster, opened: Cluster) -> None:
        self._cluster = cluster
        self._opened = opened
        self._numbers = count(1)

    @contextlib.asynccontextmanager
    async def run(
        self, prepare: Callable[[SteppedRun], None], **options: float
    ) -> AsyncIterator[SteppedRun]:
        namespace = f"step-{next(self._numbers)}"
        load = config(
            workload(
                objects(count=1, namespace=namespace),
                objects("vm-ephemeral.yaml", 1, namespace=namespace),
                iterationCount=2,
                iterationInterval="1ms",
                waitWhenFinished="1ms",
                qps=1000,
                burst=1,
            )
        )
        generator = LoadGenerator(
            load,
            cluster=self._opened,
            options=RunOptions(defaults=TemplateDefaults(), **options),
        )
        async with generator:
            steps = Steps()
            task = run_in_steps(generator.run(), steps)
            run = SteppedRun(self._cluster, generator, steps, task)
            prepare(run)
            await run.end()
            yield run


@pytest.fixture
async def runs(tmp_path: Path) -> AsyncIterator[Runs]:
    async with SimulatedCluster(speed=1000, seed=1) as cluster:
        cluster.write_kubeconfig(tmp_path / "kubeconfig")
        options = ClusterOptions(kubeconfig=str(tmp_path / "kubeconfig"))
        async with await open_cluster(options) as opened:
            yield Runs(cluster, opened)


def assert_clean(run: SteppedRun) -> None:
    """Nothing of the run is left, and its result says so."""
    assert run.left == {}
    result = run.result
    if result is None:
        return  # it had not begun
    assert result.accounts.balanced
    assert result.accounts.requested == 4
    assert result.accounts.leftover == 0
    assert result.accounts.deleted == result.accounts.created
    assert result.namespaces.created == result.namespaces.deleted
    assert not result.remains


async def test_cancellation_at_any_await_cleans_up_and_is_raised(runs: Runs) -> None:
    for number in count(1):
        async with runs.run(lambda run: run.steps.at(number, run.task.cancel)) as run:
            assert_clean(run)
            if not run.steps.done:
                break  # it has ended before its turn came
            assert run.task.cancelled(), f"at {number}"
    assert number > 50


async def test_an_interrupt_at_any_await_cleans_up_and_is_in_the_result(runs: Runs) -> None:
    for number in count(1):
        async with runs.run(lambda run: run.steps.at(number, run.generator.interrupt)) as run:
            assert_clean(run)
            if not run.steps.done:
                break
            result = run.task.result()
            assert (result.outcome, result.exit_code) == (RunOutcome.INTERRUPTED, 130)
    assert number > 50


MOMENTS = {"in the creation": 70, "in the second iteration": 95}


@pytest.mark.parametrize("first", MOMENTS.values(), ids=MOMENTS)
async def test_a_second_cancellation_at_any_await_of_the_cleanup_stops_at_once(
    runs: Runs, first: int
) -> None:
    for number in count(1):

        def cancel_twice(run: SteppedRun, more: int = number) -> None:
            def cancel() -> None:
                run.task.cancel()
                run.steps.after(more, run.task.cancel)

            run.steps.at(first, cancel)

        async with runs.run(cancel_twice) as run:
            assert run.task.cancelled()
            assert run.result is not None
            assert run.result.accounts.balanced
            assert run.result.remains or run.left == {}
            if not run.steps.done:
                break
    assert number > 20
