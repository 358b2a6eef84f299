"""Readiness on a real API server, whose controllers a stand-in plays."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from clusters import ClusterUnderTest
from readings import condition
from real_control_plane import RealControlPlane
from stand_in import GADGETS, gadgets, stand_in
from workloads import config, objects, template, workload

from perfscale.kube.cluster import ClusterOptions, open_cluster
from perfscale.kube.resources import Resource
from perfscale.results import Accounts

JSON = dict[str, Any]

DEPLOYMENTS = Resource("apps", "v1", "deployments", "Deployment", namespaced=True)
JOBS = Resource("batch", "v1", "jobs", "Job", namespaced=True)
POD = {"containers": [{"name": "main", "image": "registry/pause:3"}], "restartPolicy": "Never"}
SET = {
    "selector": {"matchLabels": {"app": "web"}},
    "template": {
        "metadata": {"labels": {"app": "web"}},
        "spec": {"containers": [{"name": "main", "image": "registry/pause:3"}]},
    },
    "replicas": 2,
}


@pytest.fixture
async def bare(real_control_plane: RealControlPlane) -> AsyncIterator[ClusterUnderTest]:
    """A real API server, and no controllers."""
    options = ClusterOptions(kubeconfig=str(real_control_plane.kubeconfig))
    async with await open_cluster(options) as opened:
        yield ClusterUnderTest(options, opened.client, is_real=True)


def load(directory: Path, resource: Resource, spec: JSON, **keys: Any) -> Any:
    manifest = {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "metadata": {"name": "ready-{{ replica }}"},
        "spec": spec,
    }
    # Nobody empties namespaces here, so each run has its own.
    namespace = f"ready-{uuid4().hex[:8]}"
    path = template(directory, json.dumps(manifest))
    entry = {**objects(path, 2, namespace=namespace), **keys}
    return config(workload(entry, iterationDeletionWait=False))


def rolled_out(deployment: JSON) -> JSON:
    counts = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), 2)
    return {**counts, "observedGeneration": deployment["metadata"]["generation"]}


def without_one(deployment: JSON) -> JSON:
    return {**rolled_out(deployment), "availableReplicas": 1, "readyReplicas": 1}


async def test_a_deployment_is_ready_once_its_status_says_that_it_is_rolled_out(
    bare: ClusterUnderTest, tmp_path: Path
) -> None:
    async with stand_in(bare.client, DEPLOYMENTS, without_one, rolled_out):
        result = await bare.run(load(tmp_path, DEPLOYMENTS, SET))
    assert result.problems == ()
    assert (result.accounts.ready, result.accounts.failed) == (2, 0)


@pytest.mark.parametrize(("kind", "ready", "failed"), [("Complete", 2, 0), ("Failed", 0, 2)])
async def test_a_job_ends_by_its_condition(
    bare: ClusterUnderTest, tmp_path: Path, kind: str, ready: int, failed: int
) -> None:
    ended = {"conditions": [condition(kind, reason="Because")]}
    async with stand_in(bare.client, JOBS, {"active": 1}, ended):
        result = await bare.run(load(tmp_path, JOBS, {"template": {"spec": POD}}))
    assert (result.accounts.ready, result.accounts.failed) == (ready, failed)
    assert bool(result.problems) is bool(failed)


async def test_ready_when_and_failed_when_judge_a_kind_that_somebody_defined(
    bare: ClusterUnderTest, tmp_path: Path
) -> None:
    rules = {
        "readyWhen": ["condition=Ready", "jsonpath={.status.state}=Up"],
        "failedWhen": "condition=Stalled",
    }
    waiting = {"conditions": [condition("Ready")], "state": "Starting"}
    async with gadgets(bare.client):
        async with stand_in(bare.client, GADGETS, waiting, {"state": "Up"}):
            result = await bare.run(load(tmp_path, GADGETS, {}, **rules))
        assert result.problems == ()
        assert result.accounts == Accounts(
            requested=2, created=2, ready=2, deleted=result.accounts.deleted,
            leftover=result.accounts.leftover,
        )  # fmt: skip
        stalled = {"conditions": [condition("Stalled", reason="NoParts")]}
        async with stand_in(bare.client, GADGETS, stalled):
            result = await bare.run(load(tmp_path, GADGETS, {}, **rules))
        assert result.accounts.failed == 2
        assert any("condition=Stalled (NoParts)" in each for each in result.problems)
