"""What stands in the way of a run is told at once, and before anything is created."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from clusters import CONFIGMAPS, PODS, VMIS, ClusterUnderTest
from under_test import load_generator
from workloads import config, objects, template, workload

from perfscale import RunFolder
from perfscale.config import Config
from perfscale.config.labels import run_labels
from perfscale.errors import PreflightError
from perfscale.kube.resources import NAMESPACES, Resource
from perfscale.preflight.trial import TrialVerdict
from perfscale.results import RunOutcome

QUOTAS = Resource("", "v1", "resourcequotas", "ResourceQuota", namespaced=True)
NODES = Resource("", "v1", "nodes", "Node", namespaced=False)
LIMITS = Resource("", "v1", "limitranges", "LimitRange", namespaced=True)
JSON = dict[str, Any]

WIDGET = "apiVersion: example.org/v1\nkind: Widget\nmetadata: {name: 'w-{{ replica }}'}\n"


async def give_quota(
    cluster: ClusterUnderTest, namespace: str, hard: JSON, used: JSON, **spec: Any
) -> None:
    """A quota as its controller leaves it; no controller of quotas runs on either cluster."""
    metadata = {"name": "team", "namespace": namespace}
    manifest = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata}
    status = {"hard": hard, "used": used}
    await cluster.create(QUOTAS, {**manifest, "spec": {"hard": hard, **spec}, "status": status})
    if cluster.is_real:  # a status that is created with its object is dropped
        await cluster.client.request(
            "PATCH",
            f"{QUOTAS.path(namespace, 'team')}/status",
            body=msgspec.json.encode({"status": status}),
            content_type="application/merge-patch+json",
        )


async def give_limits(cluster: ClusterUnderTest, namespace: str, **item: Any) -> None:
    metadata = {"name": "bounds", "namespace": namespace}
    manifest = {"apiVersion": "v1", "kind": "LimitRange", "metadata": metadata}
    await cluster.create(LIMITS, {**manifest, "spec": {"limits": [item]}})


async def refusal(cluster: ClusterUnderTest, load: Config, results: Path | None = None) -> str:
    """What the preflight says; also that it created nothing."""
    sink = RunFolder(results) if results is not None else None
    async with load_generator(load, cluster=cluster.options, results=sink) as generator:
        with pytest.raises(PreflightError) as caught:
            await generator.run()
        assert await cluster.left_of(generator.run_id) == {}
    assert caught.value.exit_code == 2
    return "\n".join([str(problem) for problem in caught.value.problems])


async def test_a_run_that_does_not_fit_into_the_quotas_of_its_namespace_is_refused(
    cluster: ClusterUnderTest,
) -> None:
    await cluster.create_namespace("tight-1")
    hard = {
        "count/virtualmachineinstances.kubevirt.io": "20",
        "configmaps": "9",
        "pods": "14",
        "requests.memory": "1000Mi",
    }
    used = {"configmaps": "5", "pods": "3", "requests.memory": "100Mi"}
    await give_quota(cluster, "tight-1", hard, used)
    load = workload(
        objects(count=10, namespace="tight"),
        objects("configmap.yaml", 5, namespace="tight"),
        objects("pod.yaml", 2, namespace="tight"),
        iterationCount=3,
    )
    told = (await refusal(cluster, config(load))).splitlines()
    place = "namespace tight-1: quota team:"
    rest = "requested at the same time, but hard is"
    assert set(told) == {
        f"{place} 12 pods {rest} 14 and used 3",
        f"{place} 5 configmaps {rest} 9 and used 5",
        # 10 instances of 90Mi, and 2 pods of 8Mi.
        f"{place} 916Mi requests.memory {rest} 1000Mi and used 100Mi",
    }
    await cluster.client.delete(NAMESPACES, None, "tight-1")


async def test_a_run_that_takes_all_that_a_quota_leaves_goes_through(
    cluster: ClusterUnderTest,
) -> None:
    await cluster.create_namespace("exact-1")
    await give_quota(cluster, "exact-1", {"configmaps": "8"}, {"configmaps": "3"})
    await give_limits(cluster, "exact-1", type="Container", max={"memory": "90Mi"})
    load = workload(
        objects("configmap.yaml", 5, namespace="exact"), objects(count=2, namespace="exact")
    )
    result = await cluster.run(config(load))
    assert result.problems == ()
    await cluster.client.delete(NAMESPACES, None, "exact-1")


async def test_what_limit_ranges_do_not_allow_is_refused_once_for_each_entry(
    cluster: ClusterUnderTest, tmp_path: Path
) -> None:
    await cluster.create_namespace("narrow")
    await give_limits(cluster, "narrow", type="Container", max={"memory": "64Mi"})
    text = (Path(__file__).parents[2] / "templates/vmi-ephemeral.yaml").read_text()
    text = text.replace("namespace: {{ namespace }}", "namespace: narrow")
    load = workload(objects(template(tmp_path, text), 3))
    told = await refusal(cluster, config(load))
    assert told == (
        "workloads[0].objects[0]: VirtualMachineInstance narrow/kubevirt-density-1-1: "
        "the memory limit is 90Mi, and at most 64Mi is allowed for a container "
        "by limit range bounds"
    )
    await cluster.client.delete(NAMESPACES, None, "narrow")


async def test_everything_that_stands_in_the_way_is_told_at_once(
    cluster: ClusterUnderTest, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    await cluster.create_namespace("theirs-1", run_labels("another", "density", 1))
    await cluster.create_namespace("crowded-1")
    await give_quota(cluster, "crowded-1", {"configmaps": "1"}, {})
    load = config(
        workload(objects("configmap.yaml", namespace="crowded")),
        workload(objects(namespace="theirs"), name="conflict"),
        workload(objects(template(tmp_path, WIDGET)), name="widgets"),
    )
    told = await refusal(cluster, load, results=tmp_path / "file" / "results")
    for part in (
        f"{tmp_path}/file/results: the results cannot be written: Not a directory",
        "workloads[2].objects[0].templateFile: example.org is not installed on this cluster",
        "namespace theirs-1 belongs to run another",
        "namespace crowded-1: quota team: 5 configmaps requested",
    ):
        assert part in told
    assert await cluster.names(VMIS) == []
    for name in ("theirs-1", "crowded-1"):
        await cluster.client.delete(NAMESPACES, None, name)


async def test_a_namespace_that_is_going_away_takes_its_quota_with_it(
    simulated: ClusterUnderTest,
) -> None:
    await simulated.create_namespace("density-1")
    await give_quota(simulated, "density-1", {"pods": "1"}, {})
    metadata = {"name": "last", "namespace": "density-1", "finalizers": ["example.org/held"]}
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}
    await simulated.create(CONFIGMAPS, manifest)
    await simulated.client.delete(NAMESPACES, None, "density-1")
    async with simulated.generator(config()) as generator:
        assert (await generator.preflight()).namespaces == ("density-1",)
    assert await simulated.names(PODS) == []


async def test_nodes_in_trouble_keep_a_run_from_beginning_where_that_is_said(
    simulated: ClusterUnderTest, tmp_path: Path
) -> None:
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: 'm-{{ replica }}'}\n"
    load = config(workload(objects(template(tmp_path, text), 1)), clusterHealth=True)
    assert (await simulated.run(load)).outcome is RunOutcome.PASSED
    conditions = [
        {"type": "Ready", "status": "Unknown"},
        {"type": "DiskPressure", "status": "True"},
        {"type": "PIDPressure", "status": "False"},
    ]
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "sick"}}
    await simulated.create(NODES, node)
    await simulated.client.request(
        "PATCH",
        f"{NODES.path(None, 'sick')}/status",
        body=msgspec.json.encode({"status": {"conditions": conditions}}),
        content_type="application/merge-patch+json",
    )
    said = await refusal(simulated, load)
    assert "clusterHealth: sick: condition Ready is Unknown" in said
    assert "clusterHealth: sick: condition DiskPressure is True" in said
    assert "PIDPressure" not in said


DEFINITION = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: 'gears{{ replica }}.example.org'}
spec:
  group: example.org
  scope: Namespaced
  names: {plural: 'gears{{ replica }}', singular: 'gear{{ replica }}', kind: 'Gear{{ replica }}'}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}
"""
GEAR = "apiVersion: example.org/v1\nkind: Gear2\nmetadata: {name: 'gear-{{ replica }}'}\n"


