"""Runs that outlive the death of the API server, whenever it comes."""

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from clusters import MemorySink, real_cluster
from moments import AtMoment, Moment
from real_control_plane import RealControlPlane
from service_accounts import write_service_account
from workloads import config, objects, workload

from perfscale.engine.tracking.rows import TransitionKind
from perfscale.kube.cluster import ClusterOptions
from perfscale.results import Accounts, RunOutcome

COUNT = 300


@pytest.mark.parametrize(
    "change", [TransitionKind.CREATED, TransitionKind.READY, TransitionKind.DELETED]
)
async def test_a_server_killed_in_the_middle(
    change: TransitionKind,
    real_control_plane: RealControlPlane,
    at_moment: AtMoment,
    thread: ThreadPoolExecutor,
) -> None:
    sink = MemorySink()
    restarts: list[Future[None]] = []

    def kill() -> None:
        real_control_plane.stop_apiserver(kill=True)
        restarts.append(thread.submit(real_control_plane.start_apiserver))

    at_moment(Moment(change=change, count=COUNT * 2 // 5), kill)
    load = config(workload(objects(count=COUNT), maxWaitTimeout="120s"))
    async with real_cluster(real_control_plane, speed=100) as cluster:
        result = await cluster.run(load, sink=sink)
        assert [restart.result() for restart in restarts] == [None]
        assert result.problems == ()
        assert result.outcome is RunOutcome.PASSED
        assert result.accounts == Accounts(
            requested=COUNT, created=COUNT, ready=COUNT, deleted=COUNT
        )
        assert len({record.uid for record in sink.objects}) == COUNT
        assert await cluster.left_of(result.run_id) == {}


@pytest.mark.parametrize(
    "change", [TransitionKind.CREATED, TransitionKind.READY, TransitionKind.DELETED]
)
async def test_a_server_that_has_just_started_refuses_a_service_account_for_a_while(
    change: TransitionKind,
    real_control_plane: RealControlPlane,
    at_moment: AtMoment,
    thread: ThreadPoolExecutor,
    tmp_path: Path,
) -> None:
    name = f"load-{change.name.lower()}"
    kubeconfig = write_service_account(real_control_plane, name, tmp_path / "kubeconfig")
    restarts: list[Future[None]] = []
    at_moment(
        Moment(change=change, count=COUNT * 2 // 5),
        lambda: restarts.append(thread.submit(real_control_plane.restart_apiserver, kill=True)),
    )
    load = config(workload(objects(count=COUNT, namespace=name), maxWaitTimeout="120s"))
    async with real_cluster(real_control_plane, speed=100) as cluster:
        account = replace(cluster, options=ClusterOptions(kubeconfig=str(kubeconfig)))
        result = await account.run(load)
        assert [restart.result() for restart in restarts] == [None]
        assert result.problems == ()
        assert result.outcome is RunOutcome.PASSED
        assert result.accounts == Accounts(
            requested=COUNT, created=COUNT, ready=COUNT, deleted=COUNT
        )
        assert await cluster.left_of(result.run_id) == {}
