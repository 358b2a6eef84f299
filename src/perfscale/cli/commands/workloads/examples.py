"""`perfscale examples`."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from perfscale.cli import completion, options
from perfscale.cli.output.streams import say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console


def examples(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME",
            help="Print this one, to begin a workload of your own with.",
            show_default=False,
            autocompletion=completion.packaged,
        ),
    ] = None,
) -> None:
    """List the packaged workloads, which perfscale run takes by name.

    For example:

        perfscale examples

        perfscale run vm-density --simulate

        perfscale examples vm-density > mine.yaml
    """
    from perfscale.cli.output.console import open_console
    from perfscale.templates.packaged import packaged_workloads

    if name is None:
        _list(open_console(), packaged_workloads())
        return
    path = options.workload_path(Path(name))
    typer.echo(path.read_text(encoding="utf-8"), nl=False)
    if (path.parent / "templates").is_dir():
        say(f"its templates are in {path.parent / 'templates'}; copy them beside the file")


def _list(console: Console, packaged: Mapping[str, Path]) -> None:
    """Print a line for each, with what it is, as wide as the terminal."""
    from perfscale.templates.packaged import summary_of

    width = max(map(len, packaged)) + 2
    for name, path in packaged.items():
        lines = textwrap.wrap(summary_of(path), max(20, console.width - width))
        for first, line in zip((name, *[""] * len(lines)), lines, strict=False):
            console.print(f"{first:<{width}}{line}", highlight=False, markup=False)
