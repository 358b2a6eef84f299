"""The check that every test is under finds what it is there to find."""

import asyncio
import os
import signal
import subprocess
import threading

import leaks
import pytest
from leaks import LoopGuard, no_leaked_threads_or_processes


@pytest.fixture
def no_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaks, "_GRACE_S", 0.0)


async def test_a_task_that_is_still_waiting_is_a_leak() -> None:
    guard = LoopGuard(asyncio.get_running_loop())
    task = asyncio.create_task(asyncio.Event().wait(), name="forgotten")
    with pytest.raises(AssertionError, match="forgotten"):
        await guard.check()
    task.cancel()


async def test_a_task_that_is_about_to_end_is_none() -> None:
    guard = LoopGuard(asyncio.get_running_loop())
    task = asyncio.create_task(asyncio.Event().wait())
    await asyncio.sleep(0)
    task.cancel()
    await guard.check()


async def test_a_task_that_was_there_before_the_test_is_none() -> None:
    task = asyncio.create_task(asyncio.Event().wait())
    await LoopGuard(asyncio.get_running_loop()).check()
    task.cancel()


async def test_an_error_in_a_task_that_nobody_awaits_is_found() -> None:
    async def fail() -> None:
        raise ValueError("unheard")

    guard = LoopGuard(asyncio.get_running_loop())
    task = asyncio.create_task(fail())
    await asyncio.sleep(0)
    del task
    with pytest.raises(AssertionError, match="unheard"):
        await guard.check()


@pytest.mark.usefixtures("no_grace")
def test_a_child_process_is_a_leak() -> None:
    with pytest.raises(AssertionError, match="cat"), no_leaked_threads_or_processes():
        child = subprocess.Popen(["cat"], stdin=subprocess.PIPE)
    child.communicate()


def start_orphan(**environment: str) -> int:
    """Start a process whose parent ends at once; returns the id of its group."""
    # The output ends when the process itself closes it: only then is it sure to be past its
    # exec, before which /proc does not show its environment.
    script = "setsid sh -c 'echo $$; exec >&-; sleep 60; true' 2>/dev/null &"
    result = subprocess.run(
        ["sh", "-c", script],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return int(result.stdout)


@pytest.mark.usefixtures("no_grace")
def test_a_process_whose_parent_has_gone_is_a_leak() -> None:
    with pytest.raises(AssertionError, match="sleep 60"), no_leaked_threads_or_processes():
        group = start_orphan()
    os.killpg(group, signal.SIGKILL)


@pytest.mark.usefixtures("no_grace")
def test_a_process_of_tests_that_run_beside_these_is_none() -> None:
    with no_leaked_threads_or_processes():
        group = start_orphan(**{leaks._MARK_VARIABLE: "another"})
    os.killpg(group, signal.SIGKILL)


def test_a_process_that_ends_in_a_moment_is_none() -> None:
    with no_leaked_threads_or_processes():
        subprocess.run(["sh", "-c", "sleep 0.2 &"], check=True)


@pytest.mark.usefixtures("no_grace")
def test_a_thread_is_a_leak() -> None:
    release = threading.Event()
    thread = threading.Thread(target=release.wait, name="forgotten")
    with pytest.raises(AssertionError, match="forgotten"), no_leaked_threads_or_processes():
        thread.start()
    release.set()
    thread.join()
