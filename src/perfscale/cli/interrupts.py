"""Ctrl-C while nothing runs that has to be ended in order: a line, and exit code 130.

A run puts handlers of its own in the place of this one; see `perfscale.cli.signals`.
What this module imports is imported before there is a handler, so it is next to
nothing.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found] # signal itself imports much more
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

_INTERRUPTED = 128 + _signal.SIGINT
_IMPORTS = "<frozen importlib._bootstrap>"


def end_at_once() -> None:
    """Let Ctrl-C end the process from now on; one that is ignored stays so, as under nohup."""
    if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
        _signal.signal(_signal.SIGINT, _end)


def ignore_interrupts() -> None:
    """Let Ctrl-C do nothing any more."""
    _signal.signal(_signal.SIGINT, _signal.SIG_IGN)


def _end(_: int, frame: FrameType | None) -> None:
    try:  # noqa: SIM105 -- contextlib imports much more
        os.write(2, b"interrupted\n")
    except OSError:
        pass  # standard error is closed
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
