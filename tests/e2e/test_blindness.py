"""What a run could not see in time, it says."""

from pathlib import Path

from faulty_runs import faulty_run
from workloads import config, objects, workload

from perfscale.results import RunOutcome
from perfscale.results.blindness import Cause

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
    assert any(each.cause is Cause.WATCH and each.until_s > gone.ended_s for each in of_vmis)
    running = result.kinds[VMI].phases["Running"]
    assert running.earliest is not None
    assert 0 < running.earliest.uncertain <= 60
    assert running.p99 is not None
    assert running.earliest.p99 is not None
    assert running.earliest.p99 <= running.p99
