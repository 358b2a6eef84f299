"""A command in a process group of its own, whose output is read as it comes."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
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
            # Not by asyncio, which reaps a process at once: see `_outlast`.
            process = subprocess.Popen(  # noqa: ASYNC220, S603 -- of the user's own workload file
                command,
                stdin=subprocess.DEVNULL,
                stdout=writing,
                stderr=writing,
                env=dict(environment),
                start_new_session=True,
            )
        finally:
            os.close(writing)
        groups.add(process.pid)
        try:
            with _Exit(process.pid) as exited:
                return await _outlast(process, exited, timeout_s)
        finally:
            groups.discard(process.pid)
    finally:
        output.close()


async def _outlast(process: subprocess.Popen[bytes], exited: _Exit, timeout_s: float | None) -> int:
    try:
        async with asyncio.timeout(timeout_s):
            await exited.wait()
    except (asyncio.CancelledError, TimeoutError):
        signal_group(process.pid, signal.SIGTERM)
        with suppress(TimeoutError):
            async with asyncio.timeout(GRACE_S):
                await exited.wait()
        raise
    finally:
        # The group outlives its first process if that has left others in it. It is killed before
        # that is reaped: until then, no other group can get its number.
        signal_group(process.pid, signal.SIGKILL)
        await exited.wait()
        process.wait()
    return process.returncode


class _Exit:
    """The end of a child process, which stays a zombie until it is reaped."""

    def __init__(self, pid: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._over = asyncio.Event()
        self._descriptor: int | None = None
        if sys.platform == "linux":
            with suppress(OSError):  # before Linux 5.3 there is none
                self._descriptor = os.pidfd_open(pid)
        if self._descriptor is not None:
            self._loop.add_reader(self._descriptor, self._set)
        else:
            how = os.WEXITED | os.WNOWAIT
            waiting = self._loop.run_in_executor(None, os.waitid, os.P_PID, pid, how)
            waiting.add_done_callback(lambda _: self._over.set())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._forget()

    async def wait(self) -> None:
        """Wait until it has ended."""
        await self._over.wait()

    def _set(self) -> None:
        self._over.set()
        self._forget()

    def _forget(self) -> None:
        if self._descriptor is not None:
            self._loop.remove_reader(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = None


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
