from collections.abc import AsyncIterator

import pytest
from scripted_prometheus import ScriptedPrometheus, scripted_prometheus


@pytest.fixture
async def scripted() -> AsyncIterator[ScriptedPrometheus]:
    async with scripted_prometheus() as prometheus:
        yield prometheus
