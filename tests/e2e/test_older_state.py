"""An etcd that is restored from an older copy while a run goes on."""

from pathlib import Path

import pytest
from faulty_runs import faulty_run
from workloads import config, objects, workload

from perfscale.results import RunOutcome

pytestmark = pytest.mark.virtual_time


async def test_a_run_tells_what_was_lost_and_waits_for_nothing_that_is_gone(
    tmp_path: Path,
) -> None:
    load = config(workload(objects(count=60), qps=30, burst=1, maxWaitTimeout="1h"))
    restored = {"copyAfterRequests": 40, "afterRequests": 70, "lasts": "1s"}
    async with faulty_run(tmp_path, load, speed=20, cluster={"restored": restored}) as run:
        accounts = run.result.accounts
        assert run.left == {}
    assert run.result.outcome is RunOutcome.FAILED
    assert accounts.balanced
    assert accounts.failed > 0
    assert accounts.ready + accounts.failed == accounts.requested
    assert (accounts.unready, accounts.leftover) == (0, 0)
    assert {record.error for record in run.sink.objects if record.error} == {
        "it was lost when the cluster went back to an older state"
    }
