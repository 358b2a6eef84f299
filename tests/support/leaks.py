"""What a test left running: asyncio tasks, threads and processes.

A run that leaks a task hides the error in it, and one that leaks a process hides a
simulated cluster that nobody stops. Both pass every other assertion, so every test is
checked for them.
"""

import asyncio
import os
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

# Inherited by every process that a test starts, so that one whose parent has died, and one
# in a session of its own, are still known as ours, and those of tests that run beside as theirs.
_MARK_VARIABLE: Final = "PERFSCALE_TEST_RUN"
_MARK: Final = f"{_MARK_VARIABLE}={os.getpid()}-{secrets.token_hex(8)}"
_GRACE_S: Final = 60.0
_POLL_S: Final = 0.02
_LOOP_TURNS: Final = 20


def mark_environment() -> None:
    """Make the processes that this test run starts recognisable."""
    variable, _, value = _MARK.partition("=")
    os.environ[variable] = value


@dataclass(frozen=True)
class Process:
    """A running process, as far as /proc tells."""

    pid: int
    group: int
    command: str


def _read_process(directory: Path) -> Process | None:
    """Return the process of `/proc/<pid>`, or None if it is not ours, or has just ended."""
    try:
        # The name in the second field may hold anything, a parenthesis too: proc(5).
        state, parent, group = (directory / "stat").read_text().rpartition(")")[2].split()[:3]
        environment = (directory / "environ").read_bytes()
        command = (directory / "cmdline").read_bytes()
    except OSError:
        return None
    is_ours = int(parent) == os.getpid() or _MARK.encode() in environment.split(b"\0")
    if not is_ours or state == "Z" or int(directory.name) == os.getpid():
        return None
    text = command.replace(b"\0", b" ").decode(errors="replace").strip()
    return Process(int(directory.name), int(group), text)


def _pids() -> frozenset[int]:
    """Return every process id of the machine; none where there is no /proc."""
    return frozenset(int(path.name) for path in Path("/proc").glob("[0-9]*"))


def _new_processes(before: frozenset[int]) -> list[Process]:
    # Only the new ones are read: there is a check after every test, and /proc is slow.
    read = (_read_process(Path("/proc") / str(pid)) for pid in _pids() - before)
    # A server of a session-wide fixture that a test restarted joins the group it was in.
    old_groups = before - {os.getpgrp()}
    return [process for process in read if process and process.group not in old_groups]


def _new_threads(before: frozenset[threading.Thread]) -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread not in before]


@contextmanager
def no_leaked_threads_or_processes() -> Iterator[None]:
    """Raise AssertionError if what the block started outlives it by a minute.

    The grace is for processes that are told to end and need a moment; it passes only where
    something is still running.
    """
    processes, threads = _pids(), frozenset(threading.enumerate())
    yield
    deadline = time.monotonic() + _GRACE_S
    while leaked := [*_new_threads(threads), *_new_processes(processes)]:
        if time.monotonic() > deadline:
            raise AssertionError(f"left running by the test: {leaked}")
        time.sleep(_POLL_S)


class LoopGuard:
    """Watches one event loop during a test: for tasks that outlive it, and for lost errors."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._before = asyncio.all_tasks(loop)
        self._lost: list[str] = []
        loop.set_exception_handler(self._record)

    def _record(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self._lost.append(f"{context['message']}: {context.get('exception')!r}")
        loop.default_exception_handler(context)

    async def check(self) -> None:
        """Raise AssertionError if a task is left, or an error was raised where nobody looked.

        A task that is on its way out gets some turns of the loop, but no time.
        """
        for _ in range(_LOOP_TURNS):
            if not self._leaked():
                break
            await asyncio.sleep(0)
        self._loop.set_exception_handler(None)
        if leaked := self._leaked():
            raise AssertionError(f"tasks left running by the test: {leaked}")
        if self._lost:
            raise AssertionError(f"errors that nobody awaited: {self._lost}")

    def _leaked(self) -> list[asyncio.Task[Any]]:
        tasks = asyncio.all_tasks(self._loop) - self._before
        return [task for task in tasks if task is not asyncio.current_task(self._loop)]
