"""A store, and an API server over it, for the tests of this room."""

from collections.abc import AsyncIterator

import pytest
from simulated_api import Api, new_store, serving

from perfscale.sim.storage.store import Store


@pytest.fixture
def store() -> Store:
    return new_store()


@pytest.fixture
async def api(store: Store) -> AsyncIterator[Api]:
    async with serving(store) as client:
        yield client
