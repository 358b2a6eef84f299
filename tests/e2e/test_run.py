"""Whole runs, on the simulated cluster and on a real API server."""

import asyncio
from pathlib import Path

import pytest
from clusters import CONFIGMAPS, VMIS, ClusterUnderTest, MemorySink
from faulty_runs import faulty_run
from moments import MOMENTS, AtMoment
from workloads import config, objects, template, workload

from perfscale.config.labels import RUN_LABEL, run_labels
from perfscale.engine import RunOptions
from perfscale.engine.events import Event, Progress, RunFinished, RunStarted, Stage
from perfscale.engine.snapshot import RunSnapshot
from perfscale.errors import PreflightError
from perfscale.kube.resources import NAMESPACES
from perfscale.results import Accounts, Outcome, RunOutcome
from perfscale.templates import TemplateDefaults

KEEP = RunOptions(keep=True, defaults=TemplateDefaults())

CONFIGMAP = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ name | default("map") }}-{{ replica }}
  labels:
    mine: "yes"
"""


def all_gone(count: int) -> Accounts:
    return Accounts(requested=count, created=count, ready=count, deleted=count)


async def test_a_density_run_sees_every_vmi_running_and_gone(cluster: ClusterUnderTest) -> None:
    sink = MemorySink()
    result = await cluster.run(config(workload(objects(count=10))), sink=sink)
    assert result.problems == ()
    assert (result.outcome, result.exit_code) == (RunOutcome.PASSED, 0)
    assert result.accounts == all_gone(10)
    assert not result.remains
    assert await cluster.left_of(result.run_id) == {}
    for record in sink.objects:
        assert record.uid
        assert list(record.phases_s)[:4] == ["Pending", "Scheduling", "Scheduled", "Running"]
        assert record.scheduled_s is not None
        assert record.sent_s is not None
        assert record.created_s is not None
        assert record.ready_s is not None
        assert record.delete_requested_s is not None
        assert record.deleted_s is not None
        assert (
            record.scheduled_s
            <= record.sent_s
            <= record.created_s
            <= record.ready_s
            <= record.delete_requested_s
            <= record.deleted_s
        )
        assert "creationTimestamp" in record.server
    kind = result.workloads[0].kinds["VirtualMachineInstance"]
    assert kind.phases["Ready"].count == kind.phases["Running"].count == 10
    assert kind.deletion.count == 10


async def test_a_snapshot_tells_where_a_run_stands_and_stays_when_it_is_over(
    simulated: ClusterUnderTest, at_moment: AtMoment
) -> None:
    kinds = (objects(count=3), objects("vm-ephemeral.yaml", 2))
    during: list[RunSnapshot | None] = []
    async with simulated.generator(config(workload(*kinds, iterationCount=2, qps=50))) as generator:
        assert generator.snapshot() is None
        at_moment(MOMENTS["at the creation wait"], lambda: during.append(generator.snapshot()))
        result = await generator.run()
        after = generator.snapshot()
    assert during[0] is not None
    assert after is not None
    assert (during[0].stage, after.stage) == (Stage.WAITING_READY, None)
    assert (during[0].workload, during[0].targets) == ("density", {"density": 50.0})
    assert [each.sent for each in during[0].objects] == [3, 2]
    told = {each.kind: (each.requested, each.ready, each.deleted) for each in after.objects}
    assert told == {"VirtualMachineInstance": (6, 6, 6), "VirtualMachine": (4, 4, 4)}
    assert after.in_flight == sum(after.phases.values()) == 0
    latencies = after.objects[0].ready_latency.summarize()
    assert latencies.max == pytest.approx(
        result.kinds["VirtualMachineInstance"].phases["Ready"].max, abs=1e-6
    )
    counted = {(each.verb, each.resource): each.tally.statuses for each in after.calls}
    assert counted == {(each.verb, each.resource): each.statuses for each in result.calls}


async def test_namespaced_iterations_make_a_namespace_each_and_leave_none(
    cluster: ClusterUnderTest,
) -> None:
    await cluster.create_namespace("bystander")
    await cluster.create_configmap("bystander", "precious")
    sink = MemorySink()
    result = await cluster.run(
        config(workload(objects(count=20), iterationCount=5, namespacedIterations=True)),
        sink=sink,
    )
    assert result.problems == ()
    assert {record.namespace for record in sink.objects} == {
        f"density-{number}" for number in range(1, 6)
    }
    assert (result.namespaces.created, result.namespaces.deleted) == (5, 5)
    namespaces = await cluster.names(NAMESPACES)
    assert "bystander" in namespaces
    assert not [name for name in namespaces if name.startswith("density")]
    assert "precious" in await cluster.names(CONFIGMAPS, namespace="bystander")
    await cluster.client.delete(NAMESPACES, None, "bystander")


async def test_a_namespace_that_was_there_before_is_used_and_stays(
    cluster: ClusterUnderTest,
) -> None:
    await cluster.create_namespace("theirs-1")
    await cluster.create_configmap("theirs-1", "precious")
    result = await cluster.run(config(workload(objects(namespace="theirs"))))
    assert result.accounts == all_gone(5)
    assert result.namespaces.created == 0
    assert "precious" in await cluster.names(CONFIGMAPS, namespace="theirs-1")
    await cluster.client.delete(NAMESPACES, None, "theirs-1")


async def test_a_namespace_of_another_run_is_refused_before_anything_is_created(
    cluster: ClusterUnderTest,
) -> None:
    await cluster.create_namespace("density-1", run_labels("another", "density", 1))
    with pytest.raises(
        PreflightError, match="namespace density-1 belongs to run another"
    ) as caught:
        await cluster.run(config())
    assert caught.value.exit_code == 2
    hint = f"{caught.value} {caught.value.hint}"
    assert "perfscale cleanup --run-id another --kubeconfig " in hint
    assert " --context " in hint
    assert await cluster.names(VMIS) == []


async def test_the_vmis_of_vms_and_replica_sets_are_children_and_go_with_them(
    cluster: ClusterUnderTest,
) -> None:
    result = await cluster.run(
        config(
            workload(objects("vm-ephemeral.yaml", 3), name="vms"),
            workload(objects("vmirs-ephemeral.yaml", 2, vmis=4), name="sets"),
        )
    )
    assert result.problems == ()
    vms, sets = result.workloads
    assert vms.accounts == all_gone(3)
    assert sets.accounts == all_gone(2)
    assert vms.children == all_gone(3)
    assert sets.children.created >= 8
    assert sets.children.leftover == vms.children.leftover == 0
    assert await cluster.left_of(result.run_id) == {}
    assert await cluster.names(VMIS) == []


async def test_iterations_reuse_names_once_the_last_ones_are_gone(
    cluster: ClusterUnderTest,
) -> None:
    result = await cluster.run(config(workload(objects(count=3), iterationCount=3)))
    assert result.problems == ()
    assert result.accounts == all_gone(9)
    assert result.namespaces.created == 3


async def test_without_cleanup_the_objects_stay(cluster: ClusterUnderTest) -> None:
    result = await cluster.run(
        config(workload(objects(), iterationCleanup=False, iterationDeletionWait=False))
    )
    assert result.outcome is RunOutcome.PASSED
    assert result.remains
    assert result.accounts == Accounts(requested=5, created=5, ready=5)
    left = await cluster.left_of(result.run_id)
    assert len(left["virtualmachineinstances"]) == 5
    assert left["namespaces"] == ["density-1"]


async def test_keep_leaves_everything_whatever_the_file_says(cluster: ClusterUnderTest) -> None:
    result = await cluster.run(config(), options=KEEP)
    assert result.outcome is RunOutcome.PASSED
    assert result.remains
    assert len((await cluster.left_of(result.run_id))["virtualmachineinstances"]) == 5


async def test_a_cleanup_does_not_touch_what_an_earlier_workload_left_running(
    cluster: ClusterUnderTest, tmp_path: Path
) -> None:
    stays = template(tmp_path, CONFIGMAP, "stays.yaml")
    goes = template(tmp_path, CONFIGMAP.replace("map", "other"), "goes.yaml")
    result = await cluster.run(
        config(
            workload(
                objects(stays), name="first", iterationCleanup=False, iterationDeletionWait=False
            ),
            workload(objects(goes), name="second"),
        )
    )
    assert result.problems == ()
    left = await cluster.left_of(result.run_id)
    assert left == {
        "configmaps": [f"map-{number}" for number in range(1, 6)],
        "namespaces": ["density-1"],
    }


async def test_a_kind_without_readiness_is_ready_when_created_and_keeps_its_own_labels(
    cluster: ClusterUnderTest, tmp_path: Path
) -> None:
    sink = MemorySink()
    result = await cluster.run(config(workload(objects(template(tmp_path, CONFIGMAP)))), sink=sink)
    assert result.problems == ()
    assert result.accounts == all_gone(5)
    assert all(record.ready_s == record.created_s for record in sink.objects)


async def test_an_object_that_names_another_namespace_is_created_there_and_removed(
    cluster: ClusterUnderTest, tmp_path: Path
) -> None:
    await cluster.create_namespace("elsewhere")
    text = CONFIGMAP.replace("metadata:", "metadata:\n  namespace: elsewhere")
    result = await cluster.run(config(workload(objects(template(tmp_path, text)))))
    assert result.accounts == all_gone(5)
    namespaces = await cluster.names(NAMESPACES)
    assert "elsewhere" in namespaces
    assert "density-1" not in namespaces
    await cluster.client.delete(NAMESPACES, None, "elsewhere")


async def test_pods_become_ready(cluster: ClusterUnderTest) -> None:
    result = await cluster.run(config(workload(objects("pod.yaml", 3))))
    assert result.problems == ()
    assert result.accounts == all_gone(3)


async def test_a_kind_that_is_not_installed_is_an_error_before_anything_is_created(
    cluster: ClusterUnderTest, tmp_path: Path
) -> None:
    text = "apiVersion: example.org/v1\nkind: Widget\nmetadata:\n  name: w-{{ replica }}\n"
    with pytest.raises(PreflightError, match="is not installed on this cluster"):
        await cluster.run(config(workload(objects(), objects(template(tmp_path, text)))))
    assert "density-1" not in await cluster.names(NAMESPACES)


async def test_an_object_the_server_refuses_has_failed_and_the_others_go_on(
    cluster: ClusterUnderTest, tmp_path: Path
) -> None:
    text = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: empty-{{ replica }}\nspec: {}\n"
    sink = MemorySink()
    result = await cluster.run(
        config(workload(objects(template(tmp_path, text), 2), objects(), iterationCount=2)),
        sink=sink,
    )
    assert (result.outcome, result.exit_code) == (RunOutcome.FAILED, 1)
    # The run stops after the iteration that failed.
    assert result.accounts == Accounts(
        requested=14, created=5, ready=5, failed=2, not_attempted=7, deleted=5
    )
    failed = [record for record in sink.objects if record.outcome is Outcome.FAILED]
    assert all("spec.containers" in (record.error or "") for record in failed)
    assert await cluster.left_of(result.run_id) == {}


async def test_a_wait_that_times_out_says_what_is_missing_and_cleans_up(
    tmp_path: Path, simulated: ClusterUnderTest
) -> None:
    never_ready = """\
