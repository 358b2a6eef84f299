"""Whatever a workload file asks for: accounts add up, nothing is left, nothing of others changed.

The ordinary run tries a few files, always the same. ``PERFSCALE_EXAMPLES=500`` tries so many
others, at random.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path
from typing import Final

from hypothesis import HealthCheck, given, note, settings
from random_checks import check
from random_runs import random_run
from random_workloads import Scenario, scenarios

_EXAMPLES: Final = os.environ.get("PERFSCALE_EXAMPLES")


@settings(
    max_examples=int(_EXAMPLES or 12),
    derandomize=_EXAMPLES is None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(scenarios())
def test_a_run_of_any_workload_file_keeps_its_promises(scenario: Scenario) -> None:
    note(str(scenario))
    asyncio.run(_try(scenario))


async def _try(scenario: Scenario) -> None:
    with tempfile.TemporaryDirectory() as directory:
        async with random_run(Path(directory), scenario) as run:
            await check(run)
