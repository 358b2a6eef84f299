"""`perfscale cleanup` for people who may not do everything, on a real API server."""

import asyncio
import json
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import pytest
from clusters import CONFIGMAPS, ClusterUnderTest, real_cluster
from command_line import CommandLine
from real_control_plane import HOST, RealControlPlane
from service_accounts import write_service_account

from perfscale.config.labels import run_labels
from perfscale.kube.resources import NAMESPACES, Resource

GROUP: Final = "rbac.authorization.k8s.io"
ROLES = Resource(GROUP, "v1", "roles", "Role", namespaced=True)
BINDINGS = Resource(GROUP, "v1", "rolebindings", "RoleBinding", namespaced=True)
NUMBERS = count(1)


@pytest.fixture
async def cluster(real_control_plane: RealControlPlane) -> AsyncIterator[ClusterUnderTest]:
    async with real_cluster(real_control_plane) as cluster:
        yield cluster


async def allow(cluster: ClusterUnderTest, namespace: str) -> None:
    """Let the outsider list and delete ConfigMaps there, and nothing anywhere else."""
    rule = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["list", "delete"]}
    metadata = {"name": "cleaner", "namespace": namespace}
    typed: dict[str, Any] = {"apiVersion": f"{GROUP}/v1", "metadata": metadata}
    await cluster.create(ROLES, {**typed, "kind": "Role", "rules": [rule]})
    reference = {"apiGroup": GROUP, "kind": "Role", "name": "cleaner"}
    outsider = {"apiGroup": GROUP, "kind": "User", "name": "outsider"}
    await cluster.create(
        BINDINGS, {**typed, "kind": "RoleBinding", "roleRef": reference, "subjects": [outsider]}
    )


@pytest.mark.parametrize("all_runs", [False, True], ids=["one run", "all runs"])
async def test_whoever_may_list_in_one_namespace_cleans_up_there_and_is_told_of_the_rest(
    all_runs: bool,
    cluster: ClusterUnderTest,
    real_control_plane: RealControlPlane,
    tmp_path: Path,
) -> None:
    run_id, number = str(uuid4()), next(NUMBERS)
    mine, other = f"cleaner-{number}", f"closed-{number}"
    labels = run_labels(run_id, "density", 1)
    for namespace in (mine, other):
        await cluster.create_namespace(namespace)
        await cluster.create_configmap(namespace, "left", labels)
    await allow(cluster, mine)
    kubeconfig = write_outsider(real_control_plane, tmp_path / "outsider", mine)

    what = ("--all", "--yes", "--force") if all_runs else ("--run-id", run_id)
    ended = await CommandLine(tmp_path).beside("cleanup", *what, "--kubeconfig", kubeconfig)
    assert ended.code == 1
    assert f"run {run_id}: what was found is removed" in ended.out
    assert f"configmaps: may only be listed in namespaces {mine}" in ended.err
    assert "not permitted to list" in ended.err
    assert await cluster.names(CONFIGMAPS, namespace=mine, selector="perfscale/workload") == []
    left = await cluster.names(CONFIGMAPS, namespace=other, selector="perfscale/workload")
    assert left == ["left"]
    for namespace in (mine, other):
        await cluster.client.delete(NAMESPACES, None, namespace)


async def test_whoever_may_list_where_the_run_was_cleans_up_all_of_it(
    cluster: ClusterUnderTest, real_control_plane: RealControlPlane, tmp_path: Path
) -> None:
    run_id, namespace = str(uuid4()), f"cleaner-{next(NUMBERS)}"
    await cluster.create_namespace(namespace)
    await cluster.create_configmap(namespace, "left", run_labels(run_id, "density", 1))
    await allow(cluster, namespace)
    kubeconfig = write_outsider(real_control_plane, tmp_path / "outsider", "default")
    describe(tmp_path / "results" / f"density-20260102T030405Z-{run_id}", run_id, namespace)
    command = ("cleanup", "--run-id", run_id, "--kubeconfig", kubeconfig)
    ended = await CommandLine(tmp_path).beside(*command)
    assert ended.code == 0, ended.err
    assert f"run {run_id}: removed" in ended.out
    assert await cluster.left_of(run_id) == {}
    await cluster.client.delete(NAMESPACES, None, namespace)


def write_outsider(control_plane: RealControlPlane, path: Path, namespace: str) -> Path:
    """Write a kubeconfig of the outsider, whose context is for a namespace."""
    control_plane.write_kubeconfig(path, control_plane.outsider_token)
    document = json.loads(path.read_text())
    document["contexts"][0]["context"]["namespace"] = namespace
    path.write_text(json.dumps(document))
    return path


async def test_whoever_may_list_nothing_is_not_told_that_there_is_nothing(
    cluster: ClusterUnderTest, real_control_plane: RealControlPlane, tmp_path: Path
) -> None:
    namespace = f"closed-{next(NUMBERS)}"
    await cluster.create_namespace(namespace)
    await cluster.create_configmap(namespace, "left", run_labels(str(uuid4()), "density", 1))
    kubeconfig = tmp_path / "outsider"
    real_control_plane.write_kubeconfig(kubeconfig, real_control_plane.outsider_token)
    ended = await CommandLine(tmp_path).beside("cleanup", "--all", "--kubeconfig", kubeconfig)
    assert ended.code == 1
    assert "nothing of any run found in what could be listed" in ended.out
    assert "not permitted to list" in ended.err
    await cluster.client.delete(NAMESPACES, None, namespace)


@pytest.mark.parametrize("folder", [False, True], ids=["looks everywhere", "knows the kinds"])
async def test_a_server_that_has_only_just_started_hides_nothing(
    folder: bool,
    cluster: ClusterUnderTest,
    real_control_plane: RealControlPlane,
    thread: ThreadPoolExecutor,
    tmp_path: Path,
) -> None:
    run_id, namespace = str(uuid4()), f"restarted-{next(NUMBERS)}"
    kubeconfig = write_service_account(real_control_plane, namespace, tmp_path / "kubeconfig")
    labels = run_labels(run_id, "density", 1)
    await cluster.create_namespace(namespace, labels)
    for number in range(20):
        await cluster.create_configmap(namespace, f"left-{number}", labels)
    if folder:
        describe(tmp_path / "results" / f"density-20260102T030405Z-{run_id}", run_id, namespace)
    real_control_plane.stop_apiserver(kill=True)
    starting = thread.submit(real_control_plane.start_apiserver)
    await listens(int(real_control_plane.server.rpartition(":")[2]))
    command = ("cleanup", "--run-id", run_id, "--kubeconfig", kubeconfig)
    ended = await CommandLine(tmp_path).beside(*command)
    starting.result()
    # Of all the kinds that there are, the account may see two.
    assert ended.code == (0 if folder else 1), ended.err
    assert await cluster.left_of(run_id) == {}


def describe(folder: Path, run_id: str, namespace: str) -> None:
    """Write what a run leaves of where it went."""
    kinds = [{"apiVersion": "v1", "kind": "ConfigMap"}]
    folder.mkdir(parents=True)
    document = {"runId": run_id, "kinds": kinds, "namespaces": [namespace]}
    (folder / "run.json").write_text(json.dumps(document))


async def listens(port: int) -> None:
    """Wait until somebody does, and not a moment longer."""
    while True:
        with suppress(OSError):
            _, writer = await asyncio.open_connection(HOST, port)
            writer.close()
            return
        await asyncio.sleep(0.01)
