"""`perfscale report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from perfscale.cli import completion, options
from perfscale.cli.export import ExportOption, export_results, make_page
from perfscale.cli.output.streams import log_more, use_colors


def report(
    *,
    run: Annotated[
        str,
        typer.Argument(
            metavar="RUN",
            help="The run: the path of its folder or of any file in it, latest, latest~1, the "
            "beginning of its id, or a tag (build=123).",
            autocompletion=completion.runs,
        ),
    ] = options.LATEST_RUN,
    results_dir: options.RunsDir = options.DEFAULT_RESULTS,
    output: options.OutputFormat = options.Output.TEXT,
    export: ExportOption = None,
    no_color: options.NoColor = False,
    verbose: options.Verbose = 0,
) -> None:
    """Make a run's results from its journal, also if it was killed.

    Writes objects.ndjson, children.ndjson, timeseries.ndjson, junit.xml,
    summary.json and report.html into the folder and prints what the run would
    have printed at its end: for a run that was killed, how far it was, what may
    be left in the cluster, and the command that removes it. No cluster is
    asked. The exit code is not the run's: it is 0 if there is a report.

    For example:

        perfscale report

        perfscale report results/first-20261124T044937Z-2fc79c1a --output json

        perfscale report 2fc79c1a --export kube-burner
    """
    from perfscale.auditing import write_audit_input
    from perfscale.cli.output.result import print_result
    from perfscale.errors import ResultsError
    from perfscale.results import rebuild_results

    log_more(verbose)
    use_colors(not no_color)
    folder = _folder(run, results_dir)
    made = rebuild_results(folder)
    try:
        write_audit_input(folder, made.result)
    except OSError as error:
        raise ResultsError(
            f"{folder}: the report cannot be written: {error.strerror or error}"
        ) from error
    print_result(made.result, folder, cleanup=made.cleanup, output=output)
    make_page(folder, output)
    export_results(folder, export)


def _folder(name: str, results_dir: Path) -> Path:
    """The folder of the run, which has to have a journal.

    Raises:
        ResultsError: There is no such run, or no journal of it.
    """
    from perfscale.errors import ResultsError
    from perfscale.results import JOURNAL_FILE
    from perfscale.results.history import find_run

    folder = find_run(name, results_dir)
    if not (folder / JOURNAL_FILE).exists():
        raise ResultsError(
            f"{folder}: it has no {JOURNAL_FILE}, from which a report is made",
            hint="name the folder as the run left it",
        )
    return folder
