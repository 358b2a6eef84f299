"""The manifests in `deploy/` on a real API server: it takes them, and their roles are exact."""

from collections.abc import AsyncIterator, Callable
from itertools import count
from pathlib import Path
from typing import Final

import pytest
import yaml
from clusters import ClusterUnderTest, real_cluster
from command_line import CommandLine, until
from deployment import (
    OVERLAYS,
    arguments,
    build,
    permissions,
    with_components,
)
from kubectl import Kubectl
from real_control_plane import RealControlPlane
from service_accounts import Rule, may, request_token, write_service_account

from perfscale.kube.resources import NAMESPACES

NAMESPACE: Final = "perfscale"
ROLES: Final = {"cluster": "cluster-role.yaml", "single-namespace": "role.yaml"}
NUMBERS: Final = count(1)
# Those that use none of KubeVirt's subresources, which only its own API server has.
WORKLOADS: Final = (
    *("kubevirt-churn", "kubevirt-density-namespaced", "migration-storm", "read-load"),
    *("vm-density", "vmirs-density"),
)


def rules_of(overlay: str) -> list[Rule]:
    rules: list[Rule] = yaml.safe_load((OVERLAYS / overlay / ROLES[overlay]).read_text())["rules"]
    return rules


PERMISSIONS: Final = [
    pytest.param(overlay, *permission, id=f"{overlay}: {permission[2]} {permission[1]}")
    for overlay in ROLES
    for permission in permissions(rules_of(overlay))
]


def without(rules: list[Rule], group: str, plural: str, verb: str) -> list[Rule]:
    """The same rules less one permission."""
    return [
        {"apiGroups": [each[0]], "resources": [each[1]], "verbs": [each[2]]}
        for each in permissions(rules)
        if each != (group, plural, verb)
    ]


@pytest.fixture
def kubectl(
    real_control_plane: RealControlPlane, kubectl_for: Callable[[Path], Kubectl]
) -> Kubectl:
    """An administrator's, with the namespace of the manifests in place."""
    made = kubectl_for(real_control_plane.kubeconfig)
    made("apply", "-f", str(OVERLAYS / "cluster" / "namespace.yaml"))
    return made


@pytest.fixture
async def cluster(
    real_control_plane: RealControlPlane,
) -> AsyncIterator[ClusterUnderTest]:
    async with real_cluster(real_control_plane) as opened:
        yield opened


@pytest.mark.parametrize("overlay", sorted(each.name for each in OVERLAYS.iterdir()))
@pytest.mark.parametrize("whole", [False, True], ids=["as it is", "with every component"])
def test_a_dry_run_on_the_server_takes_the_manifests(
    overlay: str, whole: bool, kubectl: Kubectl, tmp_path: Path
) -> None:
    folder = with_components(overlay, tmp_path) if whole else OVERLAYS / overlay
    lines = kubectl("apply", "--dry-run=server", "-k", str(folder)).splitlines()
    assert len(lines) == len(build(folder))
    assert [line for line in lines if not line.endswith("(server dry run)")] == []


@pytest.mark.parametrize("generators", [1, 2], ids=["one generator", "two generators"])
@pytest.mark.parametrize("overlay", ROLES)
async def test_a_run_needs_no_more_than_its_role(
    overlay: str,
    generators: int,
    cluster: ClusterUnderTest,
    kubectl: Kubectl,
    real_control_plane: RealControlPlane,
    tmp_path: Path,
) -> None:
    folder = str(OVERLAYS / overlay)
    kubectl("apply", "-k", folder)
    try:
        account = f"{NAMESPACE}:perfscale"
        vmis = "kubevirt.io", "virtualmachineinstances"
        within = NAMESPACE if overlay == "single-namespace" else None
        until(lambda: may(real_control_plane, account, "list", vmis, within=within), "the role")
        token = request_token(real_control_plane, NAMESPACE, "perfscale")
        kubeconfig = real_control_plane.write_kubeconfig(tmp_path / "kubeconfig", token)
        command = arguments(build(OVERLAYS / overlay), tmp_path / "workload.yaml", NAMESPACE)
        command += ["--replicas=5", "--no-report", f"--kubeconfig={kubeconfig}"]
        if generators > 1:
            command.append(f"--workers={generators}")
        ended = await CommandLine(tmp_path).beside(*command)
        assert ended.code == 0, ended.err
        assert "5 requested, 5 created, 5 ready, 5 deleted" in ended.out
        assert await cluster.left_of(ended.run_id) == {}
        there = await cluster.names(NAMESPACES)
        assert NAMESPACE in there
        assert "kubevirt-density-1" not in there
    finally:
        kubectl("delete", "-k", folder, "--ignore-not-found")


@pytest.mark.parametrize(("overlay", "group", "plural", "verb"), PERMISSIONS)
def test_with_one_permission_less_a_run_creates_nothing_and_names_it(
    overlay: str,
    group: str,
    plural: str,
    verb: str,
    kubectl: Kubectl,
    real_control_plane: RealControlPlane,
    tmp_path: Path,
) -> None:
    name = f"less-{next(NUMBERS)}"
    within = NAMESPACE if overlay == "single-namespace" else None
    rules = without(rules_of(overlay), group, plural, verb)
    kubeconfig = write_service_account(
        real_control_plane, name, tmp_path / "kubeconfig", rules=rules, within=within
    )
    (kept_group, kept, kept_verb), *_ = permissions(rules)
    account, resource = f"default:{name}", (kept_group, kept)
    until(lambda: may(real_control_plane, account, kept_verb, resource, within=within), "the role")
    command = arguments(build(OVERLAYS / overlay), tmp_path / "workload.yaml", NAMESPACE)
    listed = ("get", "virtualmachineinstances", "--all-namespaces", "-o", "name")
    before = kubectl(*listed)
    ended = CommandLine(tmp_path)(*command, "--replicas=5", f"--kubeconfig={kubeconfig}")
    assert ended.code == 2
    place = f"{plural}.{group}" if group else plural
    if within is not None:
        place += f" in namespace {within}"
    elif group:
        place += " in namespace kubevirt-density-1"
    assert f"error: not permitted: {verb} {place}\n" in ended.err
    assert ended.err.count("not permitted") == 1
    assert kubectl(*listed) == before


@pytest.mark.parametrize("workload", WORKLOADS)
def test_the_role_that_is_written_for_a_packaged_workload_is_enough_for_it(
    workload: str, real_control_plane: RealControlPlane, tmp_path: Path
) -> None:
    perfscale = CommandLine(tmp_path)
    made = perfscale("role", workload, f"--kubeconfig={real_control_plane.kubeconfig}")
    assert made.code == 0, made.err
    role = yaml.safe_load(made.out)
    account = f"written-{next(NUMBERS)}"
    kubeconfig = write_service_account(
        real_control_plane, account, tmp_path / "kubeconfig", rules=role["rules"]
    )
    (group, plural, verb), *_ = permissions(role["rules"])
    name = f"default:{account}"
    until(lambda: may(real_control_plane, name, verb, (group, plural)), "the role")
    tried = perfscale("run", workload, "--dry-run=server", f"--kubeconfig={kubeconfig}")
    assert tried.code == 0, tried.err
    assert "not permitted" not in tried.out
