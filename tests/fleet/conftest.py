from __future__ import annotations

import asyncio

import pytest
from distributed.utils import offload


@pytest.fixture(scope="session", autouse=True)
def _threads_of_dask() -> None:
    """One thread of Dask's stays for as long as the process, whoever first needs it."""

    async def start_one() -> None:
        await offload(lambda: None)

    asyncio.run(start_one())
