"""KubeVirt's controllers over HTTP, in a process of their own, for `lifecycle.py`."""

from __future__ import annotations

import sys
from pathlib import Path

import uvloop

from perfscale import ClusterOptions, open_cluster
from perfscale.sim.controllers import ControllerManager
from perfscale.sim.controllers.http import HttpObjectStore


async def main(kubeconfig: str, speed: float, ready: Path) -> None:
    """Move what there is, until killed; say in a file when the connection is open."""
    async with await open_cluster(ClusterOptions(kubeconfig=kubeconfig)) as cluster:
        ready.touch()  # noqa: ASYNC240 -- nobody else is on this loop yet
        await ControllerManager(HttpObjectStore(cluster.client), speed=speed, seed=1).run()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], float(sys.argv[2]), Path(sys.argv[3])))
