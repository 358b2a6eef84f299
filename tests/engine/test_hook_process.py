"""Commands that run beside the load: what they print, how they end, and that nothing is left."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest
from patience import PATIENCE_S
from processes import lives, until, written

from perfscale.engine.hooks import process
from perfscale.engine.hooks.process import execute

ENVIRONMENT = {"PATH": os.environ["PATH"], "GREETING": "hello"}


async def shell(script: str, *, timeout_s: float | None = PATIENCE_S) -> tuple[int, str]:
    """Run a script; returns its exit code, and what it printed."""
    printed: list[bytes] = []
    code = await execute(
        ["sh", "-c", script], ENVIRONMENT, printed.append, timeout_s=timeout_s, groups=set()
    )
    return code, b"".join(printed).decode()


async def gone(pid: int) -> None:
    """Wait until a process is no more: it has only just been killed."""
    await until(lambda: not lives(pid))


async def test_what_a_command_prints_is_read_from_both_streams() -> None:
    assert await shell("echo $GREETING; echo there >&2; exit 3") == (3, "hello\nthere\n")


async def test_more_than_a_pipe_holds_is_read() -> None:
    code, printed = await shell("head -c 3000000 /dev/zero")
    assert (code, len(printed)) == (0, 3_000_000)


async def test_a_command_has_no_other_environment_than_it_is_given() -> None:
    assert "HOME" not in (await shell("env"))[1]


async def test_what_a_command_leaves_behind_is_killed_with_it() -> None:
    code, printed = await shell("sleep 1000 & echo $!")
    assert code == 0
    await gone(int(printed))


async def test_a_group_is_killed_while_its_number_is_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    held: list[bool] = []
    send = process.signal_group

    def noting(group: int, number: signal.Signals) -> None:
        held.append(Path(f"/proc/{group}").exists())  # as long as the command is not reaped
        send(group, number)

    monkeypatch.setattr(process, "signal_group", noting)
    assert await shell("exit 4") == (4, "")
    assert held == [True]


async def test_a_command_that_takes_too_long_is_ended_with_all_it_started(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loop, printed = asyncio.get_running_loop(), bytearray()
    now_s = loop.time
    # Its time is up as soon as it has started something, however long that takes it.
    monkeypatch.setattr(loop, "time", lambda: now_s() + (PATIENCE_S if printed else 0))
    script = "sleep 1000 & echo $!; wait"
    with pytest.raises(TimeoutError):
        await execute(
            ["sh", "-c", script], ENVIRONMENT, printed.extend, timeout_s=PATIENCE_S, groups=set()
        )
    await gone(int(printed))


async def test_cancellation_ends_a_command_and_lets_it_clean_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "GRACE_S", PATIENCE_S)
    begun, mark = tmp_path / "begun", tmp_path / "mark"
    script = f"trap 'touch {mark}; exit' TERM; echo >> {begun}; while :; do sleep 0.1; done"
    running = asyncio.create_task(shell(script))
    await written(begun)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert mark.exists()


async def test_a_second_cancellation_kills_what_does_not_listen(tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    script = f"trap '' TERM; echo $$ > {begun}; while :; do sleep 0.1; done"
    running = asyncio.create_task(shell(script))
    pid = int(await written(begun))
    running.cancel()
    await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await gone(pid)


async def test_a_command_that_is_not_there_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        await execute(["/no/such/command"], ENVIRONMENT, print, timeout_s=1.0, groups=set())
