"""What is made of a run's files after it: its page, and another tool's format (``--export``)."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from perfscale.cli.options import Output, Panel
from perfscale.cli.output.streams import say


class Export(StrEnum):
    """The tools."""

    KUBE_BURNER = "kube-burner"


ExportOption = Annotated[
    Export | None,
    typer.Option(
        help="Write the results in another tool's format too, into the folder of the run.",
        show_default=False,
        rich_help_panel=Panel.RESULTS,
    ),
]


def export_results(folder: Path, tool: Export | None) -> None:
    """Write a run's results for ``tool``, and print where they are.

    Raises:
        ResultsError: Its records cannot be read, or the files not written.
    """
    if tool is None:
        return
    from perfscale.results.documents import TARBALL, write_documents

    documents = write_documents(folder)
    say(f"exported for {tool.value}: {documents} and {folder / TARBALL}")


def make_page(folder: Path, output: Output) -> None:
    """Write ``report.html`` into a run's folder, and print where it is.

    Raises:
        ResultsError: It cannot be written.
    """
    from perfscale.results.pages import write_page

    path = write_page(folder)
    if output is Output.TEXT:
        typer.echo(f"report:  {path}")
