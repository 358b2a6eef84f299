"""`perfscale compare`."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from perfscale.cli import options
from perfscale.cli.output.streams import log_more, use_colors

if TYPE_CHECKING:
    from perfscale.results.comparison import Limits

_REGRESSION = 3


def compare(  # noqa: PLR0913 -- a command has as many parameters as options
    *,
    base: Annotated[
        Path,
        typer.Argument(
            metavar="BASE",
            help="The folder of the run to compare with, or any file in it.",
            show_default=False,
        ),
    ],
    new: Annotated[
        list[Path],
        typer.Argument(
            metavar="NEW...", help="The folders of other runs, likewise.", show_default=False
        ),
    ],
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

        perfscale compare results/before results/after

        perfscale compare results/before results/after --threshold 5% --html comparison.html

        perfscale compare results/before results/after1 results/after2 --output json
    """
    from perfscale.cli.output.differences import print_differences
    from perfscale.results.comparison import Verdict, read_compared, worst
    from perfscale.results.comparison import compare as compared

    log_more(verbose)
    use_colors(not no_color)
    limits = _limits(threshold, min_difference, significance)
    before, *others = (read_compared(options.run_folder(path)) for path in (base, *new))
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


def _limits(threshold: str, min_difference: str, significance: float) -> Limits:
    """From where on a difference is one.

    Raises:
        typer.BadParameter: One of the options makes no sense.
    """
    from perfscale.results.comparison import Limits

    if not 0 < significance <= 1:
        raise typer.BadParameter(
            f"{significance} is no probability: above 0, and 1 at most", param_hint="--significance"
        )
    return Limits(
        threshold=_share(threshold),
        min_difference_s=options.seconds("--min-difference", min_difference),
        significance=significance,
    )


def _share(text: str) -> float:
    number, percent = text.removesuffix("%"), text.endswith("%")
    try:
        share = float(number) / 100
    except ValueError:
        share = -1.0
    if not percent or not 0 <= share < math.inf:
        raise typer.BadParameter(
            f"{text!r} is no share: write a number and %, as in 10%", param_hint="--threshold"
        )
    return share
