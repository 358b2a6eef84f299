"""`perfscale-load-generator`: the old tool's name, with its Go-style flags.

What is not a flag of the old tool goes to `perfscale run` unchanged.
"""

from __future__ import annotations

import sys

from perfscale.cli.main import enter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

_TAKE_A_VALUE = {
    "kubeconfig": "--kubeconfig",
    "master": "--master",
    "container-prefix": "--container-prefix",
    "container-tag": "--container-tag",
}
_HELP = """perfscale-load-generator is perfscale run. It takes the options below, and:

    -workload FILE  -kubeconfig FILE  -master URL
    -container-prefix PREFIX  -container-tag TAG  -v LEVEL

For example:

    perfscale-load-generator -kubeconfig ~/.kube/config -workload workload.yaml -v 3
"""


def main() -> NoReturn:
    """Entry point of the `perfscale-load-generator` command."""
    enter(_invoke)


def _invoke() -> int:
    from perfscale.cli.app import invoke
    from perfscale.cli.goflags import HELP
    from perfscale.cli.output.streams import say

    arguments = sys.argv[1:]
    if HELP.intersection(arguments):
        return invoke(["run", "--help"], preface=_HELP)
    try:
        translated = translate(arguments)
    except ValueError as error:
        say(f"error: {error}\nhint: see perfscale-load-generator -help")
        return 2
    return invoke(translated)


def translate(arguments: list[str]) -> list[str]:
    """The old tool's arguments as those of `perfscale`.

    ``-workload F`` becomes the argument ``F``; ``-v N`` the verbosity that is
    closest (the old tool's 3, its default for debugging, logs every object).

    Raises:
        ValueError: A flag has no value, or one that it cannot have.
    """
    from perfscale.cli.goflags import take_flags

    verbosity = 0
    workload: str | None = None
    options: list[str] = []
    flags, rest = take_flags(arguments, {*_TAKE_A_VALUE, "workload", "v"})
    for name, value in flags:
        if name == "v":
            verbosity = _verbosity(value)
        elif name == "workload":
            workload = value
        else:
            options += [_TAKE_A_VALUE[name], value]
    verbose = ["-" + "v" * verbosity] if verbosity else []
    return [*verbose, "run", *options, *rest, *([workload] if workload is not None else [])]


def _verbosity(level: str) -> int:
    """The old tool's log level as a number of ``-v``: from 3 on it logged everything."""
    if not level.isdecimal():
        raise ValueError(f"-v takes a level, as in -v 3, not {level!r}")
    return min(max(int(level) - 1, 0), 2)
