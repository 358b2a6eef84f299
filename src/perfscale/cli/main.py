"""Entry point of the `perfscale` command: from here to the first import, nothing may go wrong.

Whatever takes time to import is imported once Ctrl-C has been provided for, and
once there are all three standard streams.
"""

from __future__ import annotations

import sys

from perfscale.cli.interrupts import end_at_once, ignore_interrupts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn


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
