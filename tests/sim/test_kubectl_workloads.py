"""kubectl judges workloads of the simulated cluster as it does any cluster's."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from async_kubectl import AsyncKubectl
from kubectl import Kubectl

from perfscale.sim.cluster import SimulatedCluster

WORKLOAD = """\
apiVersion: apps/v1
kind: {kind}
metadata: {{name: web, namespace: default}}
spec:
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec: {{containers: [{{name: main, image: registry/pause:3}}]}}
"""


@pytest.fixture
async def kubectl(
    kubectl_for: Callable[[Path], Kubectl], tmp_path: Path
) -> AsyncIterator[AsyncKubectl]:
    path = tmp_path / "kubeconfig"
    async with SimulatedCluster(speed=20, seed=1) as cluster:
        cluster.write_kubeconfig(path)
        yield AsyncKubectl(kubectl_for(path))


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("Deployment", "successfully rolled out"),
        ("StatefulSet", "roll"),
        ("DaemonSet", "successfully rolled out"),
    ],
)
async def test_a_rollout_is_waited_for(kubectl: AsyncKubectl, kind: str, said: str) -> None:
    await kubectl("create", "-f", "-", stdin=WORKLOAD.format(kind=kind))
    assert said in await kubectl("rollout", "status", f"{kind.lower()}/web")
    shown = await kubectl("get", kind.lower(), "web", "--no-headers")
    assert shown.split()[1] in ("1/1", "10")


async def test_what_is_there_from_the_start_is_shown(kubectl: AsyncKubectl) -> None:
    nodes = (await kubectl("get", "nodes", "--no-headers")).splitlines()
    assert len(nodes) == 10
    assert "WaitForFirstConsumer" in await kubectl("get", "storageclasses")
    version = "jsonpath={.items[0].status.observedKubeVirtVersion}"
    assert (await kubectl("get", "kubevirt", "-A", "-o", version)).startswith("v1.")
