"""KubeVirt's own operations on VMs and instances, judged by UIDs, on the simulated cluster."""

from __future__ import annotations

import asyncio
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import pytest
from clusters import VMIS, VMS, ClusterUnderTest
from operation_load import OperationSink, accounts, done, on
from pages import list_pages
from workloads import config, objects

from perfscale.config.labels import RUN_LABEL
from perfscale.engine import RunOptions
from perfscale.kube.resources import Resource
from perfscale.results import OperationAccounts, OperationEntry, OperationOutcome, RunOutcome
from perfscale.templates import TemplateDefaults

if TYPE_CHECKING:
    from perfscale.results import Entry

COUNT = 20
PARALLEL = 5
"""Migrations at a time, as KubeVirt has it where nothing else is configured."""
MIGRATIONS = Resource(
    "kubevirt.io",
    "v1",
    "virtualmachineinstancemigrations",
    "VirtualMachineInstanceMigration",
    namespaced=True,
)
FOREIGN = RunOptions(defaults=TemplateDefaults(), allow_foreign=True)


def vms(count: int = COUNT, **keys: Any) -> dict[str, Any]:
    made = objects("vm-ephemeral.yaml", count)
    return {"name": "vms", "iterationCreationWait": True, "objects": [made], **keys}


def vmis(count: int = COUNT) -> dict[str, Any]:
    return {"name": "vmis", "iterationCreationWait": True, "objects": [objects(count=count)]}


async def uids(cluster: ClusterUnderTest) -> dict[str, str]:
    found: dict[str, str] = {}
    async for items, _ in list_pages(cluster.client, VMIS, "density-1"):
        found.update({item["metadata"]["name"]: item["metadata"]["uid"] for item in items})
    return found


async def test_every_restarted_vm_has_a_new_instance(simulated: ClusterUnderTest) -> None:
    sink = OperationSink()
    result = await simulated.run(config(vms(), on("vms", "restart")), sink=sink)
    assert result.outcome is RunOutcome.PASSED, result.problems
    assert accounts(result) == done(COUNT)
    first = {child.uid: child.name for child in sink.children if child.kind == VMIS.kind}
    now = await uids(simulated)
    assert len(first) == 2 * COUNT
    assert set(now.values()) < set(first)
    for record in sink.operations:
        assert record.sent_s is not None
        assert record.done_s is not None
        assert record.sent_s < record.milestones["Gone"] <= record.done_s


async def test_every_restart_that_was_done_has_an_instance_of_its_own(
    simulated: ClusterUnderTest,
) -> None:
    sink = OperationSink()
    twice = {**on("vms", "restart"), "name": "first", "iterationWait": False}
    again = on("vms", "restart")
    result = await simulated.run(config(vms(), twice, again), sink=sink)
    first, second = accounts(result, 1), accounts(result, 2)
    # The run ends when the second is over, which waits for none of the first.
    assert first.done + first.unfinished == COUNT, result.problems
    assert second.done + second.failed == COUNT
    for record in sink.operations:  # between two instances there is none to be restarted
        if record.outcome is OperationOutcome.FAILED:
            assert "VM is not running" in (record.error or "")
    instances = [child for child in sink.children if child.kind == VMIS.kind]
    new = len(instances) - COUNT - second.done
    assert first.done <= new <= COUNT


async def test_vms_are_stopped_and_started(simulated: ClusterUnderTest) -> None:
    stop = on("vms", "stop", gracePeriod="0s")
    start = {**on("vms", "start"), "name": "again"}
    result = await simulated.run(config(vms(), stop, start))
    assert result.outcome is RunOutcome.PASSED, result.problems
    assert accounts(result, 1) == accounts(result, 2) == done(COUNT)
    assert len(await uids(simulated)) == COUNT


async def test_a_vm_that_runs_is_not_started_and_the_server_says_why(
    simulated: ClusterUnderTest,
) -> None:
    sink = OperationSink()
    result = await simulated.run(config(vms(3), on("vms", "start")), sink=sink)
    assert result.exit_code == 1
    assert accounts(result) == OperationAccounts(requested=3, failed=3)
    for record in sink.operations:
        assert record.outcome is OperationOutcome.FAILED
        assert "VM is already running" in (record.error or "")
    assert any("3 VirtualMachine failed to start" in each for each in result.problems)


