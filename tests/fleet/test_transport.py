"""Generators in processes, and what Dask carries to and from them."""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from dask_in_process import one_worker
from patience import PATIENCE_S
from plans import empty_plan
from processes import lives
from stand_in_generator import BATCHES, LEASE_VARIABLE

from perfscale.config import load_config
from perfscale.engine.inputs import RunOptions
from perfscale.engine.sharding.shard import Shard
from perfscale.errors import FleetError, GeneratorLostError
from perfscale.fleet.dask.transport import DaskTransport
from perfscale.fleet.dask.workers import FleetOptions, connected_workers
from perfscale.fleet.messages import Clocks, Ended, Opened, Probe, Published, Start, Stop
from perfscale.fleet.processes import process
from perfscale.fleet.processes.child import ChildInputs
from perfscale.fleet.processes.process import GeneratorProcess
from perfscale.fleet.transport import GeneratorInputs
from perfscale.kube.cluster import ClusterOptions
from perfscale.templates import default_workload

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from perfscale.fleet.dask.transport import DaskConnection

    Story = Callable[[DaskConnection], Awaitable[None]]


@pytest.fixture(autouse=True)
def _stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_MODULE", "stand_in_generator")
    support = str(Path(__file__).parents[1] / "support")
    monkeypatch.setenv("PYTHONPATH", support)


def inputs(count: int = 1) -> GeneratorInputs:
    plan = empty_plan("run")
    config = load_config(default_workload())
    shard = Shard(0, count)
    return GeneratorInputs("run", shard, config, plan, RunOptions(), ClusterOptions())


@asynccontextmanager
async def transport(kubeconfig: bytes | None = None) -> AsyncIterator[DaskTransport]:
    """Of one worker, which is in this process; what it starts is not."""
    async with (
        one_worker() as scheduler,
        connected_workers(FleetOptions(scheduler=scheduler)) as workers,
    ):
        yield DaskTransport(workers, kubeconfig=kubeconfig)


def play(story: Story, kubeconfig: bytes | None = None) -> None:
    """Start a generator for a story, and close its connection.

    The loop ends with the story: Dask leaves threads to the loop's default executor.
    """

    async def tell() -> None:
        async with asyncio.timeout(PATIENCE_S), transport(kubeconfig) as carrier:
            connection = carrier.start(inputs())
            try:
                await story(connection)
            finally:
                await connection.close(print)

    asyncio.run(tell())


async def opened(connection: DaskConnection) -> int:
    """Wait for a generator's first message; gives its process id."""
    first = await connection.receive()
    assert isinstance(first, Opened)
    return first.pid


def test_messages_keep_their_order_and_are_all_there_before_the_end() -> None:
    async def story(connection: DaskConnection) -> None:
        await opened(connection)
        for number in range(3):
            connection.send(Probe(number))
        connection.send(Start(0.0))
        connection.send(Stop(signal.SIGINT))
        answers = [await connection.receive() for _ in range(3)]
        assert answers == [Clocks(number, 1.0, 2.0) for number in range(3)]
        for number in range(BATCHES):
            batch = await connection.receive()
            assert isinstance(batch, Published)
            assert len(batch.entries) == 20
            assert getattr(batch.entries[0], "at_s", None) == number
        assert await connection.receive() == Ended()
        with pytest.raises(GeneratorLostError, match="ended with exit code 0"):
            await connection.receive()

    play(story)


def test_a_generator_that_is_killed_is_lost_with_the_signal_that_killed_it() -> None:
    async def story(connection: DaskConnection) -> None:
        os.kill(await opened(connection), signal.SIGKILL)
        for _ in range(2):  # whoever asks again
            with pytest.raises(GeneratorLostError, match="was killed by signal 9"):
                await connection.receive()
        connection.send(Probe(1))  # to nobody

    play(story)


def test_a_generator_that_hangs_is_gone_once_its_connection_is_closed() -> None:
    async def story(connection: DaskConnection) -> None:
        pid = await opened(connection)
        os.kill(pid, signal.SIGSTOP)
        await connection.close(print)
        assert not lives(pid)

    play(story)


def test_a_kubeconfig_that_is_sent_is_what_the_generator_reads() -> None:
    async def story(connection: DaskConnection) -> None:
        await opened(connection)
        connection.send(Stop(signal.SIGINT))
        assert await connection.receive() == Ended("a kubeconfig")

    play(story, b"a kubeconfig")


def test_a_generator_is_started_once() -> None:
    async def start() -> None:
        async with asyncio.timeout(PATIENCE_S), transport() as carrier:
            connection = carrier.start(inputs())
            await opened(connection)
            again = carrier.start(inputs())
            with pytest.raises(FleetError, match="starts once"):
                await again.receive()
            await connection.close(print)

    asyncio.run(start())


async def started() -> GeneratorProcess:
    child = GeneratorProcess()
    await child.start()
    await child.send(pickle.dumps(ChildInputs(inputs(), {})))
    assert b"opened" in await child.receive()
    return child


async def test_a_generator_that_hears_nothing_any_more_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(LEASE_VARIABLE, "0.1")
    child = await started()
    with pytest.raises(GeneratorLostError, match="nothing was heard of the coordinator"):
        await child.receive()
    await child.aclose()


async def test_a_generator_ends_with_the_process_that_has_started_it() -> None:
    child = await started()
    pipe = child._process.stdin
    assert pipe is not None
    pipe.close()  # as the kernel does, whatever ends a process
    with pytest.raises(GeneratorLostError, match="process that has started this one is gone"):
        await child.receive()
    await child.aclose()


async def test_what_a_generator_wrote_before_it_broke_is_in_the_error() -> None:
    child = GeneratorProcess()
    await child.start()
    await child.send(b"no inputs")
    with pytest.raises(GeneratorLostError, match="UnpicklingError"):
        await child.receive()
    await child.aclose()
