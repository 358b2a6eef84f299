"""Counts how often the tasks of a run suspend, and does something at a chosen one.

A cancellation can only arrive where something is awaited, and what a run then does depends on
where that is. So a test steps through all of them: it lets the same small run suspend once,
twice, three times, and so on, until a run ends before its turn comes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Generator
from contextvars import ContextVar
from typing import Any, TypeVar

T = TypeVar("T")

_STEPS: ContextVar[Steps | None] = ContextVar("_STEPS", default=None)


class Steps:
    """The suspensions of one run, counted over all the tasks that it is made of.

    Attributes:
        count: How many there were.
    """

    def __init__(self) -> None:
        self.count = 0
        self._pending: dict[int, Callable[[], object]] = {}

    def at(self, number: int, act: Callable[[], object]) -> None:
        """Do something within the suspension of a number, before anything else can happen."""
        self._pending[number] = act

    def after(self, more: int, act: Callable[[], object]) -> None:
        """The same, counted from now."""
        self.at(self.count + more, act)

    @property
    def done(self) -> bool:
        """Whether everything that was to be done has been done."""
        return not self._pending

    def suspend(self) -> None:
        self.count += 1
        if act := self._pending.pop(self.count, None):
            act()


class _Stepped(Coroutine[Any, Any, T]):
    """A coroutine that tells when it suspends."""

    def __init__(self, inner: Coroutine[Any, Any, T], steps: Steps) -> None:
        self._inner = inner
        self._steps = steps

    def send(self, value: Any) -> Any:
        yielded = self._inner.send(value)
        self._steps.suspend()
        return yielded

    def throw(self, *error: Any) -> Any:
        yielded = self._inner.throw(*error)
        self._steps.suspend()
        return yielded

    def close(self) -> None:
        self._inner.close()

    def __await__(self) -> Generator[Any, Any, T]:
        return self._inner.__await__()


def _factory(loop: asyncio.AbstractEventLoop, coro: Any, **options: Any) -> asyncio.Task[Any]:
    steps = _STEPS.get()
    return asyncio.Task(coro if steps is None else _Stepped(coro, steps), loop=loop, **options)


def run_in_steps(run: Coroutine[Any, Any, T], steps: Steps) -> asyncio.Task[T]:
    """Start a run whose tasks, and theirs, are counted; nothing else in the loop is."""
    loop = asyncio.get_running_loop()
    loop.set_task_factory(_factory)
    token = _STEPS.set(steps)
    try:
        return loop.create_task(run, name="stepped-run")
    finally:
        _STEPS.reset(token)
