"""The cluster of a command line: one that is there, or a simulated one."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from perfscale.kube.cluster import ClusterOptions
    from perfscale.results import RunInfo
    from perfscale.sim.faults import Faults
    from perfscale.sim.storage.kinds.unknown import WantedKind


@dataclass(frozen=True)
class ChosenCluster:
    """Where to run.

    Attributes:
        options: How to open it; of a simulated one, without its kubeconfig.
        simulate: Whether it is simulated.
        speed: What latencies of a simulated one are divided by.
        faults: What goes wrong in a simulated one.
    """

    options: ClusterOptions
    simulate: bool = False
    speed: float = 1.0
    faults: Faults | None = None

    @asynccontextmanager
    async def opened(self, kinds: Iterable[WantedKind] = ()) -> AsyncIterator[ClusterOptions]:
        """How to open the cluster, which lives for as long as the context if it is simulated.

        ``kinds`` are those that a simulated one has beside its own.
        """
        if not self.simulate:
            yield self.options
            return
        from perfscale.sim.process import simulated_cluster_process

        async with simulated_cluster_process(
            speed=self.speed, faults=self.faults, kinds=kinds
        ) as kubeconfig:
            yield replace(self.options, kubeconfig=str(kubeconfig))

    def cleanup_command(self, info: RunInfo, results_dir: str | None) -> str | None:
        """What removes everything of a run later; a simulated cluster goes with it.

        ``results_dir`` is where its folder is; None for the default.
        """
        from perfscale.results import cleanup_command

        if self.simulate:
            return None
        return cleanup_command(
            info,
            kubeconfig=self.options.kubeconfig,
            master=self.options.master,
            results_dir=results_dir,
        )
