"""`perfscale-audit`: the Go program's name, with its flags."""

from __future__ import annotations

import sys

from perfscale.cli.main import enter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

_FLAGS = ("config-file", "results-file")
_HELP = """perfscale-audit is perfscale audit. It takes the options below, also with one dash:

    -config-file FILE  -results-file FILE
"""


def main() -> NoReturn:
    """Entry point of the `perfscale-audit` command."""
    enter(_invoke)


def _invoke() -> int:
    from perfscale.cli.app import invoke
    from perfscale.cli.goflags import HELP, take_flags
    from perfscale.cli.output.streams import say

    arguments = sys.argv[1:]
    if HELP.intersection(arguments):
        return invoke(["audit", "--help"], preface=_HELP)
    try:
        flags, rest = take_flags(arguments, _FLAGS)
    except ValueError as error:
        say(f"error: {error}\nhint: see perfscale-audit -help")
        return 2
    return invoke(["audit", *(f"--{name}={value}" for name, value in flags), *rest])
