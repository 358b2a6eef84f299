"""The whole simulated cluster in the running event loop: API server and controllers."""

from __future__ import annotations

import asyncio
import os
import secrets
import tempfile
import time
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

import yaml
from aiohttp import web

from perfscale.errors import UsageError
from perfscale.sim.apiserver.apiserver import Attachments, SimulatedApiServer
from perfscale.sim.apiserver.subresources import VirtApi
from perfscale.sim.controllers.kinds import VMIM
from perfscale.sim.controllers.kubevirt.migration.webhook import VMI_LABEL, MigrationWebhook
from perfscale.sim.controllers.kubevirt.webhooks import Webhooks
from perfscale.sim.controllers.manager import ControllerManager
from perfscale.sim.controllers.memory import MemoryObjectStore
from perfscale.sim.faults.injection import FaultInjection
from perfscale.sim.faults.model import Faults
from perfscale.sim.ground_truth import GROUND_TRUTH_PATH, GroundTruth
from perfscale.sim.initial_objects import create_initial_objects
from perfscale.sim.latency import Latencies
from perfscale.sim.metrics import METRICS_PATH, CountedStore, Metrics
from perfscale.sim.nodes.handler import VirtHandler
from perfscale.sim.nodes.pods import LauncherPods
from perfscale.sim.storage.kinds.custom import CustomKinds
from perfscale.sim.storage.kinds.defaults import with_defaults
from perfscale.sim.storage.kinds.unknown import WantedKind, serve_unknown
from perfscale.sim.storage.selectors import parse_selector
from perfscale.sim.storage.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType

    from perfscale.kube.resources import Resource
    from perfscale.sim.controllers.objects import Key
    from perfscale.sim.storage.records import JSON


_NAME: Final = "simulated"
"""Of the kubeconfig's context, cluster and user."""


class SimulatedCluster:
    """A Kubernetes cluster with KubeVirt, for as long as its context is entered.

    Leaving the context stops the controllers, then the server, and forgets all objects.
    A controller that fails, which is a bug, cancels the task inside the context, so that it
    does not wait for phases that never come; leaving the context raises the failure.

    Args:
        speed: Divides every latency of the controllers.
        port: Where to listen on loopback; 0 takes a free port.
        seed: Makes the latencies and the generated names repeatable.
        store: Where the objects are kept; a new, empty one by default.
        faults: What goes wrong in it, on purpose.
        kinds: More kinds that it serves: those that it does not know are stored, in namespaces,
            and nothing acts upon them.
        clock: What its ground truth is stamped by, in seconds; it never goes back.

    Attributes:
        ground_truth: What happened in it.

    Raises:
        ValueError: `speed` is not a positive number.
    """

    def __init__(
        self,
        *,
        speed: float = 1.0,
        port: int = 0,
        seed: int | None = None,
        store: Store | None = None,
        faults: Faults | None = None,
        kinds: Iterable[WantedKind] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.store = store or Store()
        serve_unknown(self.store, kinds)
        self._port = port
        self.ground_truth = GroundTruth(self.store, clock)
        self._injection = FaultInjection(faults or Faults(), self.store, self.ground_truth)
        # A server's own defaults come first, then KubeVirt's webhooks, then what faults do.
        webhooks = Webhooks(self._injection.controllers_now)
        CustomKinds(self.store)
        migrations = MigrationWebhook(self._find, self._migrations_of)
        self.store.admissions[:0] = [with_defaults, webhooks, migrations]
        self._pods = LauncherPods(self.store)
        self._handler = VirtHandler(
            self.store, Latencies(speed=speed, seed=seed), self._injection.controllers_now
        )
        controlled = CountedStore(MemoryObjectStore(self.store))
        metrics = Metrics(self.store, controlled)
        self._server = SimulatedApiServer(
            self.store,
            port=port,
            attached=Attachments(
                middlewares=[web.middleware(metrics.requests), *self._injection.middlewares],
                disturb=self._injection.disturb,
                pages={METRICS_PATH: metrics.page, GROUND_TRUTH_PATH: self.ground_truth.page},
                blocker_of=self._injection.blocker_of,
                virt_api=VirtApi(self.store, self._handler, self.ground_truth.operations),
            ),
        )
        self._manager = ControllerManager(
            controlled,
            speed=speed,
            seed=seed,
            wrap=self._injection.wrap,
            meter=metrics.queue,
            now=self._injection.controllers_now,
            capacities=self._injection.capacities,
        )
        self._token = secrets.token_urlsafe(24)
        self._stack = AsyncExitStack()

    def _find(self, resource: Resource, key: Key) -> JSON | None:
        found = self.store.collection(resource).get(key.namespace, key.name)
        return None if found is None else found.load()

    def _migrations_of(self, vmi: Key) -> Iterable[JSON]:
        chosen = parse_selector(f"{VMI_LABEL}={vmi.name}", "", VMIM.plural)
        return self.store.list(VMIM, vmi.namespace, chosen)

    @property
    def url(self) -> str:
        """Where the API server listens; only inside the context."""
        return self._server.url

    def kubeconfig(self) -> JSON:
        """A kubeconfig for the cluster, as a mapping; only inside the context."""
        return kubeconfig_for(self.url, self._token)

    def write_kubeconfig(self, path: str | Path) -> None:
        """Write `kubeconfig` to a file; see the function of this name."""
        write_kubeconfig(Path(path), self.kubeconfig())

    async def __aenter__(self) -> Self:
        """Start it; raises `UsageError` if the port cannot be listened at."""
        async with AsyncExitStack() as stack:
            try:
                await stack.enter_async_context(self._server)
            except OSError as error:
                raise UsageError(
                    f"cannot listen on port {self._port}: {error.strerror or error}",
                    hint="port 0 takes any that is free",
                ) from error
            create_initial_objects(self.store)
            await stack.enter_async_context(self._injection.running(self._server.listener))
            tasks = await stack.enter_async_context(asyncio.TaskGroup())
            controllers = tasks.create_task(self._manager.run(), name="simulated controllers")
            stack.callback(controllers.cancel)
            stack.callback(self._handler.close)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        """Stop it."""
        try:
            return bool(await self._stack.__aexit__(exc_type, exc, traceback))
        except BaseExceptionGroup as group:
            if group.exceptions == (exc,):
                return False  # it was not a controller that failed
            raise


def kubeconfig_for(url: str, token: str) -> JSON:
    """A kubeconfig with one context, whose user has a token as on many real clusters."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": _NAME,
        "contexts": [{"name": _NAME, "context": {"cluster": _NAME, "user": _NAME}}],
        "clusters": [{"name": _NAME, "cluster": {"server": url}}],
        "users": [{"name": _NAME, "user": {"token": token}}],
    }


def write_kubeconfig(path: Path, config: JSON) -> None:
    """Write a kubeconfig in one piece, readable by its owner alone.

    Who waits for the file to appear never reads half of it, and what was there before
    stays until the new one is complete.

    Raises:
        UsageError: It cannot be written there.
    """
    try:
        # mkstemp makes files of mode 0600.
        descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                yaml.safe_dump(config, file, sort_keys=False)
            Path(temporary).replace(path)
        except BaseException:
            with suppress(FileNotFoundError):
                Path(temporary).unlink()
            raise
    except OSError as error:
        raise UsageError(
            f"cannot write the kubeconfig to {path}: {error.strerror or error}"
        ) from error
