"""The event loop that the commands run on: uvloop, where there is one.

It halves what a request costs. A program that embeds the runner brings its own loop.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

T = TypeVar("T")


def run(main: Coroutine[None, None, T]) -> T:
    """What `asyncio.run` does, on the quickest loop there is."""
    with asyncio.Runner(loop_factory=_factory()) as runner:
        return runner.run(main)


def _factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop  # noqa: PLC0415 -- not everywhere, and not for every command
    except ImportError:
        return None
    return uvloop.new_event_loop
