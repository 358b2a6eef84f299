"""What is done for a workload as a whole: waits, cleanup, and targets by labels of the run."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from clusters import CONFIGMAPS, PODS, ClusterUnderTest, MemorySink
from operation_load import OperationSink, accounts, done
from workloads import config, objects, template

from perfscale.kube.resources import NAMESPACES
from perfscale.results import RunOutcome

pytestmark = pytest.mark.virtual_time

POD = """\
apiVersion: v1
kind: Pod
metadata: {name: "pod-{{ iteration }}-{{ replica }}", labels: {tier: web}}
spec: {containers: [{name: a, image: pause}]}
"""
CONFIGMAP = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: "map-{{ iteration }}-{{ replica }}", labels: {tier: web}}
"""


def pods(directory: Path, count: int = 4, **keys: Any) -> dict[str, Any]:
    made = objects(template(directory, POD, "pod.yaml"), count)
    whole = {"workloadCreationWait": True, "iterationCount": 3, "maxWaitTimeout": "60s"}
    return {"name": "pods", **whole, "objects": [made], **keys}


def by_label(kind: str, operation: str, **keys: Any) -> dict[str, Any]:
    targets = {"kind": kind, "apiVersion": "v1", "ofRun": True, "labelSelector": "tier=web"}
    base = {"name": operation, "operation": operation, "iterationWait": True, "targets": targets}
    return {**base, "maxWaitTimeout": "60s", **keys}


async def test_all_iterations_are_waited_for_at_the_end(
    cluster: ClusterUnderTest, tmp_path: Path
) -> None:
    sink = MemorySink()
    result = await cluster.run(config(pods(tmp_path), cleanup=True), sink=sink)
    assert result.outcome is RunOutcome.PASSED, result.problems
    (made,) = result.workloads
    assert (made.accounts.requested, made.accounts.ready) == (12, 12)
    first = [each for each in made.iterations if each.iteration == 1]
    ready = [each.ready_s for each in sink.objects if each.iteration == 1]
    assert first[0].finished_s is not None
    assert max(each for each in ready if each is not None) > 0
    assert not result.remains
    assert await cluster.left_of(result.info.run_id) == {}


async def test_objects_that_never_get_ready_end_the_wait_of_the_workload(
    cluster: ClusterUnderTest, tmp_path: Path
) -> None:
    load = pods(tmp_path, maxWaitTimeout="1s")
    load["objects"][0]["readyWhen"] = "condition=Never"
    result = await cluster.run(config(load, cleanup=True))
    assert result.outcome is RunOutcome.FAILED
    assert result.workloads[0].accounts.unready == 12
    assert any("waiting for 4 objects to be ready" in each for each in result.problems)


async def test_a_workload_is_deleted_when_it_is_over(
    cluster: ClusterUnderTest, tmp_path: Path
) -> None:
    load = pods(tmp_path, namespacedIterations=True, workloadCleanup=True)
    after = {**pods(tmp_path), "name": "again", "workloadCleanup": True}
    result = await cluster.run(config(load, after))
    assert result.outcome is RunOutcome.PASSED, result.problems
    assert [each.accounts.ready for each in result.workloads] == [12, 12]
    assert result.namespaces.deleted == result.namespaces.created == 4
    assert await cluster.left_of(result.info.run_id) == {}


async def test_a_namespace_that_nothing_came_to_be_in_goes_with_its_workload(
    simulated: ClusterUnderTest, tmp_path: Path
) -> None:
    elsewhere = CONFIGMAP.replace("labels:", "namespace: nowhere, labels:")
    made = objects(template(tmp_path, elsewhere, "map.yaml"), 2)
    load = {"name": "maps", "workloadCleanup": True, "objects": [made]}
    result = await simulated.run(config(load))
    assert result.workloads[0].accounts.failed == 2
    assert result.namespaces.deleted == result.namespaces.created == 1
    assert await simulated.left_of(result.info.run_id) == {}


async def test_labels_of_the_run_lead_to_objects_of_any_workload(
    cluster: ClusterUnderTest, tmp_path: Path
) -> None:
    await cluster.create_namespace("others")
    foreign = {"metadata": {"name": "map-9-9", "namespace": "others", "labels": {"tier": "web"}}}
    await cluster.create(CONFIGMAPS, {"apiVersion": "v1", "kind": "ConfigMap", **foreign})
    maps = {**pods(tmp_path), "name": "maps"}
    maps["objects"] = [objects(template(tmp_path, CONFIGMAP, "map.yaml"), 2)]
    sink = OperationSink()
    result = await cluster.run(config(maps, by_label("ConfigMap", "delete")), sink=sink)
    assert result.outcome is RunOutcome.PASSED, result.problems
    assert accounts(result) == done(6)
    assert Counter(each.namespace for each in sink.operations) == {"density-1": 6}
    assert await cluster.names(CONFIGMAPS, namespace="others") == ["map-9-9"]


async def test_no_targets_are_no_error_where_they_are_optional(
    cluster: ClusterUnderTest, tmp_path: Path
) -> None:
    load = by_label("Pod", "delete")
    load["targets"]["optional"] = True
    result = await cluster.run(config(load, {**pods(tmp_path), "workloadCleanup": True}))
    assert result.outcome is RunOutcome.PASSED, result.problems
    nothing, made = result.workloads
    assert nothing.accounts.requested == 0
    assert nothing.matched_nothing == (
        "no object matched its selector (Pod with tier=web of this run): there was nothing to do"
    )
    assert made.matched_nothing is None


@pytest.mark.one_generator("namespaces may hold objects of others: several refuse to delete them")
async def test_what_is_in_a_namespace_that_is_deleted_has_not_failed(
    cluster: ClusterUnderTest, tmp_path: Path
) -> None:
    made = pods(tmp_path, namespacedIterations=True, namespaceLabels={"tier": "web"})
    result = await cluster.run(config(made, by_label("Namespace", "delete")))
    assert result.outcome is RunOutcome.PASSED, result.problems
    assert accounts(result) == done(3)
    assert result.workloads[0].accounts.failed == 0
    assert result.namespaces.deleted == 3
    assert await cluster.names(PODS, selector="tier=web") == []
    assert await cluster.names(NAMESPACES, selector="tier=web") == []


async def test_a_watch_ends_with_the_workload_that_it_is_for(
    cluster: ClusterUnderTest, tmp_path: Path
) -> None:
    watch = {
        "name": "watchers",
        "operation": "watch",
        "background": True,
        "until": "pods",
        "targets": {"kind": "Pod", "apiVersion": "v1"},
        "streams": 3,
    }
    sink = OperationSink()
    after = {**pods(tmp_path), "name": "after", "objects": [objects("configmap.yaml", 2)]}
    result = await cluster.run(
        config(watch, pods(tmp_path), {**after, "namespacedIterations": True}, cleanup=True),
        sink=sink,
    )
    assert result.outcome is RunOutcome.PASSED, result.problems
    ended = {each.name: each for each in result.workloads}
    assert len(sink.operations) == 3
    watched, followed = ended["watchers"].iterations[0], ended["after"].iterations[0]
    assert watched.finished_s is not None
    assert watched.finished_s <= followed.started_s + 0.5
