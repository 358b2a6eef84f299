"""Running many requests at once, a bounded number at a time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable


async def run_bounded(calls: Iterable[Callable[[], Awaitable[None]]], *, limit: int) -> None:
    """Make every call, at most ``limit`` at a time, and wait for all.

    The first error cancels the rest and is raised as it is, not in a group.
    Cancellation cancels every call.
    """
    slots = asyncio.Semaphore(limit)

    async def make(call: Callable[[], Awaitable[None]]) -> None:
        try:
            await call()
        finally:
            slots.release()

    try:
        async with asyncio.TaskGroup() as tasks:
            for call in calls:
                await slots.acquire()
                tasks.create_task(make(call))
    except BaseExceptionGroup as group:
        raise first_error(group) from None


def first_error(error: BaseException) -> BaseException:
    """The first error in a group, however deep; any other error as it is."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
