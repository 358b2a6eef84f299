"""The real control plane behaves as the tests that build on it assume."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from kubectl import Kubectl
from real_control_plane import RealControlPlane


@pytest.fixture
def kubectl(
    real_control_plane: RealControlPlane, kubectl_for: Callable[[Path], Kubectl]
) -> Kubectl:
    return kubectl_for(real_control_plane.kubeconfig)


@pytest.fixture
def namespace(kubectl: Kubectl) -> Iterator[str]:
    name = f"fixture-{uuid4().hex[:8]}"
    kubectl("create", "namespace", name)
    yield name
    kubectl("delete", "namespace", name, "--ignore-not-found", "--wait=false")


def _manifest(kind: str, name: str, **fields: object) -> str:
    manifest = {"apiVersion": "kubevirt.io/v1", "kind": kind, "metadata": {"name": name}}
    return json.dumps(manifest | fields)


def test_kubevirts_kinds_are_served_in_both_versions(kubectl: Kubectl) -> None:
    kinds = ("instances", "s", "instancereplicasets", "instancemigrations")
    for resource in (f"virtualmachine{suffix}" for suffix in kinds):
        for version in ("v1", "v1alpha3"):
            result = kubectl.run("get", f"{resource}.{version}.kubevirt.io", "-A")
            assert result.stderr == "No resources found\n"


def test_kubevirts_short_names_are_known(kubectl: Kubectl) -> None:
    for name in ("vmi", "vmis", "vm", "vms", "vmirs", "vmim"):
        assert kubectl.run("get", name, "-A").stderr == "No resources found\n"


def test_a_vmi_shows_the_columns_that_kubevirt_shows(kubectl: Kubectl, namespace: str) -> None:
    status = {"phase": "Running", "nodeName": "node01", "interfaces": [{"ipAddress": "10.0.0.7"}]}
    vmi = _manifest("VirtualMachineInstance", "tiny", spec={"domain": {}}, status=status)
    kubectl("create", "-n", namespace, "-f", "-", stdin=vmi)
    header, row = kubectl("get", "vmi", "-n", namespace).splitlines()
    assert header.split() == ["NAME", "AGE", "PHASE", "IP", "NODENAME", "READY"]
    assert row.split()[2:] == ["Running", "10.0.0.7", "node01"]


@pytest.mark.parametrize(
    ("kind", "short", "kept"),
    [
        ("VirtualMachineInstance", "vmi", "1"),
        ("VirtualMachine", "vm", ""),
        ("VirtualMachineInstanceReplicaSet", "vmirs", ""),
    ],
)
def test_only_a_vmis_status_is_written_with_the_object(
    kubectl: Kubectl, namespace: str, kind: str, short: str, kept: str
) -> None:
    body = _manifest(kind, "tiny", spec={}, status={"replicas": 1})
    kubectl("create", "-n", namespace, "-f", "-", stdin=body)
    status = kubectl("get", short, "tiny", "-n", namespace, "-o", "jsonpath={.status.replicas}")
    assert status == kept


def test_a_replica_set_can_be_scaled(kubectl: Kubectl, namespace: str) -> None:
    body = _manifest("VirtualMachineInstanceReplicaSet", "herd", spec={"replicas": 1})
    kubectl("create", "-n", namespace, "-f", "-", stdin=body)
    kubectl("scale", "vmirs", "herd", "-n", namespace, "--replicas=3")
    replicas = kubectl("get", "vmirs", "herd", "-n", namespace, "-o", "jsonpath={.spec.replicas}")
    assert replicas == "3"


def test_a_deleted_namespace_goes_away_with_its_contents(kubectl: Kubectl, namespace: str) -> None:
    body = _manifest("VirtualMachineInstance", "tiny", spec={})
    kubectl("create", "-n", namespace, "-f", "-", stdin=body)
    kubectl("delete", "namespace", namespace, "--wait", "--timeout=60s")
    assert namespace not in kubectl("get", "namespaces", "-o", "name")


def test_what_an_owner_leaves_behind_is_collected(kubectl: Kubectl, namespace: str) -> None:
    owner = _manifest("VirtualMachine", "owner", spec={})
    kubectl("create", "-n", namespace, "-f", "-", stdin=owner)
    uid = kubectl("get", "vm", "owner", "-n", namespace, "-o", "jsonpath={.metadata.uid}")
    reference = {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachine",
        "name": "owner",
        "uid": uid,
    }
    metadata = {"name": "owned", "ownerReferences": [reference]}
    owned = _manifest("VirtualMachineInstance", "owned", metadata=metadata, spec={})
    kubectl("create", "-n", namespace, "-f", "-", stdin=owned)
    kubectl("delete", "vm", "owner", "-n", namespace)
    # An older kubectl calls it an error when there is nothing left to wait for.
    kubectl.run("wait", "vmi/owned", "-n", namespace, "--for=delete", "--timeout=60s")
    assert kubectl("get", "vmi", "-n", namespace, "-o", "name") == ""


@pytest.mark.parametrize("kill", [True, False], ids=["killed", "asked to end"])
def test_a_restarted_api_server_has_the_same_address_and_data(
    real_control_plane: RealControlPlane, kubectl: Kubectl, namespace: str, *, kill: bool
) -> None:
    body = _manifest("VirtualMachineInstance", "survivor", spec={})
    kubectl("create", "-n", namespace, "-f", "-", stdin=body)
    real_control_plane.stop_apiserver(kill=kill)
    assert kubectl.run("get", "vmi", "-n", namespace).returncode != 0
    real_control_plane.start_apiserver()
    assert kubectl("get", "vmi", "-n", namespace, "-o", "name").split() == [
        "virtualmachineinstance.kubevirt.io/survivor"
    ]


def test_an_outsider_may_do_nothing_until_it_is_granted(
    real_control_plane: RealControlPlane,
    kubectl: Kubectl,
    namespace: str,
    kubectl_for: Callable[[Path], Kubectl],
    tmp_path: Path,
) -> None:
    token = real_control_plane.outsider_token
    outsider = kubectl_for(real_control_plane.write_kubeconfig(tmp_path / "outsider", token))
    assert "forbidden" in outsider.run("get", "vmi", "-n", namespace).stderr
    kubectl("create", "role", "reader", "-n", namespace, "--verb=list", "--resource=vmi")
    kubectl("create", "rolebinding", "reader", "-n", namespace, "--role=reader", "--user=outsider")
    assert outsider("get", "vmi", "-n", namespace) == ""
