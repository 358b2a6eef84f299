"""Turns an error into text for a person, and into an exit code."""

from __future__ import annotations

import tempfile
import traceback

from perfscale.cli.streams import say
from perfscale.errors import InputError, PerfscaleError

INTERNAL_ERROR = 70
"""``EX_SOFTWARE`` of sysexits.h."""


def report_failure(error: BaseException) -> int:
    """Write what went wrong to standard error, without a traceback.

    Returns:
        The exit code.
    """
    if not isinstance(error, PerfscaleError):
        return _report_bug(error)
    if isinstance(error, InputError):
        for problem in error.problems:
            say(f"error: {problem}")
        if len(error.problems) > 1:
            say(f"{len(error.problems)} problems; nothing was created")
    else:
        say(f"error: {error}")
    if error.hint:
        say(f"hint: {error.hint}")
    return error.exit_code


def _report_bug(error: BaseException) -> int:
    """Keep the traceback in a file: it is for us, not for the terminal."""
    with tempfile.NamedTemporaryFile(
        "w", prefix="perfscale-bug-", suffix=".txt", delete=False, encoding="utf-8"
    ) as file:
        file.write("".join(traceback.format_exception(error)))
    summary = traceback.format_exception_only(error)[-1].strip()
    say(f"error: this is a bug in perfscale: {summary}")
    say(f"hint: please report it with the command line and {file.name}")
    return INTERNAL_ERROR
