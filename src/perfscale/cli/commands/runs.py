"""`perfscale runs`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from perfscale.cli import options
from perfscale.cli.output.streams import log_more, say


def runs(
    *,
    folder: Annotated[
        Path,
        typer.Argument(
            envvar="PERFSCALE_RESULTS_DIR",
            metavar="FOLDER",
            help="Where the folders of runs are.",
        ),
    ] = options.DEFAULT_RESULTS,
    output: options.OutputFormat = options.Output.TEXT,
    verbose: options.Verbose = 0,
) -> None:
    """List the runs of a results folder, the newest first.

    Accepted is how many creates, or other requests, a second the server took of the first
    workload; Ready p99 how long 99 % of its objects took to become ready. What
    is no run, or cannot be read, is passed over with a word.

    For example:

        perfscale runs

        perfscale runs /mnt/results --output json
    """
    from perfscale.cli.output.history.runs import print_runs
    from perfscale.results.history import list_runs, runs_document

    log_more(verbose)
    found = list_runs(folder)
    if output is options.Output.JSON:
        typer.echo(json.dumps(runs_document(folder, found), indent=2))
    else:
        print_runs(folder, found.runs)
    for skipped in found.skipped:
        say(f"skipped: {skipped.folder.name}: {skipped.why}")
