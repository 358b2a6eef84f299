"""Runs that outlive the death of the API server, whenever it comes."""

from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from clusters import MemorySink, real_cluster
from moments import AtMoment, Moment
from real_control_plane import RealControlPlane
from workloads import config, objects, workload

from perfscale.engine.rows import Change
from perfscale.results import Accounts, RunOutcome

COUNT = 300


@pytest.mark.parametrize("change", [Change.CREATED, Change.READY, Change.DELETED])
async def test_a_server_killed_in_the_middle(
    change: Change,
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
