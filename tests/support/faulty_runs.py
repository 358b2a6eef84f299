"""Runs on a simulated cluster that misbehaves, and what really happened in it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clusters import MemorySink
from under_test import load_generator

from perfscale.config import Config
from perfscale.config.labels import RUN_LABEL
from perfscale.engine import RunOptions
from perfscale.engine.snapshot import RunCourse
from perfscale.kube.cluster import ClusterOptions
from perfscale.results import RunResult
from perfscale.sim.cluster import SimulatedCluster
from perfscale.sim.faults import Faults
from perfscale.sim.ground_truth import KindTruth
from perfscale.templates import TemplateDefaults

VMIS = "virtualmachineinstances.kubevirt.io"


@dataclass
class FaultyRun:
    """A run's result beside what really happened in the cluster."""

    result: RunResult
    sink: MemorySink
    cluster: SimulatedCluster
    course: RunCourse | None = None

    @property
    def vmis(self) -> KindTruth:
        """What really happened to the VMIs."""
        return self.cluster.ground_truth.kinds()[VMIS]

    @property
    def injected(self) -> Mapping[str, int]:
        """How often each fault happened."""
        return self.cluster.ground_truth.injected

    @property
    def left(self) -> dict[str, list[str]]:
        """Everything that carries the run's label, by resource."""
        return left_of(self.cluster, self.result.run_id)


def left_of(cluster: SimulatedCluster, run_id: str) -> dict[str, list[str]]:
    """Everything that carries a run's label, by resource, straight from the store."""
    found = {
        each.resource.plural: [
            record.name
            for record in each.records()
            if (record.labels or {}).get(RUN_LABEL) == run_id
        ]
        for each in cluster.store.collections()
    }
    return {plural: names for plural, names in found.items() if names}


@asynccontextmanager
async def faulty_run(
    directory: Path,
    config: Config,
    *,
    speed: float = 100.0,
    cleanup_timeout_s: float = 60.0,
    **faults: Any,
) -> AsyncIterator[FaultyRun]:
    """Run on a cluster with these faults, and leave it up to be looked at."""
    content = Faults.model_validate(faults)
    async with SimulatedCluster(speed=speed, seed=1, faults=content) as cluster:
        kubeconfig = directory / "faulty.kubeconfig"
        cluster.write_kubeconfig(kubeconfig)
        sink = MemorySink()
        generator = load_generator(
            config,
            cluster=ClusterOptions(kubeconfig=str(kubeconfig)),
            results=sink,
            options=RunOptions(defaults=TemplateDefaults(), cleanup_timeout_s=cleanup_timeout_s),
        )
        async with generator:
            result = await generator.run()
        yield FaultyRun(result, sink, cluster, generator.course())
