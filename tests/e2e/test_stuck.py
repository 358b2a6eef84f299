"""What a run says when something does not get where it should."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from clusters import CONFIGMAPS, VMIRS, ClusterUnderTest
from pages import list_pages
from stages import until_stage
from workloads import config, objects, template, workload

from perfscale.engine import FailureBudget, RunOptions
from perfscale.engine.events import Stage
from perfscale.kube.resources import Resource
from perfscale.results import RunOutcome
from perfscale.templates import TemplateDefaults

EVENTS = Resource("", "v1", "events", "Event", namespaced=True)

HELD = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: held-{{ replica }}
  finalizers: [example.org/held]
"""
REFUSED = """\
apiVersion: v1
kind: Pod
metadata: {name: "refused-{{ replica }}"}
spec: {containers: []}
"""
PAUSED = """\
apiVersion: kubevirt.io/v1
kind: VirtualMachineInstanceReplicaSet
metadata: {name: "set-{{ replica }}"}
spec:
  paused: true
  replicas: 1
  selector: {matchLabels: {set: "{{ replica }}"}}
  template:
    metadata: {labels: {set: "{{ replica }}"}}
    spec: {domain: {devices: {}}}
"""


async def let_go(cluster: ClusterUnderTest) -> None:
    patch = msgspec.json.encode({"metadata": {"finalizers": None}})
    async for items, _ in list_pages(cluster.client, CONFIGMAPS):
        for item in items:
            if item["metadata"].get("finalizers"):
                await cluster.client.request(
                    "PATCH",
                    CONFIGMAPS.path(item["metadata"]["namespace"], item["metadata"]["name"]),
                    body=patch,
                    content_type="application/merge-patch+json",
                )


@pytest.fixture
async def held(cluster: ClusterUnderTest) -> AsyncIterator[ClusterUnderTest]:
    """A cluster in which finalizers are let go of at the end."""
    yield cluster
    await let_go(cluster)


async def test_what_a_finalizer_holds_is_left_over_and_named(
    held: ClusterUnderTest, tmp_path: Path
) -> None:
    result = await held.run(
        config(workload(objects(template(tmp_path, HELD), 2), maxWaitTimeout="6s"))
    )
    assert result.exit_code == 1
    assert result.accounts.leftover == 2
    assert result.remains
    text = "\n".join(result.problems)
    assert "2 ConfigMap still there: held by finalizer example.org/held" in text
    assert "namespace density-1 is still there" in text


async def test_an_interrupted_run_names_what_its_cleanup_could_not_remove(
    held: ClusterUnderTest, tmp_path: Path
) -> None:
    options = RunOptions(cleanup_timeout_s=2.0, defaults=TemplateDefaults())
    load = config(
        workload(objects(template(tmp_path, HELD), 2), objects(template(tmp_path, PAUSED, "p"), 1))
    )
    async with held.generator(load, options=options) as generator:
        events = generator.events()
        running = asyncio.create_task(generator.run())
        await until_stage(events, Stage.WAITING_READY)
        generator.interrupt()
        result = await running
    assert result.outcome is RunOutcome.INTERRUPTED
    text = "\n".join(result.problems)
    assert "the cleanup did not end within 2s" in text
    assert "2 ConfigMap still there: held by finalizer example.org/held" in text
    assert [each.lost for each in result.generators if each.lost is not None] == []


async def test_the_failure_budget_stops_the_run_and_cleans_up(
    cluster: ClusterUnderTest, tmp_path: Path
) -> None:
    options = RunOptions(max_failures=FailureBudget.parse("2"), defaults=TemplateDefaults())
    load = config(
        workload(
            objects(template(tmp_path, REFUSED), 10),
            objects(count=20),
            qps=50,
            burst=1,
        )
    )
    result = await cluster.run(load, options=options)
    assert (result.outcome, result.exit_code) == (RunOutcome.FAILED, 1)
    assert "more than --max-failures 2 allows" in result.problems[0]
    assert result.accounts.not_attempted > 0
    assert result.accounts.balanced
    assert await cluster.left_of(result.run_id) == {}


async def test_a_stuck_object_is_explained_by_the_events_about_it(
    cluster: ClusterUnderTest, tmp_path: Path
) -> None:
    load = config(workload(objects(template(tmp_path, PAUSED), 2), maxWaitTimeout="3s"))
    async with cluster.generator(load) as generator:
        events = generator.events()
        running = asyncio.create_task(generator.run())
        await until_stage(events, Stage.WAITING_READY)
        async for items, _ in list_pages(cluster.client, VMIRS):
            for item in items:
                await warn_about(cluster, item["metadata"])
        result = await running
    reason = "0 of 1 VMIs are ready; FailedCreate: exceeded quota"
    assert any(
        f"2 VirtualMachineInstanceReplicaSet not ready: {reason}" in problem
        for problem in result.problems
    )


async def warn_about(cluster: ClusterUnderTest, metadata: dict[str, Any]) -> None:
    await cluster.create(
        EVENTS,
        {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": f"{metadata['name']}.1", "namespace": metadata["namespace"]},
            "involvedObject": {
                "kind": "VirtualMachineInstanceReplicaSet",
                "namespace": metadata["namespace"],
                "name": metadata["name"],
                "uid": metadata["uid"],
            },
            "type": "Warning",
            "reason": "FailedCreate",
            "message": "exceeded quota",
        },
    )
