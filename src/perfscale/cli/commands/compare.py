"""`perfscale compare`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from perfscale.cli import completion, options
from perfscale.cli.output.streams import log_more, say, use_colors

if TYPE_CHECKING:
    from perfscale.results.comparison import Limits

_REGRESSION = 3


def compare(  # noqa: PLR0913 -- a command has as many parameters as options
    *,
    runs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="RUN",
            help="The run to compare with, and others: each by its folder or any file in it, "
            "latest, latest~1, the beginning of its id, or a tag (build=123). One alone is "
            "compared with the run tagged baseline, or else the one before it, of the same "
            "workload and cluster. Without any, the latest run is.",
            show_default=False,
            autocompletion=completion.runs,
        ),
    ] = None,
    results_dir: options.RunsDir = options.DEFAULT_RESULTS,
    threshold: Annotated[
        str,
        typer.Option(metavar="P%", help="By how much a latency has to grow, or the rate to fall."),
    ] = "10%",
    min_difference: Annotated[
        str,
        typer.Option(metavar="DURATION", help="By how much a latency has to grow at least."),
    ] = "20ms",
    significance: Annotated[
        float,
        typer.Option(
            metavar="P", help="How likely chance alone may make such a difference of latencies."
        ),
    ] = 0.01,
    html: Annotated[
        Path | None,
        options.optional("FILE", "Write a page about it too."),
    ] = None,
    output: options.OutputFormat = options.Output.TEXT,
    no_color: options.NoColor = False,
    verbose: options.Verbose = 0,
) -> None:
    """Compare runs with another one; exit 3 if one of them is worse.

    A run is worse if it did not pass and the other did, if a larger share of
    objects was not ready, if the rate of creates fell, or if a percentile of
    readiness or deletion grew: by more than the threshold, and by more than
    chance explains.

    For example:

        perfscale compare

        perfscale compare build=122 build=123

        perfscale compare results/before results/after --threshold 5% --html comparison.html

        perfscale compare results/before results/after1 results/after2 --output json
    """
    from perfscale.cli.output.history.differences import print_differences
    from perfscale.results.comparison import Verdict, read_compared, worst
    from perfscale.results.comparison import compare as compared

    log_more(verbose)
    use_colors(not no_color)
    limits = _limits(threshold, min_difference, significance)
    names = runs or [options.LATEST_RUN]
    before, *others = (read_compared(folder) for folder in _folders(names, results_dir))
    comparisons = [compared(before, other, limits) for other in others]
    verdict = worst(each.verdict for each in comparisons)
    if html is not None:
        from perfscale.results.pages import write_comparison

        write_comparison(html, comparisons)
    if output is options.Output.JSON:
        document = {
            "verdict": verdict.value,
            "base": before.as_json(),
            "comparisons": [each.as_json() for each in comparisons],
        }
        typer.echo(json.dumps(document, indent=2))
    else:
        print_differences(before, comparisons, html)
    raise typer.Exit(_REGRESSION if verdict is Verdict.WORSE else 0)


def _folders(names: list[str], results_dir: Path) -> list[Path]:
    """The folders of the runs that are named, that of the base first.

    Raises:
        ResultsError: There is no such run, or none to compare a single one with.
    """
    from perfscale.results.history import base_of, find_run

    folders = [find_run(name, results_dir) for name in names]
    if len(folders) == 1:
        base = base_of(folders[0])
        say(f"compared with {base.folder.name}: {base.why}")
        folders.insert(0, base.folder)
    return folders


def _limits(threshold: str, min_difference: str, significance: float) -> Limits:
    """From where on a difference is one.

    Raises:
        typer.BadParameter: One of the options makes no sense.
    """
    from perfscale.results.comparison import Limits

    return Limits(
        threshold=options.share("--threshold", threshold),
        min_difference_s=options.seconds("--min-difference", min_difference),
        significance=options.probability(significance),
    )
