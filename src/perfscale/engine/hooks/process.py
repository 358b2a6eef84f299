"""A command in a process group of its own, whose output is read as it comes."""

from __future__ import annotations

import asyncio
import os
import signal
from asyncio.subprocess import DEVNULL
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import Callable, Mapping, Sequence

GRACE_S: Final = 5.0
"""So long a command that has to end is given between SIGTERM and SIGKILL."""
_CHUNK: Final = 65536


async def execute(
    command: Sequence[str],
    environment: Mapping[str, str],
    write: Callable[[bytes], None],
    *,
    timeout_s: float | None,
    groups: set[int],
) -> int:
    """Run a command to its end, and return its exit code, negative for a signal's number.

    It has no standard input, no shell and no terminal. What it started and left behind in its
    process group is killed with it.

    Cancellation sends SIGTERM to the group, and after `GRACE_S`, or a second cancellation,
    SIGKILL; no process of the group is left when it is raised.

    Args:
        command: The program and its arguments.
        environment: All of its environment.
        write: Called with what it prints, on standard output and standard error alike.
        timeout_s: How long it may take; None for any time.
        groups: Has its process group for as long as that is there.

    Raises:
        TimeoutError: It took longer, and was ended likewise.
        OSError: It cannot be run.
    """
    # A pipe of our own, which processes that leave the group may keep open: nobody waits for it.
    reading, writing = os.pipe()
    output = _Output(reading, write)
    try:
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=DEVNULL,
                stdout=writing,
                stderr=writing,
                env=dict(environment),
                start_new_session=True,
            )
        finally:
            os.close(writing)
        groups.add(process.pid)
        try:
            return await _outlast(process, timeout_s)
        finally:
            groups.discard(process.pid)
    finally:
        output.close()


async def _outlast(process: Process, timeout_s: float | None) -> int:
    try:
        async with asyncio.timeout(timeout_s):
            return await process.wait()
    except (asyncio.CancelledError, TimeoutError):
        signal_group(process.pid, signal.SIGTERM)
        with suppress(TimeoutError):
            async with asyncio.timeout(GRACE_S):
                await process.wait()
        raise
    finally:
        # The group outlives its first process if that has left others in it.
        signal_group(process.pid, signal.SIGKILL)
        if process.returncode is None:
            await process.wait()


def signal_group(group: int, number: signal.Signals) -> None:
    """Send a signal to a process group, if there is anything in it."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


class _Output:
    """What comes out of a pipe, handed on as it comes."""

    def __init__(self, descriptor: int, write: Callable[[bytes], None]) -> None:
        os.set_blocking(descriptor, False)
        self._descriptor = descriptor
        self._write = write
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(descriptor, self._read)

    def _read(self) -> bool:
        """Hand on what is there; returns whether there may be more."""
        try:
            data = os.read(self._descriptor, _CHUNK)
        except BlockingIOError:
            return False
        if data:
            self._write(data)
        else:
            self._loop.remove_reader(self._descriptor)
        return bool(data)

    def close(self) -> None:
        """Hand on what is left."""
        # A process that is no longer in the group may go on writing for ever.
        for _ in range(_MOST_CHUNKS):
            if not self._read():
                break
        self._loop.remove_reader(self._descriptor)
        os.close(self._descriptor)


_MOST_CHUNKS: Final = 64