async def test_a_kind_that_an_earlier_workload_brings_is_followed_from_then_on(
    cluster: ClusterUnderTest, tmp_path: Path
) -> None:
    definitions = workload(
        objects(template(tmp_path, DEFINITION, "crd.yaml"), 2), name="definitions"
    )
    gears = workload(objects(template(tmp_path, GEAR), 3), name="gears")
    for each in (definitions, gears):
        each["iterationCleanup"] = each["iterationDeletionWait"] = False
    load = config(definitions, gears, cleanup=True)
    async with load_generator(load, cluster=cluster.options) as generator:
        trials = await generator.dry_run()
        assert [each.verdict for each in trials if each.kind == "Gear2"] == [
            TrialVerdict.NOT_JUDGED
        ]
        result = await generator.run()
    assert result.outcome is RunOutcome.PASSED, result.problems
    counts = {each.name: each.accounts.ready for each in result.workloads}
    assert counts == {"definitions": 2, "gears": 3}
    assert result.accounts.deleted == 5
    assert await cluster.left_of(result.run_id) == {}


async def test_a_kind_that_no_earlier_workload_brings_is_refused(
    cluster: ClusterUnderTest, tmp_path: Path
) -> None:
    definitions = workload(objects(template(tmp_path, DEFINITION, "crd.yaml"), 1), name="defs")
    gears = workload(objects(template(tmp_path, GEAR), 3), name="gears")
    for load in (config(gears, definitions), config(definitions, gears)):
        assert "example.org/v1" in await refusal(cluster, load)


