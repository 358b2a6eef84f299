"""A run that ends while its generators are started waits for none of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from clusters import ClusterUnderTest
from several_generators import coordinator
from workloads import config, objects, workload

from perfscale.engine.events import Warned
from perfscale.errors import FleetError, GeneratorLostError, SchedulerLostError
from perfscale.fleet import members
from perfscale.fleet.inprocess import InProcess
from perfscale.fleet.messages import ToCoordinator, ToGenerator
from perfscale.fleet.transport import Connection, GeneratorInputs
from perfscale.results import RunOutcome, Validity

BOUND_S = 15.0
"""Under what a generator that is there may take to stop: nothing of that is waited for."""


class NeverThere:
    """A connection to a generator that does not come, like one of a worker that is busy."""

    name = "nobody"

    def __init__(self, error: FleetError | GeneratorLostError | None) -> None:
        self._error = error
        self.is_closed = False

    def send(self, message: ToGenerator) -> None:
        pass

    async def receive(self) -> ToCoordinator:
        if self._error is not None:
            raise self._error
        await asyncio.Event().wait()
        raise AssertionError("nothing comes")

    async def close(self, on_wait: Callable[[float], None]) -> None:  # noqa: ARG002 -- see there
        self.is_closed = True


class SlowToStart(InProcess):
    """Generator 1 is never there, or cannot be."""

    def __init__(self, error: FleetError | GeneratorLostError | None = None) -> None:
        super().__init__()
        self.is_starting = asyncio.Event()
        self.missing = NeverThere(error)

    def start(self, inputs: GeneratorInputs) -> Connection:
        if inputs.shard.index == 1:
            self.is_starting.set()
            return self.missing
        return super().start(inputs)


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
    transport = SlowToStart(FleetError("the worker has no room"))
    async with coordinator(
        cluster, config(workload(objects(count=20))), 3, transport=transport
    ) as running:
        async with asyncio.timeout(BOUND_S):
            result = await running.run()
    assert result.outcome is RunOutcome.FAILED
    assert (result.problems, result.exit_code) == (("the worker has no room",), 2)
    assert await cluster.left_of(result.run_id) == {}
    assert all(each.done() for each in transport.tasks.values())


class LostAtStart(InProcess):
    """Generator 1 is gone before it has said a word."""

    def start(self, inputs: GeneratorInputs) -> Connection:
        connection = super().start(inputs)
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
    assert result.generator.verdict is Validity.GENERATOR_LOST
    assert "generator 1 (task 1) was lost" in result.generator.reasons[0]
    assert result.accounts.balanced
    assert await cluster.left_of(result.run_id) == {}


async def test_generators_start_at_the_same_time_and_the_one_that_never_comes_is_named(
    cluster: ClusterUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(members, "_OPENING_S", 0.2)
    transport = SlowToStart()
    async with coordinator(
        cluster, config(workload(objects(count=20))), 3, transport=transport
    ) as running:
        async with asyncio.timeout(BOUND_S):
            result = await running.run()
    assert set(transport.tasks) == {0, 2}
    assert (result.outcome, result.exit_code) == (RunOutcome.FAILED, 1)
    assert "generator 1 (nobody) was lost: it was not there within 0.2 s" in result.problems
    assert result.generator is not None
    assert result.generator.verdict is Validity.GENERATOR_LOST
    assert transport.missing.is_closed
    assert all(each.done() for each in transport.tasks.values())
    assert not result.remains


class WithoutScheduler(InProcess):
    """What had started all of them is gone before they begin."""

    def start(self, inputs: GeneratorInputs) -> Connection:  # noqa: ARG002 -- see there
        return NeverThere(SchedulerLostError("the scheduler is gone"))


async def test_a_scheduler_that_is_gone_is_said_once_and_not_of_each_generator(
    cluster: ClusterUnderTest,
) -> None:
    async with coordinator(
        cluster, config(workload(objects(count=20))), 3, transport=WithoutScheduler()
    ) as running:
        events = running.events()
        async with asyncio.timeout(BOUND_S):
            result = await running.run()
        warnings = [each.message async for each in events if isinstance(each, Warned)]
    assert (result.problems, result.exit_code) == (("the scheduler is gone",), 1)
    assert warnings == ["the scheduler is gone"]
    assert result.generator is not None
    assert result.generator.reasons == ("generators 0, 1, 2 were lost: the scheduler is gone",)
