"""Where the files of templates are read: on the disk, or as another process has sent them.

A generator that runs on another machine has none of the files that a workload names. Whoever
compiles the workload there records what is read; the generator compiles the same text again.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from perfscale.config.reading.regular import open_regular

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_recorded: ContextVar[dict[str, bytes] | None] = ContextVar("_recorded", default=None)
_sent: ContextVar[Mapping[str, bytes] | None] = ContextVar("_sent", default=None)


@contextmanager
def recorded_files() -> Iterator[dict[str, bytes]]:
    """Record every file that is read inside: content by path, as the reader named it."""
    found: dict[str, bytes] = {}
    token = _recorded.set(found)
    try:
        yield found
    finally:
        _recorded.reset(token)


@contextmanager
def sent_files(files: Mapping[str, bytes]) -> Iterator[None]:
    """Read these files inside, and from the disk only what comes with the package."""
    token = _sent.set(files)
    try:
        yield
    finally:
        _sent.reset(token)


def is_file(path: Path) -> bool:
    """Whether there is a file that a workload names."""
    sent = _sent.get()
    return path.is_file() if sent is None else str(path) in sent


def read_file(path: Path, most: int) -> bytes:
    """The first ``most`` bytes of a file.

    Raises:
        OSError: It cannot be read.
    """
    sent = _sent.get()
    if sent is not None and str(path) in sent:
        return sent[str(path)][:most]
    with open_regular(path) as file:
        content = file.read(most)
    recorded = _recorded.get()
    if recorded is not None:
        recorded[str(path)] = content
    return content
