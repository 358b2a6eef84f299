"""What the commands run on: event loop, garbage collector, and as many open files as there may be.

A program that embeds the runner brings its own. The loop is uvloop, where there
is one: it halves what a request costs. The collector looks at all objects far
less often than it would by itself: the loop stands still meanwhile, a tenth of a
second and more with tens of thousands of rows, of which none is garbage. Young
objects, such as failed requests leave behind, are still looked at. The limit on open
files is low by default for the sake of programs that use `select`, as this one does not.
"""

from __future__ import annotations

import asyncio
import gc
from contextlib import suppress
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

T = TypeVar("T")

_COLLECTIONS: Final = (10_000, 20, 100)
"""See `gc.set_threshold`."""
_MOST_FILES: Final = 65_536
"""More than there are ports to connect from."""


def run(main: Coroutine[None, None, T]) -> T:
    """What `asyncio.run` does, on the quickest loop there is."""
    gc.freeze()  # modules, classes and functions stay for good
    gc.set_threshold(*_COLLECTIONS)
    _raise_file_limit()
    with asyncio.Runner(loop_factory=_factory()) as runner:
        return runner.run(main)


def _raise_file_limit() -> None:
    """As far as it may be raised, as Go programs do."""
    try:
        import resource  # noqa: PLC0415 -- not everywhere
    except ImportError:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, _MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):  # some systems have another bound below it
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop  # noqa: PLC0415 -- not everywhere, and not for every command
    except ImportError:
        return None
    return uvloop.new_event_loop
