"""`perfscale cleanup`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from perfscale.cli import completion, options
from perfscale.cli.output.confirm import may_ask
from perfscale.cli.output.streams import log_more
from perfscale.cli.signals import run_until_signalled

_LABEL_VALUE = re.compile(r"[A-Za-z0-9]([-\w.]{0,61}[A-Za-z0-9])?", re.ASCII)
"""https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/"""


def cleanup(  # noqa: PLR0913 -- a command has as many parameters as options
    *,
    run_id: Annotated[
        str | None,
        options.optional(
            "RUN",
            "Remove what this run left: its id or the beginning of it, latest, a tag of it alone "
            "(build=123) or the path of its folder.",
            offered=completion.runs,
        ),
    ] = None,
    all_: Annotated[
        bool, typer.Option("--all", help="Remove what every run left, after listing them.")
    ] = False,
    force: Annotated[
        bool,
        typer.Option("--force", help="With --all: also runs that created something this hour."),
    ] = False,
    workload: Annotated[
        Path | None,
        options.optional("FILE", "With --all: only what was made for the workloads in this file."),
    ] = None,
    yes: options.Yes = False,
    kubeconfig: options.Kubeconfig = None,
    context: options.Context = None,
    master: options.Master = None,
    results_dir: Annotated[
        Path,
        typer.Option(
            envvar="PERFSCALE_RESULTS_DIR",
            metavar="DIR",
            help="Where the folders of runs are, which show what each has made.",
        ),
    ] = options.DEFAULT_RESULTS,
    cleanup_timeout: Annotated[
        str,
        options.duration("Bound on the whole cleanup.", envvar="PERFSCALE_CLEANUP_TIMEOUT"),
    ] = "5m",
    verbose: options.Verbose = 0,
) -> None:
    """Remove what an interrupted run left in the cluster.

    Deletes the objects and namespaces that carry the run's label, and waits
    until they are gone. Nothing without the label is deleted, but for what
    somebody put into a namespace that the run made, and what the run's folder
    shows that it has made itself, by its UID. Asks first; without a terminal,
    --all needs --yes, and --run-id does not ask.

    --all removes what runs of this program made: what carries all of its
    labels, and a run's id. What merely carries the same label, such as what the
    old perfscale-load-generator left, is listed and left alone: name its value
    with --run-id.

    What may not be listed everywhere is looked for in the namespaces of the
    run, of the kubeconfig's context and in those that can be seen. Exits with 1
    if anything is left, could not be looked at or was not to be deleted after
    all, and if nobody knows the run.

    For example:

        perfscale cleanup --run-id 6f1c4f0e-2d0c-4c55-9a39-0c8d6a3f2f51

        perfscale cleanup --run-id latest

        perfscale cleanup --all --context staging

        perfscale cleanup --all --workload kubevirt-burst-100.yaml
    """
    log_more(verbose)
    if (run_id is None) == (not all_):
        raise typer.BadParameter("name a run with --run-id ID, or every run with --all")
    if force and not all_:
        raise typer.BadParameter("--force goes with --all")
    if workload and not all_:
        raise typer.BadParameter("--workload goes with --all")
    if run_id is not None:
        run_id = _id_of(run_id, results_dir)
    from perfscale.cli.cleaning import CleanupSettings, clean_up

    settings = CleanupSettings(
        cluster=options.cluster(kubeconfig, context, master),
        run_id=run_id,
        force=force,
        workloads=_names_in(workload),
        # The id says which run is meant, so a script may do without --yes.
        ask=not yes and (all_ or may_ask()),
        results_dir=results_dir,
        timeout_s=options.seconds("--cleanup-timeout", cleanup_timeout),
    )
    raise typer.Exit(run_until_signalled(clean_up(settings)))


def _id_of(name: str, results_dir: Path) -> str:
    """The id of the run that is named; one that has no folder has to be named by its id.

    Raises:
        typer.BadParameter: It can be no id, and there is no such run.
        ResultsError: More than one run is meant.
    """
    from perfscale.results.history import find_run_id

    found = find_run_id(name, results_dir) or name
    if not _LABEL_VALUE.fullmatch(found):
        raise typer.BadParameter(
            f"{name!r} is not a run's id, and names no run in {results_dir}", param_hint="--run-id"
        )
    return found


def _names_in(workload: Path | None) -> tuple[str, ...]:
    return tuple(each.name for each in options.load(workload, None).workloads) if workload else ()
