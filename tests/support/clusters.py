"""The clusters that end-to-end tests run on: the simulated one, and a real API server.

Both have the same controllers; on the real API server they work over HTTP.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from pages import list_pages
from real_control_plane import RealControlPlane
from under_test import load_generator

from perfscale.config import Config
from perfscale.config.labels import RUN_LABEL
from perfscale.engine import LoadGenerator, RunOptions
from perfscale.engine.removal.removal import Removal
from perfscale.errors import ConflictError, NotFoundError
from perfscale.kube.client import Client
from perfscale.kube.cluster import ClusterOptions, open_cluster
from perfscale.kube.resources import NAMESPACES, Place, Resource
from perfscale.results import ObjectRecord, ResultSink, RunInfo, RunResult
from perfscale.sim.cluster import SimulatedCluster
from perfscale.sim.controllers import ControllerManager
from perfscale.sim.controllers.http import HttpObjectStore
from perfscale.templates import TemplateDefaults

VMIS = Resource(
    "kubevirt.io", "v1", "virtualmachineinstances", "VirtualMachineInstance", namespaced=True
)
VMS = Resource("kubevirt.io", "v1", "virtualmachines", "VirtualMachine", namespaced=True)
VMIRS = Resource(
    "kubevirt.io",
    "v1",
    "virtualmachineinstancereplicasets",
    "VirtualMachineInstanceReplicaSet",
    namespaced=True,
)
PODS = Resource("", "v1", "pods", "Pod", namespaced=True)
CONFIGMAPS = Resource("", "v1", "configmaps", "ConfigMap", namespaced=True)
KINDS = (VMS, VMIRS, VMIS, PODS, CONFIGMAPS, NAMESPACES)

JSON = dict[str, Any]


class MemorySink:
    """Keeps a run's records for a test to look at."""

    def __init__(self) -> None:
        self.info: RunInfo | None = None
        self.objects: list[ObjectRecord] = []
        self.children: list[ObjectRecord] = []
        self.result: RunResult | None = None

    def begin(self, info: RunInfo) -> None:
        self.info = info

    def record(self, objects: Any, *, children: bool = False) -> None:
        (self.children if children else self.objects).extend(objects)

    def finish(self, result: RunResult) -> None:
        self.result = result


@dataclass
class ClusterUnderTest:
    """A cluster, and an administrator's eyes and hands in it."""

    options: ClusterOptions
    client: Client
    is_real: bool
    namespaces: list[str] = field(default_factory=list)

    @property
    def kubeconfig(self) -> Path:
        assert self.options.kubeconfig is not None
        return Path(self.options.kubeconfig)

    def generator(
        self,
        config: Config,
        *,
        sink: ResultSink | None = None,
        run_id: str | None = None,
        options: RunOptions | None = None,
    ) -> LoadGenerator:
        return load_generator(
            config,
            cluster=self.options,
            results=sink,
            run_id=run_id,
            options=options or RunOptions(defaults=TemplateDefaults()),
        )

    async def run(
        self, config: Config, *, sink: ResultSink | None = None, options: RunOptions | None = None
    ) -> RunResult:
        async with self.generator(config, sink=sink, options=options) as generator:
            return await generator.run()

    async def names(
        self, resource: Resource, *, namespace: str | None = None, selector: str | None = None
    ) -> list[str]:
        found: list[str] = []
        async for items, _ in list_pages(self.client, resource, namespace, label_selector=selector):
            found += (item["metadata"]["name"] for item in items)
        return sorted(found)

    async def left_of(self, run_id: str) -> dict[str, list[str]]:
        """Everything in the cluster that carries a run's label, by resource."""
        selector = f"{RUN_LABEL}={run_id}"
        found = {kind.plural: await self.names(kind, selector=selector) for kind in KINDS}
        return {plural: names for plural, names in found.items() if names}

    async def create(self, resource: Resource, manifest: JSON) -> None:
        namespace = manifest["metadata"].get("namespace")
        await self.client.request(
            "POST", resource.path(namespace), body=msgspec.json.encode(manifest)
        )

    async def create_namespace(self, name: str, labels: dict[str, str] | None = None) -> None:
        metadata = {"name": name, "labels": labels or {}}
        self.namespaces.append(name)
        await self.create(
            NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
        )

    async def create_configmap(
        self, namespace: str, name: str, labels: dict[str, str] | None = None
    ) -> None:
        metadata = {"name": name, "namespace": namespace, "labels": labels or {}}
        await self.create(
            CONFIGMAPS, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}
        )

    async def empty(self) -> None:
        """Remove what a test left on purpose, so that the next one finds nothing."""
        await Removal(self.client, [Place(kind) for kind in KINDS], RUN_LABEL).run()
        for name in self.namespaces:
            with suppress(NotFoundError, ConflictError):  # gone, or going
                await self.client.delete(NAMESPACES, None, name)
        async with asyncio.timeout(60):
            while set(self.namespaces) & set(await self.names(NAMESPACES)):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        self.namespaces.clear()


@asynccontextmanager
async def simulated_cluster(
    directory: Path, *, speed: float = 50.0
) -> AsyncIterator[ClusterUnderTest]:
    async with SimulatedCluster(speed=speed, seed=1) as cluster:
        kubeconfig = directory / "simulated.kubeconfig"
        cluster.write_kubeconfig(kubeconfig)
        options = ClusterOptions(kubeconfig=str(kubeconfig))
        async with await open_cluster(options) as opened:
            yield ClusterUnderTest(options, opened.client, is_real=False)


@asynccontextmanager
async def real_cluster(
    control_plane: RealControlPlane, *, speed: float = 20.0
) -> AsyncIterator[ClusterUnderTest]:
    options = ClusterOptions(kubeconfig=str(control_plane.kubeconfig))
    async with await open_cluster(options) as opened:
        controllers = asyncio.create_task(
            ControllerManager(HttpObjectStore(opened.client), speed=speed, seed=1).run()
        )
        cluster = ClusterUnderTest(options, opened.client, is_real=True)
        try:
            yield cluster
            await cluster.empty()
        finally:
            controllers.cancel()
            await asyncio.wait([controllers])
