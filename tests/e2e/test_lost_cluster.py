"""A cluster that goes away for good ends the run within its bound, and the run says so."""

import asyncio
import signal
from pathlib import Path

import pytest
from clusters import MemorySink
from faulty_runs import left_of
from moments import MOMENTS, AtMoment, Moment
from under_test import load_generator
from workloads import config, objects, workload

from perfscale.engine import LoadGenerator, RunOptions
from perfscale.engine.events import Stage
from perfscale.kube.cluster import ClusterOptions
from perfscale.results import RunOutcome
from perfscale.sim.cluster import SimulatedCluster
from perfscale.templates import TemplateDefaults

LOAD = config(workload(objects(count=20), qps=200, burst=5))
LATER = 60.0
"""What a run may take at the most; more is a run that hangs."""


def generator(cluster: SimulatedCluster, directory: Path, sink: MemorySink) -> LoadGenerator:
    kubeconfig = directory / "kubeconfig"
    cluster.write_kubeconfig(kubeconfig)
    return load_generator(
        LOAD,
        cluster=ClusterOptions(kubeconfig=str(kubeconfig), max_unavailable_s=0.5),
        results=sink,
        options=RunOptions(defaults=TemplateDefaults()),
    )


@pytest.mark.parametrize(
    "moment",
    [
        "before the first create",
        "in the middle of the creates",
        "in the middle of the creation wait",
        "in the middle of the deletion wait",
    ],
)
async def test_a_cluster_that_does_not_come_back_ends_the_run(
    moment: str, at_moment: AtMoment, tmp_path: Path
) -> None:
    sink = MemorySink()
    # Slow enough for the server to be gone before the deletion is over.
    async with SimulatedCluster(speed=10, seed=1) as cluster, asyncio.TaskGroup() as tasks:
        at_moment(MOMENTS[moment], lambda: tasks.create_task(cluster._server.listener.go_away()))
        async with generator(cluster, tmp_path, sink) as run, asyncio.timeout(LATER):
            result = await run.run()
        left = left_of(cluster, run.run_id)
    assert (result.outcome, result.exit_code) == (RunOutcome.FAILED, 4)
    assert any("connection refused" in each for each in result.problems)
    assert result.accounts.balanced
    assert result.requests["outages"] > 0
    assert sink.result is result
    assert result.remains or not left


async def test_a_cluster_that_goes_away_during_the_cleanup_leaves_what_it_says(
    at_moment: AtMoment, tmp_path: Path
) -> None:
    sink = MemorySink()
    async with SimulatedCluster(speed=100, seed=1) as cluster, asyncio.TaskGroup() as tasks:
        at_moment(
            Moment(Stage.CLEANING_UP),
            lambda: tasks.create_task(cluster._server.listener.go_away()),
        )
        async with generator(cluster, tmp_path, sink) as run, asyncio.timeout(LATER):
            at_moment(
                MOMENTS["in the middle of the creation wait"],
                lambda: run.interrupt(signal.SIGINT),
            )
            result = await run.run()
    assert (result.outcome, result.exit_code) == (RunOutcome.INTERRUPTED, 130)
    assert result.remains
    assert any(each.startswith("the cleanup failed: ") for each in result.problems)
    assert result.accounts.balanced
    assert sink.result is result
