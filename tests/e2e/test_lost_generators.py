"""Generators that are lost, on a clock that jumps from timer to timer."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from clusters import ClusterUnderTest
from operation_load import on
from several_generators import coordinator, kill_generator_1, let_generator_1_send
from workloads import config, objects, template, workload

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


async def test_of_a_load_that_ends_by_its_time_no_more_is_unknown_than_was_due_by_the_loss(
    simulated: ClusterUnderTest, tmp_path: Path
) -> None:
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: 'map-{{ replica }}'}\n"
    kept = {"iterationCleanup": False, "iterationDeletionWait": False}
    made = workload(objects(template(tmp_path, text), 10), name="maps", **kept)
    load = config(made, on("maps", "get", qps=40, burst=1, duration="60s"), cleanup=True)
    transport = InProcess()
    async with coordinator(simulated, load, 2, transport=transport) as running:
        result = await kill_generator_1(running, transport, at=100)
    (operation,) = result.operations
    accounts = operation.accounts
    assert accounts.balanced
    assert accounts.done >= 100
    # Of its 20 a second what it had not said yet: it speaks twice a second.
    assert accounts.unknown == accounts.not_attempted <= 15
