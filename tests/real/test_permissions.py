"""Whoever may work in one namespace only can run there, or is told what is missing."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from clusters import VMIS, ClusterUnderTest, real_cluster
from real_control_plane import RealControlPlane
from workloads import config, objects, workload

from perfscale.engine import LoadGenerator, RunOptions
from perfscale.errors import PreflightError
from perfscale.kube.cluster import ClusterOptions
from perfscale.kube.resources import NAMESPACES, Resource
from perfscale.results import Accounts
from perfscale.templates import TemplateDefaults

ROLES = Resource("rbac.authorization.k8s.io", "v1", "roles", "Role", namespaced=True)
BINDINGS = Resource(
    "rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding", namespaced=True
)
NEEDED = ("create", "delete", "list", "watch")
TEAMS = count(1)


@dataclass(frozen=True)
class Team:
    """A cluster, and a namespace in it that a team was given."""

    cluster: ClusterUnderTest
    name: str

    @property
    def namespace(self) -> str:
        return f"{self.name}-1"


@pytest.fixture
async def team(real_control_plane: RealControlPlane) -> AsyncIterator[Team]:
    async with real_cluster(real_control_plane) as cluster:
        given = Team(cluster, f"team-{next(TEAMS)}")
        await cluster.create_namespace(given.namespace)
        yield given
        await cluster.client.delete(NAMESPACES, None, given.namespace)


async def allow(team: Team, *verbs: str) -> None:
    """Let the outsider do this with VMIs in the namespace, and nothing anywhere else."""
    metadata = {"name": "load", "namespace": team.namespace}
    rule = {"apiGroups": ["kubevirt.io"], "resources": [VMIS.plural], "verbs": list(verbs)}
    group = "rbac.authorization.k8s.io"
    typed: dict[str, Any] = {"apiVersion": f"{group}/v1", "metadata": metadata}
    await team.cluster.create(ROLES, {**typed, "kind": "Role", "rules": [rule]})
    reference = {"apiGroup": group, "kind": "Role", "name": "load"}
    outsider = {"apiGroup": group, "kind": "User", "name": "outsider"}
    await team.cluster.create(
        BINDINGS, {**typed, "kind": "RoleBinding", "roleRef": reference, "subjects": [outsider]}
    )


def outsider(team: Team, control_plane: RealControlPlane, directory: Path) -> LoadGenerator:
    load = config(workload(objects(count=5, namespace=team.name)))
    path = control_plane.write_kubeconfig(directory / "outsider", control_plane.outsider_token)
    options = RunOptions(defaults=TemplateDefaults())
    return LoadGenerator(load, cluster=ClusterOptions(kubeconfig=str(path)), options=options)


@pytest.mark.parametrize("more", [(), ("deletecollection",)], ids=["one by one", "all at once"])
async def test_a_role_in_one_namespace_is_enough_to_run_there(
    more: tuple[str, ...],
    team: Team,
    real_control_plane: RealControlPlane,
    tmp_path: Path,
) -> None:
    await allow(team, *NEEDED, *more)
    async with outsider(team, real_control_plane, tmp_path) as generator:
        result = await generator.run()
    assert result.problems == ()
    assert result.accounts == Accounts(requested=5, created=5, ready=5, deleted=5)
    assert await team.cluster.left_of(result.run_id) == {}
    assert team.namespace in await team.cluster.names(NAMESPACES)


@pytest.mark.parametrize("missing", NEEDED)
async def test_a_permission_that_is_missing_is_named_before_anything_is_created(
    missing: str,
    team: Team,
    real_control_plane: RealControlPlane,
    tmp_path: Path,
) -> None:
    await allow(team, *(verb for verb in NEEDED if verb != missing))
    async with outsider(team, real_control_plane, tmp_path) as generator:
        with pytest.raises(PreflightError) as caught:
            await generator.run()
    assert caught.value.exit_code == 2
    [problem] = caught.value.problems
    assert str(problem) == f"not permitted: {missing} {VMIS.name} in namespace {team.namespace}"
    assert await team.cluster.names(VMIS, namespace=team.namespace) == []


async def test_an_admin_who_impersonates_somebody_may_do_no_more_than_they(
    team: Team, real_control_plane: RealControlPlane, tmp_path: Path
) -> None:
    document = json.loads(real_control_plane.kubeconfig.read_text())
    document["users"][0]["user"]["as"] = "outsider"
    path = tmp_path / "impersonating"
    path.write_text(json.dumps(document))
    load = config(workload(objects(count=5, namespace=team.name)))
    async with LoadGenerator(load, cluster=ClusterOptions(kubeconfig=str(path))) as generator:
        with pytest.raises(PreflightError, match="not permitted"):
            await generator.run()
    await allow(team, *NEEDED)
    async with LoadGenerator(load, cluster=ClusterOptions(kubeconfig=str(path))) as generator:
        result = await generator.run()
    assert result.accounts == Accounts(requested=5, created=5, ready=5, deleted=5)
