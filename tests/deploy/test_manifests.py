"""What the manifests in `deploy/` say of pods and permissions."""

from pathlib import Path

import pytest
import yaml
from command_line import CommandLine
from deployment import (
    COMPONENTS,
    DEPLOY,
    JSON,
    OVERLAYS,
    arguments,
    build,
    of_kind,
    with_components,
)

EVERY = [each.name for each in sorted(OVERLAYS.iterdir())]
OF_ONE = ["cluster", "single-namespace"]
SINGLE = (
    "--set=workloads[*].objects[*].inputVars.namespace=perfscale",
    "--set=workloads[*].numberedNamespaces=false",
)
SAFE_VOLUMES = {"configMap", "emptyDir", "persistentVolumeClaim", "projected", "secret"}


def pods(manifests: list[JSON]) -> list[JSON]:
    """The specs of all pods that these manifests lead to."""
    return [
        each["spec"]["template"]["spec"] for each in manifests if "template" in each.get("spec", {})
    ]


def violations(pod: JSON) -> list[str]:
    """What the profile `restricted` of the pod security standards has against a pod.

    https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
    """
    wrong = [key for key in ("hostNetwork", "hostPID", "hostIPC") if pod.get(key)]
    of_pod = pod.get("securityContext", {})
    wrong += [
        volume["name"] for volume in pod.get("volumes", []) if not SAFE_VOLUMES.intersection(volume)
    ]
    for container in (*pod["containers"], *pod.get("initContainers", [])):
        context = {**of_pod, **container.get("securityContext", {})}
        if context.get("runAsNonRoot") is not True or context.get("runAsUser") == 0:
            wrong.append("runAsNonRoot")
        if context.get("allowPrivilegeEscalation") is not False or context.get("privileged"):
            wrong.append("allowPrivilegeEscalation")
        if context.get("seccompProfile", {}).get("type") not in {"RuntimeDefault", "Localhost"}:
            wrong.append("seccompProfile")
        capabilities = context.get("capabilities", {})
        if capabilities.get("drop") != ["ALL"] or capabilities.get("add"):
            wrong.append("capabilities")
        wrong += [f"hostPort {port}" for port in container.get("ports", []) if "hostPort" in port]
    return wrong


@pytest.mark.parametrize("overlay", EVERY)
def test_every_pod_is_admitted_where_pod_security_is_restricted(
    overlay: str, tmp_path: Path
) -> None:
    for folder in (OVERLAYS / overlay, with_components(overlay, tmp_path)):
        specs = pods(build(folder))
        assert specs
        assert [violations(pod) for pod in specs] == [[]] * len(specs)


def test_the_pod_that_results_are_copied_from_is_admitted_there_too() -> None:
    reader = yaml.safe_load((DEPLOY / "components" / "results-volume" / "reader.yaml").read_text())
    assert violations(reader["spec"]) == []
    assert reader["spec"]["automountServiceAccountToken"] is False


@pytest.mark.parametrize("overlay", EVERY)
def test_every_container_has_a_read_only_root_and_bounds(overlay: str) -> None:
    for pod in pods(build(OVERLAYS / overlay)):
        for container in pod["containers"]:
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
            assert {"cpu", "memory"} <= set(container["resources"]["requests"])
            assert "memory" in container["resources"]["limits"]


@pytest.mark.parametrize("overlay", EVERY)
def test_a_token_is_mounted_only_where_a_pod_says_that_it_needs_one(overlay: str) -> None:
    manifests = build(OVERLAYS / overlay)
    assert of_kind(manifests, "ServiceAccount")["automountServiceAccountToken"] is False
    job = of_kind(manifests, "Job")["spec"]["template"]["spec"]
    assert job["automountServiceAccountToken"] is True


def test_a_job_that_failed_is_not_tried_again_and_has_time_to_clean_up() -> None:
    job = of_kind(build(OVERLAYS / "cluster"), "Job")["spec"]
    assert job["backoffLimit"] == 0
    assert job["template"]["spec"]["restartPolicy"] == "Never"
    assert job["template"]["spec"]["terminationGracePeriodSeconds"] > 300


def test_the_cluster_role_is_what_the_workload_needs(perfscale: CommandLine) -> None:
    manifests = build(OVERLAYS / "cluster")
    made = perfscale("role", str(DEPLOY / "base" / "workload.yaml"), "--simulate")
    assert made.code == 0, made.err
    assert yaml.safe_load(made.out) == of_kind(manifests, "ClusterRole")


def test_the_role_of_one_namespace_is_what_the_workload_needs_there(
    perfscale: CommandLine,
) -> None:
    manifests = build(OVERLAYS / "single-namespace")
    workload = str(DEPLOY / "base" / "workload.yaml")
    made = perfscale("role", workload, "--simulate", "--namespace", "perfscale", *SINGLE)
    assert made.code == 0, made.err
    assert yaml.safe_load(made.out) == of_kind(manifests, "Role")
    assert not any(each["kind"].startswith(("Cluster", "Namespace")) for each in manifests)


@pytest.mark.parametrize("overlay", OF_ONE)
def test_the_job_runs_its_workload(overlay: str, tmp_path: Path, perfscale: CommandLine) -> None:
    manifests = build(OVERLAYS / overlay)
    command = arguments(manifests, tmp_path / "workload.yaml", "perfscale")
    ended = perfscale(*command, "--simulate", "--speed=50", "--replicas=3", "--no-report")
    assert ended.code == 0, ended.err
    expected = "perfscale" if overlay == "single-namespace" else "kubevirt-density-1"
    assert f"\nnamespaces                     {expected}\n" in ended.err


def test_components_keep_results_in_a_volume_and_make_the_log_json(tmp_path: Path) -> None:
    assert {each.name for each in (DEPLOY / "components").iterdir()} == set(COMPONENTS)
    manifests = build(with_components("single-namespace", tmp_path))
    pod = of_kind(manifests, "Job")["spec"]["template"]["spec"]
    [results] = [each for each in pod["volumes"] if each["name"] == "results"]
    claim = of_kind(manifests, "PersistentVolumeClaim")["metadata"]["name"]
    assert results == {"name": "results", "persistentVolumeClaim": {"claimName": claim}}
    assert pod["containers"][0]["args"][-4:] == [
        "--set=workloads[*].objects[*].inputVars.namespace=$(POD_NAMESPACE)",
        SINGLE[1],
        "--quiet",
        "--output=json",
    ]