@pytest.mark.parametrize("made", ["vms", "vmis"])
async def test_instances_are_paused_and_unpaused(simulated: ClusterUnderTest, made: str) -> None:
    first = vms() if made == "vms" else vmis()
    unpause = {**on(made, "unpause"), "name": "again"}
    result = await simulated.run(config(first, on(made, "pause"), unpause))
    assert result.outcome is RunOutcome.PASSED, result.problems
    assert accounts(result, 1) == accounts(result, 2) == done(COUNT)


async def test_guests_are_rebooted(simulated: ClusterUnderTest) -> None:
    result = await simulated.run(config(vmis(), on("vmis", "softReboot", iterationCount=2)))
    assert result.outcome is RunOutcome.PASSED, result.problems
    assert accounts(result) == done(2 * COUNT)


@pytest.mark.parametrize("made", ["vms", "vmis"])
async def test_volumes_are_added_and_removed(simulated: ClusterUnderTest, made: str) -> None:
    volume = {
        "name": "data",
        "disk": {"disk": {"bus": "scsi"}},
        "volumeSource": {"persistentVolumeClaim": {"claimName": "shared"}},
    }
    first = vms(5) if made == "vms" else vmis(5)
    remove = {**on(made, "removeVolume", volume={"name": "data"}), "name": "again"}
    result = await simulated.run(config(first, on(made, "addVolume", volume=volume), remove))
    assert result.outcome is RunOutcome.PASSED, result.problems
    assert accounts(result, 1) == accounts(result, 2) == done(5)


async def test_one_vm_that_somebody_deletes_meanwhile_is_one_failure(
    simulated: ClusterUnderTest,
) -> None:
    sink = OperationSink()
    load = config(vms(), on("vms", "restart"))
    async with simulated.generator(load, sink=sink) as generator:
        events = generator.events()
        running = asyncio.create_task(generator.run())
        async for event in events:
            if getattr(event, "stage", None) == "operating":
                name = (await simulated.names(VMS, namespace="density-1"))[0]
                await simulated.client.delete(VMS, "density-1", name)
                break
        result = await running
    assert result.exit_code == 1
    counted = accounts(result)
    assert (counted.failed, counted.done) == (1, COUNT - 1), result.problems
    (failed,) = [each for each in sink.operations if each.outcome is OperationOutcome.FAILED]
    assert failed.name == name
    gone = ("somebody else deleted it", "it was gone when its turn came")
    assert (failed.error or "").startswith(gone)


async def vms_of_others(cluster: ClusterUnderTest, count: int) -> dict[str, Any]:
    """VMs that no run made, and run; returns how a workload names them."""
    await cluster.create_namespace("theirs")
    for n in range(count):
        await cluster.create(
            VMS,
            {
                "apiVersion": "kubevirt.io/v1",
                "kind": "VirtualMachine",
                "metadata": {
                    "name": f"their-{n}",
                    "namespace": "theirs",
                    "labels": {"tier": "web"},
                },
                "spec": {
                    "runStrategy": "Always",
                    "template": {"spec": {"domain": {"devices": {}}}},
                },
            },
        )
    running = await instances_of_others(cluster, count)
    assert len(running) == count
    targets = {"kind": "VirtualMachine", "apiVersion": "kubevirt.io/v1", "namespace": "theirs"}
    return {**targets, "labelSelector": "tier=web"}


async def instances_of_others(cluster: ClusterUnderTest, count: int) -> dict[str, str]:
    """UIDs of the instances by name, once so many run."""
    while True:
        found: dict[str, str] = {}
        async for items, _ in list_pages(cluster.client, VMIS, "theirs"):
            found.update(
                (item["metadata"]["name"], item["metadata"]["uid"])
                for item in items
                if item.get("status", {}).get("phase") == "Running"
            )
        if len(found) >= count:
            return found
        await asyncio.sleep(0.05)


async def test_vms_of_others_are_restarted_with_leave_and_stay(
    simulated: ClusterUnderTest,
) -> None:
    sink = OperationSink()
    targets = await vms_of_others(simulated, 5)
    before = await instances_of_others(simulated, 5)
    load = config(on("", "restart", targets=targets))
    result = await simulated.run(load, sink=sink, options=FOREIGN)
    assert result.outcome is RunOutcome.PASSED, result.problems
    assert accounts(result, 0) == done(5)
    after = await instances_of_others(simulated, 5)
    assert after.keys() == before.keys()
    assert not set(after.values()) & set(before.values())
    assert not result.remains


