"""Workloads of one run that go on at the same time: nothing of one is counted for the other."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest
from clusters import CONFIGMAPS, VMIS, ClusterUnderTest
from processes import until
from under_test import load_generator
from workloads import config, objects, template, workload

from perfscale.config import Config
from perfscale.engine import RunOptions
from perfscale.engine.events import Progress
from perfscale.engine.snapshot import RunSnapshot
from perfscale.results import (
    Accounts,
    CallResult,
    RunFolder,
    RunOutcome,
    RunResult,
    WorkloadResult,
    rebuild_results,
)
from perfscale.templates import TemplateDefaults

pytestmark = pytest.mark.virtual_time

CONFIGMAP = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: map-{{ iteration }}-{{ replica }}
"""


def two_loads(directory: Path, **slow: object) -> Config:
    maps = template(directory, CONFIGMAP)
    return config(
        workload(
            objects(count=20),
            name="machines",
            iterationCount=2,
            qps=40,
            burst=1,
            background=True,
            **slow,
        ),
        workload(objects(maps, 30), name="maps", iterationCount=3, qps=60, burst=1),
    )


def creates_of(calls: Iterable[CallResult]) -> Counter[str]:
    return Counter({call.resource: call.sent for call in calls if call.verb == "create"})


def check_rates(load: WorkloadResult, qps: float, count: int) -> None:
    for iteration in load.iterations:
        assert iteration.rate.creates == count
        assert iteration.rate.target == qps
        assert iteration.rate.sent is not None
        # The clock is the machine's: it may have been late, but nobody sends more than was wanted.
        assert qps / 4 < iteration.rate.sent <= qps * 1.05


async def test_each_has_its_own_accounts_requests_and_rates_and_they_add_up(
    simulated: ClusterUnderTest, tmp_path: Path
) -> None:
    seen: dict[str | None, set[int | None]] = {}
    snapshots: list[RunSnapshot] = []
    async with load_generator(
        two_loads(tmp_path),
        cluster=simulated.options,
        results=RunFolder(tmp_path / "run"),
        options=RunOptions(defaults=TemplateDefaults()),
    ) as generator:

        async def listen() -> None:
            async for event in generator.events():
                if isinstance(event, Progress):
                    seen.setdefault(event.workload, set()).add(event.iteration)
                    assert event.requested == {"machines": 20, "maps": 30}[event.workload or ""]
                    snapshots.append(generator.snapshot())  # type: ignore[arg-type]

        listening = asyncio.create_task(listen())
        await asyncio.sleep(0)
        result = await generator.run()
        await listening

    machines, maps = result.workloads
    check_books(result, machines, maps)
    check_rates(machines, 40, 20)
    check_rates(maps, 60, 30)
    assert seen == {"machines": {1, 2}, "maps": {1, 2, 3}}
    assert any(set(each.stages) == {"machines", "maps"} for each in snapshots)
    assert any(each.rates.keys() == {"machines", "maps"} for each in snapshots)
    assert await simulated.left_of(result.run_id) == {}
    overlaps = (
        min(one.finished_s, other.finished_s) - max(one.started_s, other.started_s)
        for one in machines.iterations
        for other in maps.iterations
    )
    assert max(overlaps) > 0
    # Its journal tells the same of each.
    folder = (tmp_path / "run" / "latest").resolve()
    for name in ("summary.json", "objects.ndjson"):
        (folder / name).unlink()
    rebuilt = rebuild_results(folder).result
    assert rebuilt.accounts == result.accounts
    check_books(rebuilt, *rebuilt.workloads)


def check_books(result: RunResult, machines: WorkloadResult, maps: WorkloadResult) -> None:
    assert machines.accounts == Accounts(requested=40, created=40, ready=40, deleted=40)
    assert maps.accounts == Accounts(requested=90, created=90, ready=90, deleted=90)
    assert machines.accounts + maps.accounts == result.accounts
    for load, resource, count in ((machines, VMIS, 20), (maps, CONFIGMAPS, 30)):
        for iteration in load.iterations:
            assert iteration.problems == ()
            assert iteration.accounts.created == count
            assert creates_of(iteration.calls)[resource.plural] == count
        total = sum((creates_of(each.calls) for each in load.iterations), Counter())
        assert creates_of(load.calls) == total
    assert creates_of(machines.calls)["configmaps"] == 0
    assert creates_of(maps.calls)["virtualmachineinstances"] == 0
    of_both = creates_of(machines.calls) + creates_of(maps.calls)
    assert {resource: creates_of(result.calls)[resource] for resource in of_both} == of_both
    assert sum(call.sent for call in result.calls) == result.requests["sent"]


