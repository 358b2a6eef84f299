"""The simulated cluster in a process of its own, so that its work is not the client's.

The two sides are in this one file: `simulated_cluster_process` starts the child, which runs
`main`. The child ends when the pipe that is its standard input closes, so it ends with its
parent, whatever ends that.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import signal
import sys
import tempfile
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from perfscale import eventloop
from perfscale.errors import ClusterError
from perfscale.sim.cluster import SimulatedCluster
from perfscale.sim.faults import dump_faults, parse_faults
from perfscale.sim.storage.kinds.unknown import WantedKind

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Sequence

    from perfscale.sim.faults.model import Faults

_START_TIMEOUT_S: Final = 60.0
_END_TIMEOUT_S: Final = 5.0
_LISTENS: Final = b"listening\n"
_KUBECONFIG: Final = "kubeconfig"
_LOG: Final = "log"
_FAULTS: Final = "faults.json"
_KINDS: Final = "kinds.json"
_LAST_LINES: Final = 20


@asynccontextmanager
async def simulated_cluster_process(
    *,
    speed: float = 1.0,
    seed: int | None = None,
    faults: Faults | None = None,
    kinds: Iterable[WantedKind] = (),
) -> AsyncIterator[Path]:
    """Run a simulated cluster in a child process; gives the path of its kubeconfig.

    The child has a session of its own: what Ctrl-C on the terminal sends does not reach
    it, so that the cluster is still there to be cleaned up. It and its files are gone when
    the context is left, also by cancellation.

    Its parameters are those of `SimulatedCluster`.

    Raises:
        ClusterError: It did not start; with the end of what it wrote to standard error.
    """
    with tempfile.TemporaryDirectory(prefix="perfscale-simulated-") as name:
        directory = Path(name)
        (directory / _KINDS).write_bytes(msgspec.json.encode(list(kinds)))
        process = await _start(directory, speed, seed, faults)
        try:
            await _wait_until_it_listens(process, directory / _LOG)
            yield directory / _KUBECONFIG
        finally:
            await _end(process)


async def _start(
    directory: Path, speed: float, seed: int | None, faults: Faults | None
) -> asyncio.subprocess.Process:
    # -P: a file of the user's that is called like one of our modules is not imported.
    command = [sys.executable, "-P", "-m", __name__, str(directory), f"--speed={speed!r}"]
    if seed is not None:
        command.append(f"--seed={seed}")
    if faults is not None:
        (directory / _FAULTS).write_text(dump_faults(faults), encoding="utf-8")
    with (directory / _LOG).open("wb") as log:
        return await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            start_new_session=True,
        )


async def _wait_until_it_listens(process: asyncio.subprocess.Process, log: Path) -> None:
    if process.stdout is None:
        raise AssertionError("standard output is a pipe")
    try:
        async with asyncio.timeout(_START_TIMEOUT_S):
            line = await process.stdout.readline()
    except TimeoutError:
        raise ClusterError(
            f"the simulated cluster did not start within {_START_TIMEOUT_S:.0f} s{_end_of(log)}"
        ) from None
    if line != _LISTENS:
        raise ClusterError(f"the simulated cluster did not start{_end_of(log)}")


def _end_of(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return ":\n" + "\n".join(lines[-_LAST_LINES:]) if lines else ""


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.stdin is not None:
        process.stdin.close()
    try:
        async with asyncio.timeout(_END_TIMEOUT_S):
            await process.communicate()
    except TimeoutError:
        # Wait for the end all the same: a process cannot refuse to be killed.
        _kill(process)
        await process.communicate()
    finally:
        # Cancelled once more while waiting: then at once.
        _kill(process)


def _kill(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.kill()


async def serve(directory: Path, *, speed: float, seed: int | None) -> None:
    """The child's work: a cluster until standard input ends or SIGTERM comes.

    Its faults are in `directory`, if it is to have any. Writes the kubeconfig there, then
    a line to standard output. The directory is removed at the end: there may be no parent
    any more to do it.
    """
    loop = asyncio.get_running_loop()
    asked_to_end = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked_to_end.set)

    def on_input() -> None:
        if not os.read(sys.stdin.fileno(), 4096):
            loop.remove_reader(sys.stdin.fileno())
            asked_to_end.set()

    given = directory / _FAULTS
    faults = parse_faults(given.read_text(encoding="utf-8")) if given.exists() else None
    kinds = msgspec.json.decode((directory / _KINDS).read_bytes(), type=list[WantedKind])
    async with SimulatedCluster(speed=speed, seed=seed, faults=faults, kinds=kinds) as cluster:
        cluster.write_kubeconfig(directory / _KUBECONFIG)
        loop.add_reader(sys.stdin.fileno(), on_input)
        sys.stdout.buffer.write(_LISTENS)
        sys.stdout.buffer.flush()
        await asked_to_end.wait()
        # First the kubeconfig, then the cluster that it leads to.
        shutil.rmtree(directory, ignore_errors=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the child; for `simulated_cluster_process` only."""
    parser = argparse.ArgumentParser(description="A simulated cluster that ends with its parent.")
    parser.add_argument("directory", type=Path, help="where the kubeconfig is written")
    parser.add_argument("--speed", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=None)
    given = parser.parse_args(arguments)
    eventloop.run(serve(given.directory, speed=given.speed, seed=given.seed))


if __name__ == "__main__":
    main()
