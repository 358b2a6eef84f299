"""Writes the report on a run as a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from perfscale.cli.options import Output

if TYPE_CHECKING:
    from pathlib import Path


def make_page(folder: Path, output: Output) -> None:
    """Write ``report.html`` into a run's folder, and print where it is.

    Raises:
        ResultsError: It cannot be written.
    """
    from perfscale.results.pages import write_page

    path = write_page(folder)
    if output is Output.TEXT:
        typer.echo(f"report:  {path}")
