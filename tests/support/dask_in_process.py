"""A Dask scheduler and a worker in the loop of a test."""

from __future__ import annotations

import tempfile
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from distributed import LocalCluster

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@asynccontextmanager
async def one_worker() -> AsyncIterator[str]:
    """Without encryption; gives the scheduler's address.

    The loop has to end with the test: Dask leaves threads to the loop's default executor.
    """
    with tempfile.TemporaryDirectory() as folder:
        cluster: Any = LocalCluster(  # type: ignore[no-untyped-call]
            n_workers=1,
            threads_per_worker=1,
            processes=False,
            protocol="tcp",
            asynchronous=True,
            dashboard_address="127.0.0.1:0",
            worker_dashboard_address="127.0.0.1:0",
            memory_limit=0,
            local_directory=folder,
        )
        async with cluster:
            yield cluster.scheduler_address