async def test_a_namespace_stays_while_another_load_may_need_it(
    simulated: ClusterUnderTest, tmp_path: Path
) -> None:
    result = await simulated.run(two_loads(tmp_path, iterationInterval="1s"))
    assert result.outcome is RunOutcome.PASSED, result.problems
    assert result.namespaces.created == result.namespaces.deleted


async def test_a_threshold_of_one_ends_no_run_for_what_the_other_was_answered(
    simulated: ClusterUnderTest, tmp_path: Path
) -> None:
    await simulated.create_namespace("density-1")
    await simulated.create_configmap("density-1", "map-1-1")  # and so is refused
    maps = template(tmp_path, CONFIGMAP)
    none, some = ({"metric": "apiErrors", "max": count, "abortOnFail": True} for count in (0, 1))
    result = await simulated.run(
        config(
            workload(
                objects(count=20), name="machines", qps=10, background=True, thresholds=[none]
            ),
            workload(objects(maps, 3), name="maps", thresholds=[some]),
        )
    )
    assert result.error is None
    assert [(each.workload, each.value) for each in result.thresholds] == [
        ("machines", 0),
        ("maps", 1),
    ]
    machines, others = result.workloads
    # It ends because the other has failed, and is cleaned up.
    assert machines.accounts.balanced
    assert (machines.accounts.requested, machines.accounts.failed) == (20, 0)
    assert machines.accounts.deleted == machines.accounts.created
    assert (others.accounts.created, others.accounts.failed) == (2, 1)


async def test_an_interrupt_ends_all_that_go_on_and_leaves_nothing(
    simulated: ClusterUnderTest, tmp_path: Path
) -> None:
    async with simulated.generator(two_loads(tmp_path, iterationInterval="60s")) as generator:

        async def interrupt() -> None:
            sent: Counter[str] = Counter()
            async for event in generator.events():
                if isinstance(event, Progress):
                    sent[event.workload or ""] = max(sent[event.workload or ""], event.sent)
                if sent["machines"] and sent["maps"]:
                    generator.interrupt()
                    return

        interrupting = asyncio.create_task(interrupt())
        await asyncio.sleep(0)
        result = await generator.run()
        await interrupting
    assert result.outcome is RunOutcome.INTERRUPTED
    for load in result.workloads:
        assert load.accounts.balanced
        assert load.accounts.created == load.accounts.deleted > 0
    assert await simulated.left_of(result.run_id) == {}


async def test_what_fails_in_the_background_ends_the_run_and_its_iterations_are_cleaned_up(
    cluster: ClusterUnderTest, tmp_path: Path
) -> None:
    await cluster.create_namespace("density-1")
    await cluster.create_configmap("density-1", "map-1-1")  # and so is refused
    maps = template(tmp_path, CONFIGMAP)
    result = await cluster.run(
        config(
            workload(objects(maps, 2), name="maps", qps=20, background=True),
            workload(objects(count=500), name="machines", qps=5, burst=1),
            workload(objects(count=5), name="never"),
        )
    )
    assert result.outcome is RunOutcome.FAILED
    maps_result, machines, never = result.workloads
    assert maps_result.accounts.failed == 1
    assert machines.accounts.balanced
    assert 0 < machines.accounts.not_attempted < 500
    assert machines.accounts.created == machines.accounts.deleted
    assert never.accounts == Accounts(requested=5, not_attempted=5)
    assert await cluster.left_of(result.run_id) == {}


async def test_reads_in_the_background_go_round_until_no_other_load_is_left(
    simulated: ClusterUnderTest, tmp_path: Path
) -> None:
    maps = template(tmp_path, CONFIGMAP)
    reads = {
        "name": "reads",
        "operation": "list",
        "targets": {"kind": "Namespace", "apiVersion": "v1"},
        "qps": 30,
        "background": True,
    }
    result = await simulated.run(
        config(reads, workload(objects(maps, 20), name="maps", qps=20, burst=1))
    )
    assert result.outcome is RunOutcome.PASSED, result.problems
    found, created = result.workloads
    assert created.accounts == Accounts(requested=20, created=20, ready=20, deleted=20)
    (listed,) = found.operations
    assert listed.accounts.requested == listed.accounts.done > 5
    sent = sum(call.sent for call in found.calls if call.verb == "list")
    assert sent >= listed.accounts.requested


