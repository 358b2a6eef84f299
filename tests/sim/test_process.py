import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from patience import PATIENCE_S

from perfscale.errors import ClusterError
from perfscale.kube.cluster import ClusterOptions, open_cluster
from perfscale.sim.process import simulated_cluster_process


def server_of(kubeconfig: Path) -> str:
    config = yaml.safe_load(kubeconfig.read_text())
    server: str = config["clusters"][0]["cluster"]["server"]
    return server


async def is_listening(server: str) -> bool:
    host, _, port = server.removeprefix("http://").partition(":")
    try:
        _, writer = await asyncio.open_connection(host, int(port))
    except ConnectionRefusedError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


async def until_closed(server: str) -> None:
    """Wait until nobody listens any more: a server's connection tells when it ends."""
    host, _, port = server.removeprefix("http://").partition(":")
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                reader, writer = await asyncio.open_connection(host, int(port))
            except ConnectionRefusedError:
                return
            with suppress(ConnectionResetError):
                await reader.read()
            writer.close()
            with suppress(ConnectionResetError):
                await writer.wait_closed()


async def test_a_cluster_runs_while_its_context_lasts_and_leaves_nothing() -> None:
    async with simulated_cluster_process(speed=100, seed=1) as kubeconfig:
        server = server_of(kubeconfig)
        async with await open_cluster(ClusterOptions(kubeconfig=str(kubeconfig))) as opened:
            answer = await opened.client.request("GET", "/apis/kubevirt.io/v1")
            assert "virtualmachineinstances" in answer.body.decode()
    assert not await is_listening(server)
    assert not kubeconfig.parent.exists()


async def test_an_error_inside_the_context_ends_the_cluster_too() -> None:
    with pytest.raises(ZeroDivisionError):  # noqa: PT012 - the context is what is tested
        async with simulated_cluster_process() as kubeconfig:
            server = server_of(kubeconfig)
            raise ZeroDivisionError
    assert not await is_listening(server)
    assert not kubeconfig.parent.exists()


async def test_a_cancelled_run_ends_the_cluster_too() -> None:
    kubeconfigs: asyncio.Queue[Path] = asyncio.Queue()

    async def run() -> None:
        async with simulated_cluster_process() as kubeconfig:
            kubeconfigs.put_nowait(kubeconfig)
            await asyncio.Event().wait()

    task = asyncio.create_task(run())
    kubeconfig = await kubeconfigs.get()
    server = server_of(kubeconfig)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not await is_listening(server)
    assert not kubeconfig.parent.exists()


async def test_a_cluster_that_does_not_start_says_why() -> None:
    with pytest.raises(ClusterError, match="did not start") as caught:
        async with simulated_cluster_process(speed=-1):
            pass
    assert "speed must be a positive number, not -1" in str(caught.value)


PARENT = """
import asyncio
import signal
from perfscale.sim.process import simulated_cluster_process

async def main():
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, lambda: print("interrupted", flush=True))
    loop.add_signal_handler(signal.SIGTERM, told.set)
    async with simulated_cluster_process() as kubeconfig:
        print(kubeconfig, flush=True)
        await told.wait()

asyncio.run(main())
"""


@dataclass
class Parent:
    """A program that has a simulated cluster of its own."""

    process: asyncio.subprocess.Process
    kubeconfig: Path

    async def says(self) -> str:
        assert self.process.stdout is not None
        return (await self.process.stdout.readline()).decode().strip()


@pytest.fixture
async def parent() -> AsyncIterator[Parent]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT, stdout=asyncio.subprocess.PIPE, process_group=0
    )
    parent = Parent(process, Path())
    parent.kubeconfig = Path(await parent.says())
    yield parent
    if process.returncode is None:
        process.kill()
    await process.communicate()


async def test_a_cluster_ends_with_a_parent_that_is_killed(parent: Parent) -> None:
    server = server_of(parent.kubeconfig)
    assert await is_listening(server)
    parent.process.kill()
    await until_closed(server)
    assert not parent.kubeconfig.parent.exists()


async def test_ctrl_c_on_the_terminal_does_not_reach_the_cluster(parent: Parent) -> None:
    server = server_of(parent.kubeconfig)
    os.killpg(parent.process.pid, signal.SIGINT)
    assert await parent.says() == "interrupted"
    assert await is_listening(server)
    parent.process.terminate()
    await parent.process.communicate()
    assert parent.process.returncode == 0
    assert not parent.kubeconfig.parent.exists()
