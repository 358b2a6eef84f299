"""What a run could not see in time, it says."""

import asyncio
import time
from pathlib import Path

import pytest
from faulty_runs import faulty_run
from under_test import load_generator
from workloads import config, objects, workload

from perfscale.engine import RunOptions
from perfscale.engine.events import Stage, StageStarted
from perfscale.kube.cluster import ClusterOptions
from perfscale.results import RunOutcome, Validity
from perfscale.results.model.interruptions import Cause
from perfscale.sim.cluster import SimulatedCluster
from perfscale.templates import TemplateDefaults

pytestmark = pytest.mark.virtual_time

VMI = "VirtualMachineInstance"


async def test_an_outage_leaves_blind_spans_and_what_was_heard_of_after_them_is_uncertain(
    tmp_path: Path,
) -> None:
    load = config(workload(objects(count=60), qps=30, burst=1))
    outage = {"afterRequests": 70, "lasts": "1500ms"}
    async with faulty_run(tmp_path, load, speed=10, outages=[outage]) as run:
        result = run.result
    assert result.outcome is RunOutcome.PASSED
    assert [each.what for each in result.outages] == ["server"]
    (gone,) = result.outages
    assert gone.retries > 0
    assert gone.creates > 0
    of_vmis = [each for each in result.blind_spans if each.kind == VMI]
    back_s = gone.began_s + 1.4  # the server was gone for 1.5 s, of which some had passed
    assert any(each.cause is Cause.WATCH and each.until_s > back_s for each in of_vmis)
    running = result.kinds[VMI].phases["Running"]
    assert running.earliest is not None
    assert 0 < running.earliest.uncertain <= 60
    assert running.p99 is not None
    assert running.earliest.p99 is not None
    assert running.earliest.p99 <= running.p99


class StoppedClock:
    """Time that goes on while the process does not, as when it is stopped by a signal."""

    def __init__(self) -> None:
        self.stopped_s = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.stopped_s


async def test_a_generator_that_stands_still_in_a_wait_does_not_pass_for_a_slow_cluster(
    tmp_path: Path,
) -> None:
    clock = StoppedClock()
    kubeconfig = tmp_path / "stalled.kubeconfig"
    async with SimulatedCluster(speed=2, seed=1) as cluster:
        cluster.write_kubeconfig(kubeconfig)
        generator = load_generator(
            config(workload(objects(count=20))),
            cluster=ClusterOptions(kubeconfig=str(kubeconfig)),
            clock=clock,
            options=RunOptions(defaults=TemplateDefaults()),
        )
        async with generator:
            events = generator.events()
            run = asyncio.create_task(generator.run())
            async for event in events:
                if isinstance(event, StageStarted) and event.stage is Stage.WAITING_READY:
                    clock.stopped_s += 5.0
            result = await run
    stalls = [each for each in result.blind_spans if each.cause is Cause.GENERATOR]
    assert stalls
    assert stalls[0].until_s - stalls[0].began_s >= 5.0
    assert result.generator is not None
    assert result.generator.verdict is not Validity.VALID
    assert any("may be as little as" in reason for reason in result.generator.reasons)
