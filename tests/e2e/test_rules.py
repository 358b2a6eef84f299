"""Who is deleted and who is not, and what namespaces are waited for."""

import asyncio
import signal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from clusters import CONFIGMAPS, VMIS, ClusterUnderTest, MemorySink
from faulty_runs import faulty_run
from moments import MOMENTS, AtMoment
from workloads import config, objects, template, workload

from perfscale.config.labels import run_labels
from perfscale.engine.events import Event, Stage, StageStarted
from perfscale.kube.resources import NAMESPACES, Resource
from perfscale.results import Accounts, RunOutcome

CLUSTER_ROLES = Resource(
    "rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", namespaced=False
)
ROLE = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: perfscale:test-{{ replica }}
rules: []
"""


async def furnish(cluster: ClusterUnderTest, namespace: str) -> None:
    """A namespace with things of nobody's run and of another's in it."""
    await cluster.create_namespace(namespace)
    await cluster.create_configmap(namespace, "nobodys")
    await cluster.create_configmap(namespace, "anothers", run_labels("another", "density", 1))
    vmi = {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachineInstance",
        "metadata": {
            "name": "anothers",
            "namespace": namespace,
            "labels": run_labels("another", "density", 1),
        },
        "spec": {"domain": {"devices": {}}},
    }
    await cluster.create(VMIS, vmi)


async def furniture(cluster: ClusterUnderTest, namespace: str) -> list[str]:
    own = await cluster.names(CONFIGMAPS, namespace=namespace)
    vmis = await cluster.names(VMIS, namespace=namespace)
    return [name for name in (*own, *vmis) if name != "kube-root-ca.crt"]


@pytest.mark.parametrize("interrupted", [False, True], ids=["cleaned up", "interrupted"])
async def test_what_belongs_to_nobody_or_to_another_run_stays(
    cluster: ClusterUnderTest, at_moment: AtMoment, interrupted: bool
) -> None:
    namespace = f"shared-{interrupted}".lower()
    await furnish(cluster, f"{namespace}-1")
    load = config(workload(objects(count=5, namespace=namespace)))
    async with cluster.generator(load) as generator:
        if interrupted:
            moment = MOMENTS["in the middle of the creation wait"]
            at_moment(moment, lambda: generator.interrupt(signal.SIGINT))
        result = await generator.run()
    assert result.outcome is (RunOutcome.INTERRUPTED if interrupted else RunOutcome.PASSED)
    assert await cluster.left_of(result.run_id) == {}
    assert await furniture(cluster, f"{namespace}-1") == ["anothers", "nobodys", "anothers"]
    assert f"{namespace}-1" in await cluster.names(NAMESPACES)


async def test_what_somebody_puts_into_a_namespace_that_the_run_made_goes_with_it(
    cluster: ClusterUnderTest,
) -> None:
    async with cluster.generator(config(workload(objects(count=3)))) as generator:
        events = generator.events()
        running = asyncio.create_task(generator.run())
        async for event in events:
            if begins(event, Stage.WAITING_READY):
                await cluster.create_configmap("density-1", "visitor")
        result = await running
    assert result.problems == ()
    assert "density-1" not in await cluster.names(NAMESPACES)


def begins(event: Event, stage: Stage) -> bool:
    return isinstance(event, StageStarted) and event.stage is stage


async def test_a_namespace_that_is_going_is_waited_for_and_made_again(
    cluster: ClusterUnderTest,
) -> None:
    await cluster.create_namespace("density-1")
    held = {"name": "held", "namespace": "density-1", "finalizers": ["example.org/hold"]}
    await cluster.create(CONFIGMAPS, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": held})
    await cluster.client.delete(NAMESPACES, None, "density-1")
    async with cluster.generator(config(workload(objects(count=3)))) as generator:
        events = generator.events()
        running = asyncio.create_task(generator.run())
        async for event in events:
            if begins(event, Stage.PREPARING):
                await release(cluster, CONFIGMAPS, "density-1", "held")
        result = await running
    assert result.problems == ()
    assert result.accounts == Accounts(requested=3, created=3, ready=3, deleted=3)
    assert (result.namespaces.created, result.namespaces.deleted) == (1, 1)


async def release(cluster: ClusterUnderTest, resource: Resource, namespace: str, name: str) -> None:
    """Take the finalizers away."""
    await cluster.client.request(
        "PATCH",
        resource.path(namespace, name),
        body=msgspec.json.encode({"metadata": {"finalizers": None}}),
        content_type="application/merge-patch+json",
    )


@pytest.mark.parametrize("interrupted", [False, True], ids=["cleaned up", "interrupted"])
async def test_objects_outside_of_namespaces_are_removed_too(
    cluster: ClusterUnderTest, tmp_path: Path, at_moment: AtMoment, interrupted: bool
) -> None:
    roles = objects(template(tmp_path, ROLE), 3)
    sink = MemorySink()
    async with cluster.generator(config(workload(roles, objects(count=4))), sink=sink) as generator:
        if interrupted:
            moment = MOMENTS["at the creation wait"]
            at_moment(moment, lambda: generator.interrupt(signal.SIGINT))
        result = await generator.run()
    names = {f"perfscale:test-{replica}" for replica in (1, 2, 3)}
    assert {row.name for row in sink.objects if row.namespace is None} == names
    assert not names & set(await cluster.names(CLUSTER_ROLES))
    assert result.accounts.created == result.accounts.deleted == 7
    assert await cluster.left_of(result.run_id) == {}


REFUSALS: list[dict[str, Any]] = [
    {"fault": "internalError", "verbs": ["deletecollection"], "share": 1.0},
    {"fault": "resetBefore", "verbs": ["deletecollection"], "share": 1.0},
    {"fault": "tooManyRequests", "verbs": ["deletecollection"], "share": 1.0},
]


@pytest.mark.parametrize("refusal", REFUSALS, ids=[str(each["fault"]) for each in REFUSALS])
async def test_objects_are_deleted_one_by_one_where_all_at_once_is_refused(
    refusal: dict[str, Any], tmp_path: Path
) -> None:
    # More than a page of a list holds.
    load = config(workload(objects(count=600)))
    async with faulty_run(tmp_path, load, requests=[refusal]) as run:
        assert run.injected[refusal["fault"]] > 0
        assert run.result.problems == ()
        assert run.result.accounts.deleted == run.vmis.gone == 600
        assert run.left == {}