async def test_one_that_the_end_of_the_others_stops_before_its_first_iteration_is_over(
    simulated: ClusterUnderTest, tmp_path: Path
) -> None:
    await simulated.create_namespace("theirs")
    await simulated.create_configmap("theirs", "map")
    reads = {
        "name": "reads",
        "operation": "get",
        "targets": {"kind": "ConfigMap", "apiVersion": "v1", "namespace": "theirs"},
        "qps": 30,
        "background": True,
        "hooks": [{"when": "beforeIteration", "run": ["sleep", "600"], "timeout": "1h"}],
    }
    maps = template(tmp_path, CONFIGMAP)
    result = await simulated.run(config(reads, workload(objects(maps, 5), name="maps")))
    assert result.outcome is RunOutcome.PASSED, (result.problems, result.error)
    assert [len(each.iterations) for each in result.workloads] == [0, 1]


def three_loads(directory: Path) -> Config:
    """Reads and churn in the background, and a rate that goes up and down before them."""
    listing = {
        "name": "reads",
        "operation": "list",
        "targets": {"kind": VMIS.kind, "apiVersion": VMIS.api_version},
        "qps": 20,
        "background": True,
    }
    maps = template(directory, CONFIGMAP)
    return config(
        listing,
        workload(
            objects(count=10),
            name="churning",
            background=True,
            churn={"count": 2, "rounds": 4, "interval": "10ms"},
        ),
        workload(
            objects(maps, 100),
            name="ramp",
            stages=[{"duration": "1s", "qps": 40}, {"duration": "1s", "qps": 0}],
        ),
        seed=1,
    )


async def test_reads_churn_and_a_ramp_in_one_run_are_told_apart_and_add_up(
    simulated: ClusterUnderTest, tmp_path: Path
) -> None:
    result = await simulated.run(three_loads(tmp_path))
    assert result.outcome is RunOutcome.PASSED, result.problems
    reads, churning, ramp = result.workloads
    assert churning.accounts == Accounts(requested=18, created=18, ready=18, deleted=18)
    assert ramp.accounts == Accounts(requested=40, created=40, ready=40, deleted=40)
    assert churning.accounts + ramp.accounts == result.accounts
    (listed,) = reads.operations
    assert listed.accounts.requested == listed.accounts.done > 20
    assert creates_of(churning.calls)["virtualmachineinstances"] == 18
    assert creates_of(ramp.calls)["configmaps"] == 40
    assert {call.verb for call in reads.calls} == {"list"}
    assert reads.iterations[0].rate.sent is not None
    assert reads.iterations[0].rate.sent <= 21
    assert sum(call.sent for call in result.calls) == result.requests["sent"]
    churn = churning.kinds[VMIS.kind].churn
    assert churn is not None
    assert len(churn.rounds) == 4
    assert await simulated.left_of(result.run_id) == {}


@pytest.mark.parametrize("requests", [1, 2, 5, 10, 15, 20, 30, 40, 60, 80])
async def test_an_interrupt_at_any_moment_leaves_nothing_of_three_loads(
    simulated: ClusterUnderTest, tmp_path: Path, requests: int
) -> None:
    async with simulated.generator(three_loads(tmp_path)) as generator:

        def is_time() -> bool:
            course = generator.course()
            return course is not None and course.requests.sent >= requests

        async def interrupt() -> None:
            await until(is_time)
            generator.interrupt()

        interrupting = asyncio.create_task(interrupt())
        await asyncio.sleep(0)
        result = await generator.run()
        await interrupting
    assert result.outcome is RunOutcome.INTERRUPTED
    for load in result.workloads:
        assert load.accounts.balanced
        assert load.accounts.created == load.accounts.deleted
        assert all(each.accounts.balanced for each in load.operations)
    # What the interrupt cut off was sent, and had no end that could be counted for anybody.
    assert sum(call.sent for call in result.calls) <= result.requests["sent"]
    assert await simulated.left_of(result.run_id) == {}
