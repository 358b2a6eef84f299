"""A generator that is lost takes the run with it, and what it has left is counted and deleted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from clusters import ClusterUnderTest, simulated_cluster
from several_generators import coordinator, lose
from workloads import config, objects, workload

from perfscale.engine.events import Progress
from perfscale.fleet import inprocess
from perfscale.fleet.inprocess import InProcess
from perfscale.fleet.messages import Published
from perfscale.results import RunFolder, RunOutcome, Validity, rebuild_results


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[ClusterUnderTest]:
    async with simulated_cluster(tmp_path) as opened:
        yield opened


async def test_a_lost_generator_fails_the_run_by_name_and_everything_is_deleted(
    cluster: ClusterUnderTest, tmp_path: Path
) -> None:
    load = config(workload(objects(count=200), qps=40, burst=1))
    transport, sink = InProcess(), RunFolder(tmp_path / "results")
    async with coordinator(cluster, load, 2, sink=sink, transport=transport) as running:
        events = running.events()
        task = asyncio.create_task(running.run())
        lost = False
        async for event in events:
            if isinstance(event, Progress) and event.created >= 10 and not lost:
                lost = True
                lose(transport, 1)
        result = await task
    assert (result.outcome, result.exit_code) == (RunOutcome.FAILED, 1)
    assert "generator 1 (task 1) was lost: its task was cancelled" in result.problems[0]
    assert result.accounts.balanced
    assert result.accounts.requested == 200
    # Of its own objects the other one knows which it has not sent.
    assert result.accounts.not_attempted > 100 > result.accounts.unknown
    assert result.generator is not None
    assert result.generator.verdict is Validity.GENERATOR_LIMITED
    assert any("generator 1 (task 1) was lost" in each for each in result.generator.reasons)
    assert await cluster.left_of(result.run_id) == {}
    assert sink.path is not None
    (sink.path / "summary.json").unlink()
    assert rebuild_results(sink.path).result.accounts == result.accounts


async def test_objects_of_which_a_lost_generator_has_said_nothing_are_counted_as_lost(
    cluster: ClusterUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = config(workload(objects(count=200), qps=40, burst=1))
    transport = InProcess()
    send = inprocess._Ends.send
    silent = False

    def say_nothing(ends: Any, message: Any) -> None:
        if not (silent and ends.name == "task 1" and isinstance(message, Published)):
            send(ends, message)

    monkeypatch.setattr(inprocess._Ends, "send", say_nothing)
    async with coordinator(cluster, load, 2, transport=transport) as running:
        events = running.events()
        task = asyncio.create_task(running.run())
        at_silence = 0
        lost = False
        async for event in events:
            if not isinstance(event, Progress) or lost:
                continue
            if event.created >= 10 and not silent:
                silent, at_silence = True, event.created
            elif silent and event.created >= at_silence + 10:
                lost = True
                lose(transport, 1)
        result = await task
    assert result.outcome is RunOutcome.FAILED
    accounts = result.accounts
    assert accounts.balanced
    assert accounts.requested == 200
    assert accounts.lost > 0
    assert await cluster.left_of(result.run_id) == {}
