"""The Go programs' names, `perfscale-load-generator` and `perfscale-audit`, with their flags.

Go's flag package takes one dash or two, and ``-flag=value`` as well as ``-flag value``:
https://pkg.go.dev/flag#hdr-Command_line_flag_syntax
What is not a flag of the Go program goes to the command of today unchanged.
"""

from __future__ import annotations

import sys

from perfscale.cli.main import enter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
    from typing import NoReturn

_HELP_FLAGS = frozenset({"-h", "-help", "--help"})
_FLAGS = ("workload", "kubeconfig", "master", "container-prefix", "container-tag", "v")
_HELP = """perfscale-load-generator is perfscale run. It takes the options below, and:

    -workload FILE  -kubeconfig FILE  -master URL
    -container-prefix PREFIX  -container-tag TAG  -v LEVEL

For example:

    perfscale-load-generator -kubeconfig ~/.kube/config -workload workload.yaml -v 3
"""
_AUDIT_FLAGS = ("config-file", "results-file")
_AUDIT_HELP = """perfscale-audit is perfscale audit. It takes the options below, also with one dash:

    -config-file FILE  -results-file FILE
"""


def main() -> NoReturn:
    """Entry point of the `perfscale-load-generator` command."""
    enter(lambda: _invoke("perfscale-load-generator", "run", _HELP, _translate))


def audit() -> NoReturn:
    """Entry point of the `perfscale-audit` command."""
    enter(lambda: _invoke("perfscale-audit", "audit", _AUDIT_HELP, _translate_audit))


def _invoke(
    name: str, command: str, preface: str, translate: Callable[[list[str]], list[str]]
) -> int:
    from perfscale.cli.app import invoke
    from perfscale.cli.output.streams import say

    arguments = sys.argv[1:]
    if _HELP_FLAGS.intersection(arguments):
        return invoke([command, "--help"], preface=preface)
    try:
        translated = translate(arguments)
    except ValueError as error:
        say(f"error: {error}\nhint: see {name} -help")
        return 2
    return invoke(translated)


def _translate(arguments: list[str]) -> list[str]:
    """``-workload F`` becomes the argument ``F``, and ``-v N`` the verbosity closest to it."""
    verbose: list[str] = []
    workload: list[str] = []
    options: list[str] = []
    flags, rest = _take_flags(arguments, _FLAGS)
    for name, value in flags:
        if name == "v":
            verbose = _verbosity(value)
        elif name == "workload":
            workload = [value]
        else:
            options.append(f"--{name}={value}")
    return [*verbose, "run", *options, *rest, *workload]


def _translate_audit(arguments: list[str]) -> list[str]:
    flags, rest = _take_flags(arguments, _AUDIT_FLAGS)
    return ["audit", *(f"--{name}={value}" for name, value in flags), *rest]


def _verbosity(level: str) -> list[str]:
    """The old tool's log level as ``-v`` or ``-vv``: from 3 on it logged every object."""
    if not level.isdecimal():
        raise ValueError(f"-v takes a level, as in -v 3, not {level!r}")
    count = min(max(int(level) - 1, 0), 2)
    return ["-" + "v" * count] if count else []


def _take_flags(
    arguments: Iterable[str], known: Collection[str]
) -> tuple[list[tuple[str, str]], list[str]]:
    """The flags, each of which has a value, and everything else, each in its order.

    Raises:
        ValueError: A flag has no value.
    """
    flags: list[tuple[str, str]] = []
    rest: list[str] = []
    pending = list(arguments)
    while pending:
        argument = pending.pop(0)
        name, equals, value = argument.lstrip("-").partition("=")
        if not argument.startswith("-") or name not in known:
            rest.append(argument)
            continue
        if not equals:
            if not pending:
                raise ValueError(f"flag needs an argument: -{name}")
            value = pending.pop(0)
        flags.append((name, value))
    return flags, rest
