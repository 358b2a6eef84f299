"""A dry run: the cluster's own judgement, and nothing in the cluster afterwards."""

from pathlib import Path
from typing import Any

import pytest
from clusters import CONFIGMAPS, KINDS, ClusterUnderTest
from pages import list_pages
from workloads import config, objects, template, workload

from perfscale.errors import PreflightError
from perfscale.kube.resources import NAMESPACES
from perfscale.preflight import Trial, TrialVerdict

POD = """\
apiVersion: v1
kind: Pod
metadata: {name: "empty-{{ replica }}"}
spec: {containers: []}
"""
ELSEWHERE = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: "elsewhere-{{ replica }}", namespace: %s}
"""
MADE = "apiVersion: v1\nkind: Namespace\nmetadata: {name: 'made-{{ replica }}'}\n"


async def everything(cluster: ClusterUnderTest) -> list[Any]:
    """All objects; of the simulated cluster also the number of its last change."""
    names = [await cluster.names(kind) for kind in KINDS]
    if cluster.is_real:
        return names
    versions = [version async for _, version in list_pages(cluster.client, NAMESPACES)]
    return [*names, versions]


async def tried(cluster: ClusterUnderTest, *members: Any) -> dict[str, Trial]:
    """Each object with what became of it; also that nothing became of the cluster."""
    before = await everything(cluster)
    async with cluster.generator(config(workload(*members))) as generator:
        trials = await generator.dry_run()
    assert await everything(cluster) == before
    return {str(trial): trial for trial in trials}


async def test_admission_judges_the_first_replica_of_every_template_and_nothing_is_created(
    cluster: ClusterUnderTest, tmp_path: Path
) -> None:
    found = await tried(
        cluster,
        objects(count=50),
        objects(template(tmp_path, POD), 3, namespace="density"),
        objects(template(tmp_path, ELSEWHERE % "nowhere", "e.yaml"), 3),
    )
    assert {name: trial.verdict for name, trial in found.items()} == {
        "Namespace density-1": TrialVerdict.ACCEPTED,
        "VirtualMachineInstance density-1/kubevirt-density-1-1": TrialVerdict.ACCEPTED,
        "Pod density-1/empty-1": TrialVerdict.REFUSED,
        "ConfigMap nowhere/elsewhere-1": TrialVerdict.REFUSED,
    }
    refused = str(found["Pod density-1/empty-1"].problem)
    assert refused.startswith("workloads[0].objects[1].templateFile: Pod density-1/empty-1 is ref")
    assert "spec.containers" in refused
    assert "nowhere" in str(found["ConfigMap nowhere/elsewhere-1"].problem)
    instance = found["VirtualMachineInstance density-1/kubevirt-density-1-1"]
    assert "tried in namespace default" in (instance.reason or "")


async def test_what_is_there_already_is_refused_in_its_own_namespace(
    cluster: ClusterUnderTest,
) -> None:
    await cluster.create_namespace("taken-1")
    await cluster.create_configmap("taken-1", "configmap-1-1")
    found = await tried(
        cluster,
        objects("configmap.yaml", 2, namespace="taken"),
        objects("pod.yaml", 2, namespace="taken"),
    )
    assert found.keys() == {"ConfigMap taken-1/configmap-1-1", "Pod taken-1/pod-1-1"}
    assert "already exists" in (found["ConfigMap taken-1/configmap-1-1"].reason or "")
    accepted = found["Pod taken-1/pod-1-1"]
    assert (accepted.verdict, accepted.reason) == (TrialVerdict.ACCEPTED, None)
    await cluster.client.delete(NAMESPACES, None, "taken-1")


@pytest.mark.one_generator("several refuse templates that create namespaces")
async def test_an_object_in_a_namespace_that_a_template_makes_is_not_judged(
    cluster: ClusterUnderTest, tmp_path: Path
) -> None:
    found = await tried(
        cluster,
        objects(template(tmp_path, MADE), 1),
        objects(template(tmp_path, ELSEWHERE % "made-1", "e.yaml"), 1),
        objects(template(tmp_path, ELSEWHERE % "nowhere", "n.yaml"), 1),
    )
    assert found["Namespace made-1"].verdict is TrialVerdict.ACCEPTED
    inside = found["ConfigMap made-1/elsewhere-1"]
    assert (inside.verdict, inside.problem) == (TrialVerdict.NOT_JUDGED, None)
    assert "Namespace made-1, which this file creates before it, is not" in str(inside.reason)
    assert found["ConfigMap nowhere/elsewhere-1"].verdict is TrialVerdict.REFUSED


async def test_a_field_that_is_not_known_is_refused_with_its_line(
    simulated: ClusterUnderTest, tmp_path: Path
) -> None:
    text = (
        "apiVersion: kubevirt.io/v1\nkind: VirtualMachineInstance\n"
        "metadata: {name: 'a-{{ replica }}'}\nspec:\n  domain: {devices: {}}\n"
        "  terminationGracePeriodSecond: 0\n"
    )
    path = template(tmp_path, text)
    found = await tried(simulated, objects(path, 1, namespace="strict"))
    problem = found["VirtualMachineInstance strict-1/a-1"].problem
    assert problem is not None
    assert (problem.file, problem.line) == (str(path), 6)
    assert 'unknown field "spec.terminationGracePeriodSecond"' in problem.message


async def test_what_the_preflight_finds_comes_first(
    simulated: ClusterUnderTest, tmp_path: Path
) -> None:
    text = "apiVersion: example.org/v1\nkind: Widget\nmetadata: {name: 'w-{{ replica }}'}\n"
    with pytest.raises(PreflightError, match="not installed"):
        await tried(simulated, objects(template(tmp_path, text)))
    assert await simulated.names(CONFIGMAPS) == []
