"""What the commands run on: event loop and garbage collector.

A program that embeds the runner brings its own. The loop is uvloop, where there
is one: it halves what a request costs. The collector looks at all objects far
less often than it would by itself: the loop stands still meanwhile, a tenth of a
second and more with tens of thousands of rows, of which none is garbage. Young
objects, such as failed requests leave behind, are still looked at.
"""

from __future__ import annotations

import asyncio
import gc
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

T = TypeVar("T")

_COLLECTIONS: Final = (10_000, 20, 100)
"""See `gc.set_threshold`."""


def run(main: Coroutine[None, None, T]) -> T:
    """What `asyncio.run` does, on the quickest loop there is."""
    gc.freeze()  # modules, classes and functions stay for good
    gc.set_threshold(*_COLLECTIONS)
    with asyncio.Runner(loop_factory=_factory()) as runner:
        return runner.run(main)


def _factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop  # noqa: PLC0415 -- not everywhere, and not for every command
    except ImportError:
        return None
    return uvloop.new_event_loop
