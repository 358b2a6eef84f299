"""`perfscale schema`."""

from __future__ import annotations

import json
from typing import Annotated

import typer


def schema(
    *,
    results: Annotated[
        bool, typer.Option("--results", help="That of summary.json in a run's results instead.")
    ] = False,
    runs: Annotated[
        bool, typer.Option("--runs", help="That of what perfscale runs --output json prints.")
    ] = False,
    search: Annotated[
        bool, typer.Option("--search", help="That of search.json in a search's folder instead.")
    ] = False,
    trend: Annotated[
        bool, typer.Option("--trend", help="That of what perfscale trend --output json prints.")
    ] = False,
) -> None:
    """Print the JSON Schema of the workload file.

    Editors complete and check workload files with it. For the YAML language
    server, save it and begin the file with its address:

        perfscale schema > perfscale.schema.json

        # yaml-language-server: $schema=perfscale.schema.json
    """
    if results + runs + search + trend > 1:
        raise typer.BadParameter("ask for one schema at a time")
    if results:
        from perfscale.results import results_schema as made
    elif runs:
        from perfscale.results.history import runs_schema as made
    elif search:
        from perfscale.search import search_schema as made
    elif trend:
        from perfscale.trend import trend_schema as made
    else:
        from perfscale.config import json_schema as made

    typer.echo(json.dumps(made(), indent=2))
