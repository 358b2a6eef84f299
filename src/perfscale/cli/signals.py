"""Runs a coroutine that signals can end, in order."""

from __future__ import annotations

import asyncio
import signal
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, TypeAlias

from perfscale import eventloop
from perfscale.cli.main import ignore_interrupts
from perfscale.cli.output.streams import say

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

Handler: TypeAlias = "Callable[[int], None]"

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_handler: ContextVar[Handler | None] = ContextVar("_handler", default=None)


def run_until_signalled(work: Coroutine[None, None, int], *, is_service: bool = False) -> int:
    """Run ``work`` in a new event loop; the first signal cancels it, and others change nothing.

    Returns what ``work`` returns, or 128 plus the number of the signal that ended it. The end of
    a service, which only a signal can end, needs no message.
    """
    try:
        return eventloop.run(_cancelled_by_signals(work, is_service=is_service))
    finally:
        ignore_interrupts()  # all is done but to exit


async def _cancelled_by_signals(work: Coroutine[None, None, int], *, is_service: bool) -> int:
    received: list[int] = []

    def on_signal(signum: int) -> None:
        received.append(signum)
        if len(received) == 1:
            task.cancel()

    with handle_signals(on_signal):
        task = asyncio.ensure_future(work)
        try:
            return await task
        except asyncio.CancelledError:
            if not received:
                raise
            if not is_service:
                say("interrupted")
            return 128 + received[0]
        finally:
            # The loop restores the handlers of before as it closes: with them, one more
            # would end the process before it exits with its code.
            signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)


@contextmanager
def handle_signals(handler: Handler) -> Iterator[None]:
    """Call ``handler`` in the running loop for SIGINT, SIGTERM and SIGHUP.

    Inside another such context, that one's handler takes over again afterwards:
    there is no moment at which a signal ends the process out of order.
    """
    outer = _handler.get()
    token = _handler.set(handler)
    _install(handler)
    try:
        yield
    finally:
        _handler.reset(token)
        _install(outer)


@contextmanager
def handle_interrupts(
    interrupt: Handler, *, is_over: Callable[[], bool] = lambda: False
) -> Iterator[list[int]]:
    """The first signal ends what goes on inside in order, the second one cancels this task.

    Any more change nothing: also who holds Ctrl-C down sees how to clean up.

    Args:
        interrupt: Ends it in order; it is called with the signal's number.
        is_over: Whether there is nothing left that a second signal could end.

    Yields:
        The numbers of the signals that have come.
    """
    running = asyncio.current_task()
    signals: list[int] = []

    def on_signal(signum: int) -> None:
        signals.append(signum)
        if len(signals) == 1:
            interrupt(signum)
            say("stopping and cleaning up; once more stops at once")
        elif len(signals) == 2 and running is not None and not is_over():
            running.cancel()

    with handle_signals(on_signal):
        yield signals


def _install(handler: Handler | None) -> None:
    loop = asyncio.get_running_loop()
    for signum in _SIGNALS:
        if handler is None:
            loop.remove_signal_handler(signum)
        # nohup has it ignored: what is to outlive its terminal must not end with it.
        elif signum != signal.SIGHUP or signal.getsignal(signum) != signal.SIG_IGN:
            loop.add_signal_handler(signum, handler, signum)
