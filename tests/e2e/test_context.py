"""A generator as a context: what works only inside, and how leaving it waits for its run."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from faulty_runs import left_of
from under_test import load_generator
from workloads import config, objects, workload

from perfscale.engine import LoadGenerator, RunOptions
from perfscale.engine.events import Stage, StageStarted
from perfscale.kube.cluster import ClusterOptions
from perfscale.results import RunOutcome
from perfscale.sim.cluster import SimulatedCluster
from perfscale.templates import TemplateDefaults

HANGS_S = 30.0
INSIDE = r"inside its context: async with LoadGenerator\(config\) as generator"


@pytest.fixture
async def cluster() -> AsyncIterator[SimulatedCluster]:
    async with SimulatedCluster(speed=100, seed=1) as cluster:
        yield cluster


@pytest.fixture
async def slower() -> AsyncIterator[SimulatedCluster]:
    """A cluster in which a cleanup ends later than in the other one."""
    async with SimulatedCluster(speed=4, seed=1) as cluster:
        yield cluster


def generator(cluster: SimulatedCluster, tmp_path: Path) -> LoadGenerator:
    """One whose run does not end by itself."""
    load = config(
        workload(
            objects(count=3),
            waitWhenFinished="1h",
            iterationCleanup=False,
            iterationDeletionWait=False,
        )
    )
    cluster.write_kubeconfig(tmp_path / "kubeconfig")
    access = ClusterOptions(kubeconfig=str(tmp_path / "kubeconfig"))
    options = RunOptions(defaults=TemplateDefaults())
    return load_generator(load, cluster=access, options=options)


async def pausing(generator: LoadGenerator) -> None:
    """Wait until the run has done all but to wait."""
    async for event in generator.events():
        if isinstance(event, StageStarted) and event.stage is Stage.PAUSING:
            return


async def test_what_needs_the_cluster_is_refused_outside(
    cluster: SimulatedCluster, tmp_path: Path
) -> None:
    outside = generator(cluster, tmp_path)
    for work in (outside.run, outside.preflight, outside.dry_run):
        with pytest.raises(RuntimeError, match=INSIDE):
            await work()
    async with outside:
        await outside.preflight()
    with pytest.raises(RuntimeError, match=INSIDE):
        await outside.run()
    assert left_of(cluster, outside.run_id) == {}


async def test_two_runs_that_are_gathered_in_a_timeout_both_have_a_result(
    cluster: SimulatedCluster, slower: SimulatedCluster, tmp_path: Path
) -> None:
    (tmp_path / "slower").mkdir()
    one, two = generator(cluster, tmp_path), generator(slower, tmp_path / "slower")

    async def run_both() -> None:
        async with one, two, asyncio.timeout(HANGS_S) as bound:

            async def expire() -> None:
                await asyncio.gather(pausing(one), pausing(two))
                bound.reschedule(0)

            await asyncio.gather(one.run(), two.run(), expire())

    with pytest.raises(TimeoutError):
        await run_both()
    for each, where in ((one, cluster), (two, slower)):
        assert each.result is not None
        assert each.result.outcome is RunOutcome.INTERRUPTED
        assert each.result.accounts.created == each.result.accounts.deleted == 3
        assert left_of(where, each.run_id) == {}


async def test_leaving_interrupts_a_run_that_goes_on_and_waits_for_its_cleanup(
    cluster: SimulatedCluster, tmp_path: Path
) -> None:
    async with generator(cluster, tmp_path) as it:
        running = asyncio.create_task(it.run())
        await pausing(it)
    result = await running
    assert result.outcome is RunOutcome.INTERRUPTED
    assert left_of(cluster, result.run_id) == {}
