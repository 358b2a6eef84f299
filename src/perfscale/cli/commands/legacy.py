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
    -run=false  run nothing
    -delete     delete what the run creates, and wait until it is gone; with -run=false,
                what any run of the workloads in FILE has left

For example:

    perfscale-load-generator -kubeconfig ~/.kube/config -workload workload.yaml -v 3

    perfscale-load-generator -workload kubevirt-burst-100.yaml -delete
"""
_SWITCHES = {"run": True, "delete": False}
_TRUTHS = {
    **dict.fromkeys(("", "1", "t", "T", "true", "TRUE", "True"), True),
    **dict.fromkeys(("0", "f", "F", "false", "FALSE", "False"), False),
}
"""What Go takes for a boolean: https://pkg.go.dev/strconv#ParseBool"""
_DELETING = (
    "--set=workloads[*].iterationCleanup=true",
    "--set=workloads[*].iterationDeletionWait=true",
)
_CLEANUP_OPTIONS = ("kubeconfig", "master")
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
    options: dict[str, str] = {}
    switches, remaining = _take_switches(arguments)
    flags, rest = _take_flags(remaining, _FLAGS)
    for name, value in flags:
        if name == "v":
            verbose = _verbosity(value)
        elif name == "workload":
            workload = [value]
        else:
            options[name] = value
    if not switches["run"]:
        return _deleting([*verbose, "cleanup"], options, rest, workload, wanted=switches["delete"])
    given = [f"--{name}={value}" for name, value in options.items()]
    deleting = _DELETING if switches["delete"] else ()
    return [*verbose, "run", *given, *deleting, *rest, *workload]


def _deleting(
    command: list[str],
    options: dict[str, str],
    rest: list[str],
    workload: list[str],
    *,
    wanted: bool,
) -> list[str]:
    """What deletes what earlier runs of a workload file have left, and runs nothing.

    Raises:
        ValueError: That is not wanted, or there is no file.
    """
    if not wanted:
        raise ValueError("-run=false without -delete leaves nothing to do")
    if not workload:
        raise ValueError("-run=false -delete needs a -workload: what was it that ran?")
    given = [f"--{name}={options[name]}" for name in _CLEANUP_OPTIONS if name in options]
    # The Go program did not ask, and it is given when a run is over.
    return [*command, "--all", "--force", "--yes", f"--workload={workload[0]}", *given, *rest]


def _take_switches(arguments: Iterable[str]) -> tuple[dict[str, bool], list[str]]:
    """The flags that are on or off, and everything else in its order.

    Raises:
        ValueError: The value of one is no boolean.
    """
    switches, rest = dict(_SWITCHES), []
    for argument in arguments:
        name, _, value = argument.lstrip("-").partition("=")
        if not argument.startswith("-") or name not in switches:
            rest.append(argument)
        elif value in _TRUTHS:
            switches[name] = _TRUTHS[value]
        else:
            raise ValueError(f"-{name} takes true or false, not {value!r}")
    return switches, rest


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
