"""`perfscale report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from perfscale.cli import options
from perfscale.cli.export import ExportOption, export_results, make_page
from perfscale.cli.output.streams import log_more, use_colors


def report(
    *,
    run: Annotated[
        Path,
        typer.Argument(
            metavar="DIR",
            help="The folder of a run, as in results/<workload file>-<UTC time>-<run id>; "
            "any file in it does too.",
            show_default=False,
        ),
    ],
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

        perfscale report results/first-20261124T044937Z-2fc79c1a

        perfscale report results/first-20261124T044937Z-2fc79c1a --output json

        perfscale report results/first-20261124T044937Z-2fc79c1a --export kube-burner
    """
    from perfscale.auditing import write_audit_input
    from perfscale.cli.output.result import print_result
    from perfscale.errors import ResultsError
    from perfscale.results import rebuild_results

    log_more(verbose)
    use_colors(not no_color)
    folder = _folder(run)
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


def _folder(path: Path) -> Path:
    """The run's folder, of which a person may also name a file.

    Raises:
        ResultsError: It is not one; the hint names those below it.
    """
    from perfscale.errors import ResultsError
    from perfscale.results import JOURNAL_FILE

    folder = options.run_folder(path)
    if (folder / JOURNAL_FILE).exists():
        return folder
    if not path.exists():
        raise ResultsError(f"{path}: there is no such folder", hint=_HINT)
    runs = sorted(
        (each.parent for each in path.glob(f"*/{JOURNAL_FILE}")),
        key=lambda folder: (folder / JOURNAL_FILE).stat().st_mtime,
    )
    raise ResultsError(
        f"{path}: not the folder of a run: it has no {JOURNAL_FILE}",
        hint=f"the latest run below it is {runs[-1]}" if runs else _HINT,
    )


_HINT = "name the folder of one run, as in results/<workload file>-<UTC time>-<run id>"
