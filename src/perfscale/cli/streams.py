"""Standard output and standard error of which the other end may be gone.

A pipe's reader may have had enough, and a terminal may be closed in the middle
of a run. Neither must keep the run from cleaning up, or change its exit code.
"""

from __future__ import annotations

import logging
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

_log = logging.getLogger(__name__)


def say(text: str) -> None:
    """Write a line to standard error, where it may be read or not."""
    with unread_at_worst():
        typer.echo(text, err=True)


@contextmanager
def unread_at_worst() -> Iterator[None]:
    """What is written inside is lost if nobody reads it; that is no error."""
    try:
        yield
    except (OSError, SystemExit) as error:  # rich exits when a pipe is closed
        _log.debug("nobody reads our output any more: %r", error)


def flush() -> None:
    """Write out what is buffered, or drop it: the interpreter must not complain at exit."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
