from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from multiprocessing import resource_tracker
from pathlib import Path

import pytest
from clusters import ClusterUnderTest, simulated_cluster
from distributed.utils import offload


@pytest.fixture(scope="session", autouse=True)
def _what_stays() -> None:
    """A thread of Dask's, and a process of Python's, stay from when somebody first needs them."""
    resource_tracker.ensure_running()

    async def start_one() -> None:
        await offload(lambda: None)

    asyncio.run(start_one())


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[ClusterUnderTest]:
    async with simulated_cluster(tmp_path) as opened:
        yield opened
