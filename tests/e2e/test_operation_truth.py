"""What a run says of operations, beside what the simulated cluster knows of them itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from operation_load import OperationSink, done, on
from workloads import config, objects

from perfscale.engine import LoadGenerator, RunOptions
from perfscale.kube.cluster import ClusterOptions
from perfscale.results import RunOutcome
from perfscale.sim.cluster import SimulatedCluster
from perfscale.templates import TemplateDefaults

if TYPE_CHECKING:
    from pathlib import Path

COUNT = 30
LATE_S = 10.0
"""An event is worked on within milliseconds, but not on a machine that has much else to do."""
VOLUME: dict[str, Any] = {
    "name": "data",
    "disk": {"disk": {"bus": "scsi"}},
    "volumeSource": {"persistentVolumeClaim": {"claimName": "shared"}},
}


@pytest.mark.parametrize(
    ("operation", "keys"),
    [
        ("restart", {}),
        ("stop", {}),
        ("pause", {}),
        ("addVolume", {"volume": VOLUME}),
    ],
)
async def test_no_effect_is_seen_before_it_is_there_or_much_later(
    operation: str, keys: dict[str, Any], tmp_path: Path
) -> None:
    made = objects("vm-ephemeral.yaml", COUNT)
    vms = {"name": "vms", "iterationCreationWait": True, "objects": [made]}
    load = config(vms, on("vms", operation, **keys))
    sink = OperationSink()
    async with SimulatedCluster(speed=20, seed=1) as cluster:
        kubeconfig = tmp_path / "kubeconfig"
        cluster.write_kubeconfig(kubeconfig)
        generator = LoadGenerator(
            load,
            cluster=ClusterOptions(kubeconfig=str(kubeconfig)),
            results=sink,
            options=RunOptions(defaults=TemplateDefaults()),
        )
        async with generator:
            result = await generator.run()
        truth = {each.name: each for each in cluster.ground_truth.operations.records}
    assert result.outcome is RunOutcome.PASSED, result.problems
    assert result.workloads[1].operations[0].accounts == done(COUNT)
    for record in sink.operations:
        assert record.name is not None
        assert record.sent_s is not None
        assert record.done_s is not None
        known = truth[record.name].effect_s
        assert known is not None
        # The server has the request a little later than it was sent.
        assert known <= record.done_s - record.sent_s <= known + LATE_S
        if operation == "restart":
            gone_s = record.milestones["Gone"] - record.sent_s
            old_gone_s = truth[record.name].milestones_s["oldGone"]
            assert old_gone_s <= gone_s <= old_gone_s + LATE_S
