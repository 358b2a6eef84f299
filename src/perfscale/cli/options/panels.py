"""The panels of `--help`, so that nobody has to read forty options to find one."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Any, Final, TypeAlias

import typer

GROUPED_FROM: Final = 13
"""So many options are too many for one list."""
_OTHERS: Final = "Other options"
_TYPE: Final = re.compile(r" <[^<> ]+>$")
_Entry: TypeAlias = tuple[str, str]


class Panel(StrEnum):
    """The headings under which options stand, in their order; those without one come last."""

    SEARCH = "The search"
    WORKLOAD = "What runs"
    CLUSTER = "Where it runs"
    GENERATORS = "Many generators"
    CHANGES = "What it may change"
    LIMITS = "Limits"
    RESULTS = "Results"
    WATCHING = "Watching it"
    KUBE_BURNER = "Configurations of kube-burner"


class Command(typer.core.TyperCommand):
    """A command whose `--help` has its options in panels, where there are many."""

    def format_options(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401 -- typer hides their types
        """Print arguments and options below their headings."""
        for heading, entries in sections_of(self, ctx):
            with formatter.section(heading):
                formatter.write_dl(entries)


def sections_of(command: Any, context: Any) -> list[tuple[str, list[_Entry]]]:  # noqa: ANN401 -- the same
    """What `--help` prints of each argument and option, its spelling and its text, by heading.

    A few options are all below one.
    """
    arguments: list[_Entry] = []
    options: list[tuple[str, _Entry]] = []
    for parameter in command.get_params(context):
        if (entry := parameter.get_help_record(context)) is None:
            continue
        if parameter.param_type_name == "argument":
            # The type is Python's word, as in <list[str]>, and says nothing to a person.
            arguments.append((_TYPE.sub("", entry[0]), entry[1]))
        else:
            options.append((parameter.rich_help_panel or _OTHERS, entry))
    sections = [("Arguments", arguments), *_in_panels(options)]
    return [(heading, entries) for heading, entries in sections if entries]


def _in_panels(options: list[tuple[str, _Entry]]) -> list[tuple[str, list[_Entry]]]:
    if len(options) < GROUPED_FROM:
        return [("Options", [entry for _, entry in options])]
    return [
        (heading, [entry for panel, entry in options if panel == heading])
        for heading in (*Panel, _OTHERS)
    ]
