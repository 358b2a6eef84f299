"""A folder that goes with the process that has made it, whatever ends that process."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_REMOVER: Final = """\
import os, shutil, sys, time
folder = sys.argv[1]
was_killed = not sys.stdin.read()
for _ in range(20 if was_killed else 1):  # workers that start may write there until they end too
    shutil.rmtree(folder, ignore_errors=True)
    if was_killed:
        time.sleep(0.1)
"""


@contextmanager
def passing_folder(prefix: str) -> Iterator[str]:
    """A temporary folder. A process of its own waits for the end of this one, and removes it."""
    folder = tempfile.mkdtemp(prefix=prefix)
    remover = subprocess.Popen(  # noqa: S603 -- this Python, and a program of ours
        [sys.executable, "-I", "-S", "-c", _REMOVER, folder],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # what Ctrl-C sends is not for it
    )
    try:
        yield folder
    finally:
        remover.communicate(b"done")
