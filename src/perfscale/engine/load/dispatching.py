"""Sends the requests of every load, when they are due: creates and operations alike.

The dispatcher takes a place among the requests in flight, then waits for the
rate, and only then starts a task: there are as many tasks as requests in
flight, however many objects there are.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from perfscale.engine.load.slots import Slots

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable

    from perfscale.engine.context import RunContext
    from perfscale.engine.iteration_context import IterationContext
    from perfscale.engine.load.pacing import Pacing

_AT_ONCE = 16
"""Requests that start together where the rate allows: to be woken for each costs the server, and
the kernel that does it, more than the request itself."""

T = TypeVar("T")


class Dispatcher:
    """Starts the requests of all iterations, which share the bound on requests in flight."""

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._slots = asyncio.Semaphore(context.config.global_config.max_in_flight)
        self._tasks: set[asyncio.Task[None]] = set()

    async def dispatch(
        self,
        items: Iterable[T],
        iteration: IterationContext,
        *,
        pacing: Pacing,
        start: Callable[[T, float], Coroutine[Any, Any, None]],
        missed: Callable[[T], None],
    ) -> None:
        """Start a request for each item that is due; returns when the last has been answered.

        ``items`` is consumed as the rate allows, so that a large iteration is
        rendered while it runs. Cancellation stops the dispatching; requests in
        flight go on until `drain`.

        Args:
            items: What there is to do, in its order.
            iteration: What it is done for.
            pacing: When each is due, and may go.
            start: Called when an item may go, with the time at which it was due, in seconds
                since the run's start; the coroutine that it returns sends the request. It
                raises nothing.
            missed: Called with an item that was due before the load was over, and is not sent.
        """
        context, slots = self._context, Slots(*pacing.bounds, self._slots)
        finished = partial(self._finished, iteration, slots)
        name = f"perfscale-request-{iteration.scope.workload}"
        begins_s, iteration.begins_s = iteration.begins_s, None
        due = pacing.due(items, context.stopwatch.now, missed, begins_s)
        with context.health.creating(iteration.scope.workload, context.client.stats):
            for number, (item, due_s) in enumerate(due, start=1):
                # The place comes before the token: one that had to wait for a place would be spent
                # late, and together with those that the limiter gives by then.
                await self._take_slot(iteration, slots, due_s)
                try:
                    await pacing.admit(due_s)
                except BaseException:
                    slots.release()
                    raise
                task = context.tasks.create_task(start(item, due_s), name=name)
                self._tasks.add(task)
                # Not at the end of the task itself: one that is cancelled before its first step
                # never runs, and would keep its place.
                task.add_done_callback(finished)
                if number % _AT_ONCE == 0:
                    await asyncio.sleep(0)  # let the requests start, and the watches be read
            # Its own alone: another iteration may go on for as long as it likes.
            await context.changed.wait_until(lambda: iteration.in_flight == 0)

    async def _take_slot(self, iteration: IterationContext, slots: Slots, due_s: float) -> None:
        if not slots.are_taken():
            await slots.acquire()
            return
        await slots.acquire()
        iteration.held_back_s += max(0.0, self._context.stopwatch.now() - due_s)

    def _finished(
        self, iteration: IterationContext, slots: Slots, task: asyncio.Task[None]
    ) -> None:
        self._tasks.discard(task)
        slots.release()
        iteration.in_flight -= 1
        self._context.health.finished()
        self._context.changed.notify()

    async def drain(self, grace_s: float) -> None:
        """Let the requests in flight be answered, then give up on the rest.

        A create whose answer nobody waited for might still happen; waiting for
        it is the surest way to know what there is to clean up.
        """
        await self._context.changed.wait_until(lambda: not self._tasks, timeout_s=grace_s)
        self.cancel()
        await self._context.changed.wait_until(lambda: not self._tasks)

    def cancel(self) -> None:
        """Cancel what is still in flight."""
        for task in self._tasks:
            task.cancel()