@pytest.mark.parametrize("at", [0, 2, 4])
async def test_an_interrupt_while_vms_of_others_restart_deletes_none_of_them(
    simulated: ClusterUnderTest, at: int
) -> None:
    targets = await vms_of_others(simulated, 5)

    class Interrupting(OperationSink):
        def note(self, entry: Entry) -> None:
            if isinstance(entry, OperationEntry) and entry.n > at:
                generator.interrupt()

    load = config(vmis(3), on("", "restart", targets=targets, qps=10, burst=1))
    sink = Interrupting()
    async with simulated.generator(load, sink=sink, options=FOREIGN) as generator:
        result = await generator.run()
    assert result.outcome is RunOutcome.INTERRUPTED
    assert accounts(result).requested == 5
    assert accounts(result).failed == 0
    assert len(await simulated.names(VMS, namespace="theirs")) == 5
    assert await simulated.left_of(result.run_id) == {}
    assert not result.remains


async def test_instances_are_migrated_and_their_phases_are_seen(
    simulated: ClusterUnderTest,
) -> None:
    sink = OperationSink()
    load = on("vmis", "migrate", maxWaitTimeout="30s")
    result = await simulated.run(config(vmis(), load), sink=sink)
    assert result.outcome is RunOutcome.PASSED, result.problems
    assert accounts(result) == done(COUNT)
    for record in sink.operations:
        assert {"Pending", "Running", "Succeeded"} <= set(record.milestones)
        assert list(record.milestones.values()) == sorted(record.milestones.values())


async def test_migrations_wait_for_each_other_in_pending(simulated: ClusterUnderTest) -> None:
    sink = OperationSink()
    result = await simulated.run(config(vms(30), on("vms", "migrate")), sink=sink)
    assert result.outcome is RunOutcome.PASSED, result.problems
    assert accounts(result) == done(30)
    steps: list[tuple[float, int]] = []
    waits: list[float] = []
    for record in sink.operations:
        times = record.milestones
        later = [at_s for phase, at_s in times.items() if phase != "Pending"]
        waits.append(min(later) - times["Pending"])
        steps += [(times["PreparingTarget"], 1), (times["Succeeded"], -1)]
    going = list(accumulate(step for _, step in sorted(steps)))
    assert max(going) <= PARALLEL
    assert max(waits) > 2 * min(waits)


@pytest.mark.parametrize("at", [0, 3, COUNT - 1])
async def test_an_interrupt_leaves_no_migration(simulated: ClusterUnderTest, at: int) -> None:
    class Interrupting(OperationSink):
        def note(self, entry: Entry) -> None:
            if isinstance(entry, OperationEntry) and entry.n > at:
                generator.interrupt()

    load = config(vmis(), on("vmis", "migrate", qps=50, burst=1))
    async with simulated.generator(load, sink=Interrupting()) as generator:
        result = await generator.run()
    assert result.outcome is RunOutcome.INTERRUPTED, result.problems
    counted = accounts(result)
    assert (counted.requested, counted.failed) == (COUNT, 0)
    selector = f"{RUN_LABEL}={result.run_id}"
    assert await simulated.names(MIGRATIONS, selector=selector) == []
    assert await simulated.left_of(result.run_id) == {}
    assert not result.remains


async def test_thresholds_are_judged_on_responses_effects_milestones_and_time_in_one(
    simulated: ClusterUnderTest,
) -> None:
    def limit(metric: str, most: str) -> dict[str, Any]:
        return {"metric": metric, "quantile": "p99", "max": most}

    def limits(*metrics: str) -> list[dict[str, Any]]:
        return [limit(each, "1m") for each in metrics]

    restarts = limits("restartResponse", "restartEffect", "restartGone")
    migrated = ("migrateEffect", "migratePending", "migrateTimeInPending", "migrateSucceeded")
    loads = (
        vms(),
        on("vms", "restart", thresholds=[*restarts, limit("restartEffect", "1us")]),
        {**on("vms", "migrate", thresholds=limits(*migrated)), "name": "migrations"},
    )
    result = await simulated.run(config(*loads, thresholds=limits("migrateRunning")))
    (failed,) = [each for each in result.thresholds if not each.passed]
    assert (failed.workload, failed.metric, failed.limit) == ("load", "restartEffect", 1e-6)
    assert all((each.value or 0) > 0 for each in result.thresholds)
    assert len(result.thresholds) == 1 + 4 + 4
