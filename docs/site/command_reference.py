"""The reference of the commands, from the application that prints `--help`."""

from __future__ import annotations

import inspect
from typing import Any, cast

from markup import code, definition, escaped, toctree
from typer.main import get_command

from perfscale.cli.app import app
from perfscale.cli.options import panels

Context = Any
"""A context of click. Newer versions of typer bring their own click, so it has no one name."""

_GROUP: Context = cast("Any", get_command(app))
_PROGRAM: Context = _GROUP.context_class(_GROUP, info_name="perfscale", **_GROUP.context_settings)


def commands() -> dict[str, Context]:
    """Return the context of every command, which has its ``command``, by the command's name."""
    return {
        name: command.context_class(command, info_name=name, parent=_PROGRAM)
        for name, command in _GROUP.commands.items()
    }


def pages() -> dict[str, str]:
    """Return a page for each command, by the command's name."""
    return {name: _page(context) for name, context in commands().items()}


def index() -> str:
    """Return the page that lists the commands."""
    listed = [
        definition(f"[perfscale {name}](commands/{name}.md)", escaped(_help(found).splitlines()[0]))
        for name, found in commands().items()
    ]
    codes = " ".join((_GROUP.epilog or "").split()).removeprefix("Exit codes: ")
    return "\n".join(
        [
            "# Commands\n\nWhat `--help` says, made from the program itself.\n",
            *listed,
            "## Before the command\n",
            *(line for _, entries in sections_of(_PROGRAM) for line in _definitions(entries)),
            f"## Exit codes\n\n{escaped(codes)}\n",
            toctree([f"commands/{name}" for name in commands()]),
        ]
    )


def sections_of(context: Context) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return what `--help` prints of each argument and option, by its headings."""
    return panels.sections_of(context.command, context)


def _page(context: Context) -> str:
    usage = " ".join(context.get_usage().removeprefix("Usage: ").split())
    heading = f"# {context.command_path}\n\n```text\n{usage}\n```\n"
    sections = [
        line
        for title, entries in sections_of(context)
        for line in (f"## {title}\n", *_definitions(entries))
    ]
    return "\n".join([heading, _prose(context), *sections])


def _definitions(entries: list[tuple[str, str]]) -> list[str]:
    return [
        definition(code(spelling), escaped(" ".join(text.split()))) for spelling, text in entries
    ]


def _prose(context: Context) -> str:
    """Return the help as Markdown: what is indented in it is code, and shown as it is."""
    lines = _help(context).splitlines()
    return "\n".join(line if line.startswith("    ") else escaped(line) for line in lines) + "\n"


def _help(context: Context) -> str:
    # A line with a backspace keeps the terminal from filling the paragraph after it.
    return inspect.cleandoc(context.command.help or "").replace("\b\n", "")