apiVersion: kubevirt.io/v1
kind: VirtualMachineInstanceReplicaSet
metadata: {name: "set-{{ replica }}"}
spec:
  paused: true
  replicas: 1
  selector: {matchLabels: {never: matches}}
  template:
    metadata: {labels: {never: matches}}
    spec: {domain: {devices: {}}}
"""
    result = await simulated.run(
        config(workload(objects(template(tmp_path, never_ready), 2), maxWaitTimeout="1s"))
    )
    assert result.exit_code == 1
    assert result.accounts.unready == 2
    assert any(
        "timed out after 1s waiting for 2 objects to be ready" in text for text in result.problems
    )
    assert await simulated.left_of(result.run_id) == {}


async def test_the_rate_is_held_and_reported(cluster: ClusterUnderTest) -> None:
    sink = MemorySink()
    result = await cluster.run(config(workload(objects(count=15), qps=50, burst=5)), sink=sink)
    rate = result.workloads[0].rate
    assert rate.target == 50
    assert rate.achieved is not None
    admitted = sorted(row.admitted_s for row in sink.objects if row.admitted_s is not None)
    assert len(admitted) == 15
    # Never more than the burst and what has dripped in since the first was due. However slow the
    # machine is: what it does late is stamped late.
    first_due_s = min(row.scheduled_s for row in sink.objects if row.scheduled_s is not None)
    for number, at_s in enumerate(admitted, start=1):
        assert number <= 5 + 50 * (at_s - first_due_s) + 0.1


async def test_a_slow_server_is_not_a_slow_generator(tmp_path: Path) -> None:
    resources = ["virtualmachineinstances"]
    slow = {"fault": "slow", "verbs": ["create"], "resources": resources, "delay": "1s"}
    load = config(workload(objects(count=6), qps=50, burst=1))
    async with faulty_run(tmp_path, load, requests=[slow]) as run:
        rate = run.result.workloads[0].rate
        assert rate.offered == pytest.approx(50, rel=0.01)
        assert rate.sent is not None
        assert rate.achieved is not None
        # Five creates after the first, each answered a second after it was sent.
        assert 5 / rate.achieved >= 5 / rate.sent + 1 - 0.01
        assert run.result.generator is not None
        accepted = [reason for reason in run.result.generator.reasons if "accepted" in reason]
        assert all("an answer took" in reason for reason in accepted)


async def test_two_generators_run_side_by_side_in_one_loop(cluster: ClusterUnderTest) -> None:
    first, second = await asyncio.gather(
        cluster.run(config(workload(objects(namespace="one")))),
        cluster.run(config(workload(objects(namespace="two")))),
    )
    assert first.accounts == second.accounts == all_gone(5)
    assert first.run_id != second.run_id


async def test_events_tell_the_story_and_end_with_the_run(cluster: ClusterUnderTest) -> None:
    events: list[Event] = []
    async with cluster.generator(config()) as generator:
        stream = generator.events()
        running = asyncio.create_task(generator.run())
        events = [event async for event in stream]
        result = await running
    assert isinstance(events[0], RunStarted)
    assert events[-1] == RunFinished(result)
    assert any(isinstance(event, Progress) for event in events)


async def test_the_label_of_a_run_is_its_id(cluster: ClusterUnderTest) -> None:
    async with cluster.generator(config(), run_id="chosen", options=KEEP) as generator:
        await generator.run()
    assert len(await cluster.names(VMIS, selector=f"{RUN_LABEL}=chosen")) == 5
