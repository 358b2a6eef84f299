"""Go's command-line flags, for the old tools' names.

Go's flag package takes one dash or two, and ``-flag=value`` as well as ``-flag value``:
https://pkg.go.dev/flag#hdr-Command_line_flag_syntax
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

HELP = frozenset({"-h", "-help", "--help"})


def take_flags(
    arguments: Iterable[str], known: Collection[str]
) -> tuple[list[tuple[str, str]], list[str]]:
    """Take an old tool's flags, each of which has a value, out of a command line.

    Returns:
        The flags with their values, and everything else, each in its order.

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
