"""How long a generator may be silent, on a clock that jumps from timer to timer."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from clusters import ClusterUnderTest
from several_generators import coordinator, let_generator_1_send
from workloads import config, objects, workload

from perfscale.engine.events import Warned
from perfscale.fleet import members
from perfscale.fleet.inprocess import InProcess
from perfscale.fleet.messages import Heartbeat

pytestmark = pytest.mark.virtual_time


async def test_a_generator_that_is_silent_for_ten_seconds_is_lost_and_no_sooner(
    simulated: ClusterUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = config(workload(objects(count=100), qps=2, burst=1))
    transport = InProcess()
    clock = asyncio.get_running_loop().time
    heard_s: list[float] = []

    def fall_silent(message: Any) -> Any:
        """After its first heartbeat."""
        if heard_s:
            return None
        if isinstance(message, Heartbeat):
            heard_s.append(clock())
        return message

    let_generator_1_send(monkeypatch, fall_silent)
    async with coordinator(simulated, load, 2, transport=transport) as running:
        events = running.events()
        task = asyncio.create_task(running.run())
        lost_s = [
            clock()
            async for each in events
            if isinstance(each, Warned) and "was lost" in each.message
        ]
        result = await task
    assert result.exit_code == 1
    assert "generator 1 (task 1) was lost: nothing was heard of it for 10 s" in result.problems[0]
    # It is counted in checks, one a second.
    assert members.SILENT_S - 1 < lost_s[0] - heard_s[0] < members.SILENT_S + 2
    assert result.accounts.balanced
    assert await simulated.left_of(result.run_id) == {}
