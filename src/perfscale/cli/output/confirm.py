"""Asks a question on the terminal."""

from __future__ import annotations

import asyncio
import sys

import typer

from perfscale.cli.output.streams import say


def may_ask() -> bool:
    """Whether standard input is a terminal: it may as well be closed."""
    return sys.stdin is not None and not sys.stdin.closed and sys.stdin.isatty()


def on_terminal() -> bool:
    """Whether a question can be asked and seen: not in a pipeline."""
    return may_ask() and sys.stderr is not None and sys.stderr.isatty()


async def confirmed(question: str) -> bool:
    """Whether a person answered yes; no without a terminal. Cancellation does not wait for it."""
    if not may_ask():
        say(f"{question} Not without a terminal: say --yes.")
        return False
    typer.echo(f"{question} [y/N] ", err=True, nl=False)
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[str] = loop.create_future()
    # Not input(): it would hold up the loop, and Ctrl-C with it.
    loop.add_reader(sys.stdin, lambda: answer.set_result(sys.stdin.readline()))
    try:
        return (await answer).strip().lower() in {"y", "yes"}
    finally:
        loop.remove_reader(sys.stdin)
