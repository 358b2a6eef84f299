"""Processes that tests look at from outside, by what they write and by their ids."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from patience import PATIENCE_S


async def until(reached: Callable[[], bool]) -> None:
    """Wait until something is so that tells nobody."""
    async with asyncio.timeout(PATIENCE_S):
        while not reached():  # noqa: ASYNC110 - processes have no event
            await asyncio.sleep(0.01)


async def written(path: Path) -> str:
    """Wait until a process has written a line into a file; returns it."""
    await until(lambda: _content(path).endswith("\n"))
    return _content(path).strip()


def _content(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def lives(pid: int) -> bool:
    """Whether a process is there, and does not only wait to be buried by who started it."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"
