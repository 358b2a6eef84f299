"""A run that ends while its generators are started waits for none of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from clusters import ClusterUnderTest, simulated_cluster
from several_generators import coordinator
from workloads import config, objects, workload

from perfscale.errors import FleetError
from perfscale.fleet.inprocess import InProcess
from perfscale.fleet.transport import Connection, GeneratorInputs
from perfscale.results import RunOutcome, Validity

BOUND_S = 15.0
"""Under what a generator that is there may take to stop: nothing of that is waited for."""


class SlowToStart(InProcess):
    """Generator 1 is never there, like a worker that is busy with something else."""

    def __init__(self, error: str | None = None) -> None:
        super().__init__()
        self.is_starting = asyncio.Event()
        self._error = error

    async def start(self, inputs: GeneratorInputs) -> Connection:
        if inputs.shard.index == 1:
            self.is_starting.set()
            if self._error is not None:
                raise FleetError(self._error)
            await asyncio.Event().wait()
        return await super().start(inputs)


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[ClusterUnderTest]:
    async with simulated_cluster(tmp_path) as opened:
        yield opened


async def test_an_interrupt_while_generators_start_ends_the_run_at_once(
    cluster: ClusterUnderTest,
) -> None:
    transport = SlowToStart()
    async with coordinator(
        cluster, config(workload(objects(count=20))), 3, transport=transport
    ) as running:
        task = asyncio.create_task(running.run())
        await transport.is_starting.wait()
        async with asyncio.timeout(BOUND_S):
            running.interrupt()
            result = await task
    assert (result.outcome, result.exit_code) == (RunOutcome.INTERRUPTED, 130)
    assert result.problems == ("interrupted by SIGINT",)
    assert result.accounts.not_attempted == result.accounts.requested == 20
    assert not result.remains
    assert all(each.done() for each in transport.tasks.values())


async def test_a_generator_that_cannot_be_started_is_the_only_error_of_its_run(
    cluster: ClusterUnderTest,
) -> None:
    transport = SlowToStart("the worker has no room")
    async with coordinator(
        cluster, config(workload(objects(count=20))), 3, transport=transport
    ) as running:
        async with asyncio.timeout(BOUND_S):
            result = await running.run()
    assert result.outcome is RunOutcome.FAILED
    assert result.problems == ("the worker has no room",)
    assert await cluster.left_of(result.run_id) == {}
    assert all(each.done() for each in transport.tasks.values())


class LostAtStart(InProcess):
    """Generator 1 is gone before it has said a word."""

    async def start(self, inputs: GeneratorInputs) -> Connection:
        connection = await super().start(inputs)
        if inputs.shard.index == 1:
            self.tasks[1].cancel()
        return connection


async def test_a_generator_that_is_lost_before_it_begins_makes_the_run_invalid_by_name(
    cluster: ClusterUnderTest,
) -> None:
    transport = LostAtStart()
    async with coordinator(
        cluster, config(workload(objects(count=20))), 2, transport=transport
    ) as running:
        async with asyncio.timeout(BOUND_S):
            result = await running.run()
    assert (result.outcome, result.exit_code) == (RunOutcome.FAILED, 1)
    assert result.generator is not None
    assert result.generator.verdict is Validity.GENERATOR_LIMITED
    assert "generator 1 (task 1) was lost" in result.generator.reasons[0]
    assert result.accounts.balanced
    assert await cluster.left_of(result.run_id) == {}
