"""Where the time of slow objects goes on a real API server, each cause in its turn.

The timestamps are the real server's and in whole seconds, and what a scheduler, a kubelet and
KubeVirt would do a stand-in does.
"""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from clusters import PODS, VMIS, VMS, ClusterUnderTest
from patience import PATIENCE_S
from real_control_plane import RealControlPlane
from slow_controllers import CAUSES, slow_controllers
from workloads import config, objects, template, workload

from perfscale.kube.cluster import ClusterOptions, open_cluster
from perfscale.kube.resources import Resource

JSON = dict[str, Any]

DELAY_S = 6.0
SPECS: dict[str, JSON] = {
    VMIS.kind: {"domain": {"devices": {}}},
    VMS.kind: {"runStrategy": "Always", "template": {"spec": {"domain": {"devices": {}}}}},
    PODS.kind: {"containers": [{"name": "main", "image": "registry/app:1"}]},
}


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is left out because the machine is busy."""
    monkeypatch.setattr("perfscale.engine.attribution.attributor.CLOSING_S", PATIENCE_S)


@pytest.fixture
async def bare(real_control_plane: RealControlPlane) -> AsyncIterator[ClusterUnderTest]:
    """A real API server, and no controllers."""
    options = ClusterOptions(kubeconfig=str(real_control_plane.kubeconfig))
    async with await open_cluster(options) as opened:
        yield ClusterUnderTest(options, opened.client, is_real=True)


@pytest.mark.parametrize("resource", [VMIS, VMS, PODS], ids=lambda each: each.plural)
async def test_each_cause_that_delays_an_object_is_named(
    resource: Resource, bare: ClusterUnderTest, tmp_path: Path
) -> None:
    # A pod's first controller is the scheduler.
    causes = [each for each in CAUSES if resource != PODS or each != "unseen"]
    manifest = {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "metadata": {"name": "{{ names[replica - 1] }}"},
        "spec": SPECS[resource.kind],
    }
    names = [*(cause.lower() for cause in causes), "quick-1", "quick-2"]
    entry = objects(
        template(tmp_path, json.dumps(manifest)),
        len(names),
        names=names,
        namespace=f"slow-{uuid4().hex[:8]}",
    )
    load = config(workload(entry, iterationDeletionWait=False), attribution={"after": "4s"})
    async with slow_controllers(bare.client, DELAY_S):
        result = await bare.run(load)
    assert result.problems == ()
    assert result.attribution is not None
    longest = {
        each.name: max(each.causes.items(), key=lambda cause: cause[1])[0].value
        for each in result.attribution.objects
    }
    assert longest == {cause.lower(): cause for cause in causes}
    for each in result.attribution.objects:
        assert sum(each.causes.values()) == pytest.approx(each.lasted_s)
        # Timestamps are in whole seconds, and there is one at either end.
        assert max(each.causes.values()) > DELAY_S - 2
