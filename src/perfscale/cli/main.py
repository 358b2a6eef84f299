"""Entry point of the `perfscale` command: from here to the first import, nothing may go wrong.

Ctrl-C, while nothing runs that has to be ended in order, is a line and exit code 130. What this
module imports is imported before there is a handler for it, so that is next to nothing; what
takes time to import is imported later, once there are all three standard streams. A run puts
handlers of its own in the place of this one; see `perfscale.cli.signals`.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found] # signal itself imports much more
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import NoReturn

_INTERRUPTED = 128 + _signal.SIGINT
_IMPORTS = "<frozen importlib._bootstrap>"


def main() -> NoReturn:
    """Run the command line of the process."""
    enter(_invoke)


def enter(command: Callable[[], int]) -> NoReturn:
    """Run a command as this process, and end with its exit code."""
    end_at_once()
    from perfscale.cli.output.streams import flush, open_streams

    open_streams()
    code = command()
    ignore_interrupts()  # the exit code is decided, and nothing is left to stop
    sys.exit(flush(code))


def _invoke() -> int:
    from perfscale.cli.app import invoke

    return invoke()


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