async def test_a_threshold_of_what_will_not_be_there_is_refused(cluster: ClusterUnderTest) -> None:
    def at_most(metric: str) -> JSON:
        return {"metric": metric, "quantile": "p99", "max": "1h"}

    machines = workload(
        objects("vm-ephemeral.yaml", 1),
        thresholds=[*map(at_most, ("vmReady", "vmiReady", "vmiCreation", "podReady"))],
    )
    said = await refusal(cluster, config(machines, thresholds=[at_most("vmimReady")]))
    assert len(said.splitlines()) == 3
    assert "workloads[0].thresholds[2].metric: vmiCreation would have no sample" in said
    assert "thresholds[3].metric: podReady would have no sample: there will be no Pod" in said
    assert "globalConfig.thresholds[0].metric: vmimReady would have no sample" in said


async def test_a_threshold_of_what_is_not_done_is_refused(simulated: ClusterUnderTest) -> None:
    def at_most(metric: str) -> JSON:
        return {"metric": metric, "quantile": "p99", "max": "1h"}

    nothing = {"metric": "unfinished", "max": 0}
    machines = {
        "name": "density",
        "objects": [objects("vm-ephemeral.yaml", 1)],
        "thresholds": [nothing],
    }
    restarts = {
        "name": "restarts",
        "operation": "restart",
        "targets": {"workload": machines["name"]},
        "thresholds": [
            *map(at_most, ("restartEffect", "startEffect", "vmReady")),
            {"metric": "unready", "max": 0},
        ],
    }
    said = await refusal(simulated, config(machines, restarts, thresholds=[at_most("restartGone")]))
    assert len(said.splitlines()) == 4
    assert "workloads[0].thresholds[0].metric: unfinished would have no sample" in said
    assert "[1].metric: startEffect would have no sample: there will be no start to measure" in said
    assert "thresholds[2].metric: vmReady would have no sample" in said
    assert "thresholds[3].metric: unready would have no sample: restart makes no objects" in said


REVIEW = """\
apiVersion: authorization.k8s.io/v1
kind: SelfSubjectAccessReview
metadata: {name: 'review-{{ replica }}'}
spec: {resourceAttributes: {verb: list, resource: pods}}
"""


async def test_a_kind_that_the_cluster_does_not_store_is_refused_with_its_place(
    cluster: ClusterUnderTest, tmp_path: Path
) -> None:
    told = await refusal(cluster, config(workload(objects(template(tmp_path, REVIEW)))))
    assert told == (
        "workloads[0].objects[0].templateFile: the cluster does not list or watch or delete "
        "objects of kind SelfSubjectAccessReview (authorization.k8s.io/v1), only: create"
    )
