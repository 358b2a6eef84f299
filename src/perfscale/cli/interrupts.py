"""Ctrl-C while nothing runs that has to be ended in order: a line, and exit code 130.

A run puts handlers of its own in the place of this one; see `perfscale.cli.signals`.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from types import FrameType

_INTERRUPTED: Final = 128 + signal.SIGINT
_IMPORTS: Final = "<frozen importlib._bootstrap>"


def end_at_once() -> None:
    """Let Ctrl-C end the process from now on; one that is ignored stays so, as under nohup."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end)


def ignore_interrupts() -> None:
    """Let Ctrl-C do nothing any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _end(_: int, frame: FrameType | None) -> None:
    with suppress(OSError):
        os.write(2, b"interrupted\n")
    if _is_importing(frame):
        # An exception would be lost in a callback of the import system, which then prints it:
        # https://docs.python.org/3/library/sys.html#sys.unraisablehook
        os._exit(_INTERRUPTED)
    sys.exit(_INTERRUPTED)


def _is_importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename == _IMPORTS:
            return True
        frame = frame.f_back
    return False
