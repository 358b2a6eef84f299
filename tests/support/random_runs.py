"""Runs of workload files at random on the simulated cluster, in which others have something too."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import yaml
from clusters import CONFIGMAPS, VMS
from faulty_runs import left_of
from random_workloads import FOREIGN_NAMESPACE, PATCH, PATCH_FILE, Scenario
from under_test import load_generator

from perfscale.config import load_config
from perfscale.config.labels import RUN_LABEL
from perfscale.engine import LoadGenerator, RunOptions
from perfscale.errors import FleetError, PreflightError
from perfscale.kube.cluster import ClusterOptions
from perfscale.kube.resources import NAMESPACES
from perfscale.results import RunFolder
from perfscale.sim.cluster import SimulatedCluster
from perfscale.sim.faults import Faults
from perfscale.templates import TemplateDefaults

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from perfscale.config import Config
    from perfscale.kube.resources import Resource
    from perfscale.results import Entry, RunResult
    from perfscale.sim.storage.records import StoredChange

JSON = dict[str, Any]

_SPEED: Final = 500.0
PATIENCE_S: Final = 120.0


class _Sink(RunFolder):
    """A folder that interrupts its run after so many lines of the journal."""

    generator: LoadGenerator
    left: int | None = None

    def note(self, entry: Entry) -> None:
        super().note(entry)
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                self.left = None
                self.generator.interrupt()


@dataclass
class RandomRun:
    """A run that has ended, and what there was before it.

    Attributes:
        error: Why nothing was begun; None if there is a result.
        before: What others made, before the run.
        named: What was created with the run's label, by kind, namespace and name.
    """

    scenario: Scenario
    config: Config
    cluster: SimulatedCluster
    before: JSON
    named: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    result: RunResult | None = None
    error: PreflightError | FleetError | None = None
    folder: Path | None = None

    @property
    def run_id(self) -> str:
        assert self.result is not None
        return self.result.run_id

    @property
    def left(self) -> dict[str, list[str]]:
        """Everything that carries the run's label."""
        return left_of(self.cluster, self.run_id)


@asynccontextmanager
async def random_run(directory: Path, scenario: Scenario) -> AsyncIterator[RandomRun]:
    """Run it, and leave the cluster up to be looked at."""
    (directory / PATCH_FILE).write_text(PATCH, encoding="utf-8")
    path = directory / "workload.yaml"
    path.write_text(yaml.safe_dump(scenario.document, sort_keys=False), encoding="utf-8")
    config = load_config(path)
    faults = Faults.model_validate(scenario.faults)
    async with SimulatedCluster(speed=_SPEED, seed=1, faults=faults) as cluster:
        await _createforeign_objects(cluster)
        run = RandomRun(scenario, config, cluster, foreign_objects(cluster))
        cluster.store.listen(lambda change: _count_name(run.named, change))
        async with asyncio.timeout(PATIENCE_S):
            await _execute(run, directory)
        yield run


async def _execute(run: RandomRun, directory: Path) -> None:
    kubeconfig = directory / "kubeconfig"
    run.cluster.write_kubeconfig(kubeconfig)
    sink = _Sink(directory / "results")
    options = RunOptions(
        defaults=TemplateDefaults(), allow_foreign=run.scenario.allow_foreign, cleanup_timeout_s=60
    )
    generator = load_generator(
        run.config,
        cluster=ClusterOptions(kubeconfig=str(kubeconfig)),
        results=sink,
        options=options,
    )
    sink.generator, sink.left = generator, run.scenario.interrupt_at
    async with generator:
        try:
            run.result = await generator.run()
        except (PreflightError, FleetError) as error:
            run.error = error
    run.folder = sink.path


def _count_name(named: Counter[tuple[str, str, str]], change: StoredChange) -> None:
    record = change.record
    is_of_run = change.previous is None and RUN_LABEL in (record.labels or {})
    if is_of_run and "ownerReferences" not in record.load()["metadata"]:
        named[change.resource.plural, record.namespace, record.name] += 1


# -- what others made ---------------------------------------------------------


async def _createforeign_objects(cluster: SimulatedCluster) -> None:
    store = cluster.store
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": FOREIGN_NAMESPACE}}
    store.create(NAMESPACES, namespace)
    for n, tier in enumerate(("web", "web", "data")):
        labels = {"tier": tier}
        for resource in (CONFIGMAPS, VMS):
            store.create(resource, _manifest(resource, f"their-{n}", labels))


def _manifest(resource: Resource, name: str, labels: dict[str, str]) -> JSON:
    manifest: JSON = {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "metadata": {"name": name, "namespace": FOREIGN_NAMESPACE, "labels": labels},
    }
    if resource is VMS:
        devices = {"devices": {}, "resources": {"requests": {"memory": "64Mi"}}}
        template = {"spec": {"domain": devices, "terminationGracePeriodSeconds": 0}}
        manifest["spec"] = {"runStrategy": "Always", "template": template}
    return manifest


def foreign_objects(cluster: SimulatedCluster) -> JSON:
    """What others made, as far as it does not change by itself."""
    found: JSON = {}
    for resource in (NAMESPACES, CONFIGMAPS, VMS):
        for record in cluster.store.records(resource):
            if RUN_LABEL in (record.labels or {}):
                continue
            obj = record.load()
            metadata = obj["metadata"]
            found[f"{resource.kind}/{record.namespace}/{record.name}"] = {
                "uid": record.uid,
                "labels": metadata.get("labels"),
                "annotations": metadata.get("annotations"),
                "data": obj.get("data"),
                "spec": obj.get("spec"),
            }
    return found
