"""`perfscale trend`."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from perfscale.cli import completion, options
from perfscale.cli.output.streams import log_more, use_colors

_REGRESSION = 3


class FailOn(StrEnum):
    """What ends the command with another exit code."""

    REGRESSION = "regression"


def trend(  # noqa: PLR0913 -- a command has as many parameters as options
    *,
    results: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="RUN|FOLDER|FILE",
            help="Runs, folders of runs, or results of perfscale-audit, at any depth; without "
            "any, the folder of runs.",
            show_default=False,
            autocompletion=completion.runs,
        ),
    ] = None,
    results_dir: options.RunsDir = options.DEFAULT_RESULTS,
    metric: Annotated[
        list[str] | None,
        options.optional("GLOB", "Only metrics of such names, as in '*Ready*'. Repeatable."),
    ] = None,
    threshold: Annotated[
        str, typer.Option(metavar="P%", help="By how much two levels have to differ.")
    ] = "5%",
    significance: Annotated[
        float,
        typer.Option(metavar="P", help="How likely chance alone may make a change of a series."),
    ] = 0.001,
    recent: Annotated[
        int,
        typer.Option(
            min=1,
            metavar="N",
            help="A change among the last N values of a series is one of the last runs; an older "
            "one is what has become usual.",
        ),
    ] = 20,
    fail_on: Annotated[
        FailOn | None,
        typer.Option(
            "--fail-on", help="Exit 3 if the last runs are worse than before.", show_default=False
        ),
    ] = None,
    html: Annotated[Path | None, options.optional("FILE", "Write a page about it too.")] = None,
    output: options.OutputFormat = options.Output.TEXT,
    no_color: options.NoColor = False,
    verbose: options.Verbose = 0,
) -> None:
    """Show where the numbers of many runs changed over time.

    For each workload, cluster and metric, finds the changes that chance does
    not explain, says how sure they are, and what else was different there:
    versions, nodes, KubeVirt's settings, the workload.

    Needs the extra trend: pip install 'perfscale-load-generator[trend]'.

    For example:

        perfscale trend

        perfscale trend results /mnt/nightly --html trend.html

        perfscale trend results --metric '*Ready p99' --fail-on regression
    """
    from perfscale.cli.output.history.trends import print_trends
    from perfscale.results.comparison import Verdict
    from perfscale.trend import Limits, analyse, collect, trend_document, verdict_of, write_trend

    log_more(verbose)
    use_colors(not no_color)
    limits = Limits(options.share("--threshold", threshold), options.probability(significance))
    collected = collect(results or (), results_dir)
    trends = analyse(collected, limits, recent=recent, metrics=metric or ())
    if html is not None:
        write_trend(html, collected, trends)
    if output is options.Output.JSON:
        typer.echo(json.dumps(trend_document(collected, trends), indent=2))
    else:
        print_trends(collected, trends, html)
    worse = fail_on is FailOn.REGRESSION and verdict_of(trends) is Verdict.WORSE
    raise typer.Exit(_REGRESSION if worse else 0)
