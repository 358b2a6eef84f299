"""kubectl works on the simulated API server as on any other."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest
from async_kubectl import AsyncKubectl
from kubectl import Kubectl
from patience import PATIENCE_S
from simulated_api import VMI, Api

YAML: Final = """\
apiVersion: kubevirt.io/v1
kind: VirtualMachineInstance
metadata:
  name: vmi-1
  namespace: demo
  labels: {app: web}
spec:
  domain:
    devices: {disks: [{name: disk, disk: {bus: virtio}}]}
    resources: {requests: {memory: 64Mi}}
  volumes:
    - name: disk
      containerDisk: {image: registry:5000/kubevirt/cirros-container-disk-demo:devel}
"""

REPLICA_SET: Final = """\
apiVersion: kubevirt.io/v1
kind: VirtualMachineInstanceReplicaSet
metadata: {name: web, namespace: demo}
spec: {replicas: 1, template: {spec: {}}}
"""


@pytest.fixture
def kubectl(api: Api, kubectl_for: Callable[[Path], Kubectl], tmp_path: Path) -> AsyncKubectl:
    kubeconfig = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "sim", "cluster": {"server": api.url}}],
        "users": [{"name": "sim", "user": {}}],
        "contexts": [{"name": "sim", "context": {"cluster": "sim", "user": "sim"}}],
        "current-context": "sim",
    }
    path = tmp_path / "kubeconfig"
    path.write_text(json.dumps(kubeconfig))
    return AsyncKubectl(kubectl_for(path))


def _rows(output: str) -> list[list[str]]:
    return [line.split() for line in output.splitlines()]


async def test_a_vmi_is_created_shown_and_deleted(api: Api, kubectl: AsyncKubectl) -> None:
    assert await kubectl("create", "-f", "-", stdin=YAML) == (
        "virtualmachineinstance.kubevirt.io/vmi-1 created\n"
    )
    vmi = api.store.get(VMI, "demo", "vmi-1")
    conditions = [{"type": "Ready", "status": "True"}]
    status = {"phase": "Running", "nodeName": "node-1", "conditions": conditions}
    api.store.update(VMI, {**vmi, "status": status})
    head, row = _rows(await kubectl("get", "vmi", "-A"))
    assert head == ["NAMESPACE", "NAME", "AGE", "PHASE", "IP", "NODENAME", "READY"]
    assert row == ["demo", "vmi-1", "0s", "Running", "node-1", "True"]
    head, _ = _rows(await kubectl("get", "vmis", "-n", "demo", "-o", "wide"))
    assert head[-2:] == ["LIVE-MIGRATABLE", "PAUSED"]
    assert "Phase:" in await kubectl("describe", "vmi", "vmi-1", "-n", "demo")
    assert "deleted" in await kubectl("delete", "vmi", "vmi-1", "-n", "demo")
    assert not api.store.list(VMI)


async def test_labels_annotations_and_patches_arrive(api: Api, kubectl: AsyncKubectl) -> None:
    await kubectl("create", "-f", "-", stdin=YAML)
    await kubectl("label", "vmi", "vmi-1", "-n", "demo", "tier=front")
    await kubectl("annotate", "vmi", "vmi-1", "-n", "demo", "note=hello")
    patch = '{"spec":{"hostname":"web"}}'
    await kubectl("patch", "vmi", "vmi-1", "-n", "demo", "--type=merge", "-p", patch)
    patch = '[{"op":"remove","path":"/metadata/labels/app"}]'
    await kubectl("patch", "vmi", "vmi-1", "-n", "demo", "--type=json", "-p", patch)
    vmi = api.store.get(VMI, "demo", "vmi-1")
    assert vmi["metadata"]["labels"] == {"tier": "front"}
    assert vmi["metadata"]["annotations"] == {"note": "hello"}
    assert vmi["spec"]["hostname"] == "web"


async def test_apply_creates_then_changes_on_either_side(api: Api, kubectl: AsyncKubectl) -> None:
    assert "created" in await kubectl("apply", "-f", "-", stdin=YAML)
    assert "unchanged" in await kubectl("apply", "-f", "-", stdin=YAML)
    changed = YAML.replace("64Mi", "128Mi")
    assert "configured" in await kubectl("apply", "-f", "-", stdin=changed)
    assert "applied" in await kubectl("apply", "--server-side", "-f", "-", stdin=YAML)
    requests = api.store.get(VMI, "demo", "vmi-1")["spec"]["domain"]["resources"]["requests"]
    assert requests == {"memory": "64Mi"}


async def test_a_watch_follows_the_phases(api: Api, kubectl: AsyncKubectl) -> None:
    await kubectl("create", "-f", "-", stdin=YAML)
    async with kubectl.started("get", "vmi", "-A", "-w", "--no-headers") as process:
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            assert b"vmi-1" in await process.stdout.readline()
            for phase in ("Scheduling", "Running"):
                vmi = api.store.get(VMI, "demo", "vmi-1")
                api.store.update(VMI, {**vmi, "status": {"phase": phase}})
                assert phase.encode() in await process.stdout.readline()


async def test_a_namespace_is_made_listed_and_deleted(api: Api, kubectl: AsyncKubectl) -> None:
    await kubectl("create", "namespace", "fresh")
    names = [row[0] for row in _rows(await kubectl("get", "ns", "--no-headers"))]
    assert {"default", "demo", "fresh", "kube-system"} == set(names) - {
        "kube-public",
        "kube-node-lease",
    }
    await kubectl("create", "-f", "-", stdin=YAML)
    await kubectl("delete", "ns", "demo")
    assert not api.store.list(VMI)


async def test_core_objects_are_made_by_kubectls_own_commands(kubectl: AsyncKubectl) -> None:
    await kubectl("create", "configmap", "settings", "-n", "demo", "--from-literal=a=b")
    await kubectl("create", "secret", "generic", "key", "-n", "demo", "--from-literal=a=b")
    shown = await kubectl("get", "configmap", "settings", "-n", "demo", "-o", "jsonpath={.data.a}")
    assert shown == "b"
    shown = await kubectl("get", "secret", "key", "-n", "demo", "-o", "jsonpath={.data.a}")
    assert shown == "Yg=="
    assert await kubectl("auth", "can-i", "create", "vmi") == "yes\n"


async def test_a_quota_is_made_by_kubectls_own_command(kubectl: AsyncKubectl) -> None:
    wanted = ("--hard=pods=10,requests.memory=4Gi", "--scopes=BestEffort")
    await kubectl("create", "quota", "few", "-n", "demo", *wanted)
    quota = json.loads(await kubectl("get", "quota", "few", "-n", "demo", "-o", "json"))
    assert quota["spec"] == {
        "hard": {"pods": "10", "requests.memory": "4Gi"},
        "scopes": ["BestEffort"],
    }


async def test_the_server_shows_its_kinds_and_version(kubectl: AsyncKubectl) -> None:
    assert "virtualmachineinstances" in await kubectl("api-resources")
    version = json.loads(await kubectl("version", "-o", "json"))
    assert "perfscale" in version["serverVersion"]["gitVersion"]
    assert "VirtualMachineInstance" in await kubectl("explain", "vmi")


async def test_a_replica_set_is_scaled(kubectl: AsyncKubectl) -> None:
    await kubectl("create", "-f", "-", stdin=REPLICA_SET)
    await kubectl("scale", "vmirs", "web", "-n", "demo", "--replicas=3")
    shown = await kubectl("get", "vmirs", "web", "-n", "demo", "--no-headers")
    assert _rows(shown)[0][:2] == ["web", "3"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("name: vmi-1", "name: Vmi_1", "metadata.name"),
        ("app: web", "app: 'not valid!'", "metadata.labels"),
        ("namespace: demo", "namespace: nowhere", 'namespaces "nowhere" not found'),
    ],
)
async def test_what_is_wrong_is_said(
    kubectl: AsyncKubectl, old: str, new: str, message: str
) -> None:
    code, _, error = await kubectl.run("create", "-f", "-", stdin=YAML.replace(old, new))
    assert code == 1
    assert message in error
