"""Turns an error into text for a person, and into an exit code."""

from __future__ import annotations

import re
import tempfile
import traceback
from typing import Final, Protocol, runtime_checkable

from perfscale.cli.output.streams import say
from perfscale.errors import InputError, PerfscaleError

INTERNAL_ERROR = 70
"""``EX_SOFTWARE`` of sysexits.h."""


_OF_VALUE: Final = re.compile(
    r"Invalid value(?: for (?P<option>.+?))?: (?:Value error, )?(?P<message>.*)", re.DOTALL
)
"""How typer reports a value: ``Invalid value for '--output' / '-o': ...``."""


@runtime_checkable
class CommandLineError(Protocol):
    """What typer raises of a command line; which class that is changes with its version."""

    exit_code: int

    def format_message(self) -> str:
        """The whole message."""


def print_failure(error: BaseException) -> int:
    """Write what went wrong to standard error, without a traceback.

    Returns:
        The exit code.
    """
    if isinstance(error, CommandLineError):
        return _report_usage(error)
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


def _report_usage(error: CommandLineError) -> int:
    """Say what is wrong with the command line as of everything else, by the option's name."""
    text = error.format_message()
    if text.startswith("Usage:"):  # no command at all: this is the help
        say(text)
        return error.exit_code
    if of_value := _OF_VALUE.fullmatch(text):
        names = (of_value["option"] or "").replace("'", "").split(" / ")
        option = max(names, key=lambda name: name.startswith("--"))
        text = f"{option}: {of_value['message']}" if option else of_value["message"]
    if not text[:2].isupper():  # as the name of an argument is
        text = f"{text[:1].lower()}{text[1:]}"
    say(f"error: {text.rstrip('.')}")
    context = getattr(error, "ctx", None)
    if context is not None:
        say(f"hint: see '{context.command_path} -h' for help")
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
