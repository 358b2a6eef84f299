"""`perfscale tag`."""

from __future__ import annotations

from typing import Annotated

import typer

from perfscale.cli import completion, options
from perfscale.cli.output.streams import log_more


def tag(
    *,
    run: Annotated[
        str,
        typer.Argument(
            metavar="RUN",
            help="The run: its folder, latest, latest~1, the beginning of its id, or a tag.",
            show_default=False,
            autocompletion=completion.runs,
        ),
    ],
    tags: Annotated[
        list[str],
        typer.Argument(
            metavar="KEY=VALUE|KEY-",
            help="Tags to give it; KEY- takes one away.",
            show_default=False,
        ),
    ],
    results_dir: options.RunsDir = options.DEFAULT_RESULTS,
    verbose: options.Verbose = 0,
) -> None:
    """Give tags to a run that is over, or take them away.

    The newest run with a tag of the key baseline is the one that perfscale
    compare takes, if a single run is named, for its workload and cluster.

    For example:

        perfscale tag latest baseline=v1.8

        perfscale tag 2fc79c1a baseline-
    """
    from perfscale.results.folder.runfile import change_tags
    from perfscale.results.history import find_run, read_head
    from perfscale.results.model.remarks import parse_tags

    log_more(verbose)
    removed = [each.removesuffix("-") for each in tags if "=" not in each and each.endswith("-")]
    try:
        given = parse_tags(each for each in tags if each.removesuffix("-") not in removed)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="KEY=VALUE") from error
    folder = find_run(run, results_dir)
    change_tags(folder, given, removed)
    now = ", ".join(f"{key}={value}" for key, value in read_head(folder).tags.items())
    typer.echo(f"{folder}: {now or 'no tags'}")
