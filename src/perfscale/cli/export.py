"""``--export``: a run's results in another tool's format."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from perfscale.cli.output.streams import say


class Export(StrEnum):
    """The tools."""

    KUBE_BURNER = "kube-burner"


ExportOption = Annotated[
    Export | None,
    typer.Option(
        help="Write the results in another tool's format too, into the folder of the run.",
        show_default=False,
    ),
]


def export_results(folder: Path, tool: Export | None) -> None:
    """Write a run's results for ``tool``, and say where they are.

    Raises:
        ResultsError: Its records cannot be read, or the files not written.
    """
    from perfscale.results import export_kube_burner

    if tool is None:
        return
    files = export_kube_burner(folder)
    if files:
        say(f"exported for {tool.value}: {files[0].parent}")
    else:
        say(f"nothing to export for {tool.value}: the run had no instances of virtual machines")
