"""`perfscale search`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from perfscale.cli import completion, options
from perfscale.cli.cluster import ChosenCluster
from perfscale.cli.commands.simulate import (
    FaultsFile,
    Simulate,
    Speed,
    read_faults,
    refuse_beside_simulation,
)
from perfscale.cli.output.streams import log_more, use_colors

if TYPE_CHECKING:
    from perfscale.search import Expected, OpenedSearch, SearchPlan, Strategy

_TOLERANCE = "5%"
_SETTLE = "10s"


def search(  # noqa: PLR0913 -- a command has as many parameters as options
    call: typer.Context,
    *,
    workload: Annotated[
        Path | None,
        typer.Argument(
            metavar="WORKLOAD",
            help="The workload file, with thresholds; left out with --resume.",
            show_default=False,
            autocompletion=completion.workloads,
        ),
    ] = None,
    vary: Annotated[
        str | None,
        options.optional(
            "WHAT",
            "What is raised: qps, replicas, maxInFlight, or a path as --set takes it, as in "
            "workloads[0].qps.",
            panel=options.Panel.SEARCH,
        ),
    ] = None,
    start: Annotated[
        float | None,
        typer.Option(
            "--from",
            metavar="N",
            help="The lowest value.",
            show_default=False,
            rich_help_panel=options.Panel.SEARCH,
        ),
    ] = None,
    end: Annotated[
        float | None,
        typer.Option(
            "--to",
            metavar="N",
            help="The highest value; without it the value is doubled until a threshold is lost.",
            show_default=False,
            rich_help_panel=options.Panel.SEARCH,
        ),
    ] = None,
    tolerance: Annotated[
        str | None,
        options.optional(
            "P%",
            f"How far apart the two values of the answer may be; without it, {_TOLERANCE}.",
            panel=options.Panel.SEARCH,
        ),
    ] = None,
    repeat: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="How many runs confirm each of them; without it, 3. With --strategy steps: how "
            "many runs each value has; without it, 1.",
            show_default=False,
            rich_help_panel=options.Panel.SEARCH,
        ),
    ] = None,
    strategy: Annotated[
        str | None,
        options.optional(
            "bisect|steps",
            "Look for the limit (bisect), or measure a curve up to --to (steps); without it, "
            "bisect.",
            panel=options.Panel.SEARCH,
        ),
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option(
            min=2,
            metavar="N",
            help="How many values a curve has, each by the same factor higher; without it, 8.",
            show_default=False,
            rich_help_panel=options.Panel.SEARCH,
        ),
    ] = None,
    settle: Annotated[
        str | None,
        options.optional(
            "DURATION",
            f"Pause between two steps, after the cleanup; without it, {_SETTLE}.",
            panel=options.Panel.SEARCH,
        ),
    ] = None,
    expect: Annotated[
        str | None,
        options.optional(
            "COMPARISON",
            "What the highest value that holds has to be, as in '>=40'; else exit 3.",
            panel=options.Panel.SEARCH,
        ),
    ] = None,
    resume: Annotated[
        Path | None,
        options.optional(
            "DIR",
            "Go on with the search in this folder, as if it had not been interrupted.",
            panel=options.Panel.SEARCH,
        ),
    ] = None,
    simulate: Simulate = False,
    speed: Speed = 1.0,
    faults: FaultsFile = None,
    kubeconfig: options.Kubeconfig = None,
    context: options.Context = None,
    master: options.Master = None,
    set_: options.Set = None,
    container_prefix: options.ContainerPrefix = None,
    container_tag: options.ContainerTag = None,
    allow_foreign: Annotated[
        bool,
        options.switch(
            "--allow-foreign",
            "Let operations change or delete objects that the steps did not make.",
            options.Panel.CHANGES,
        ),
    ] = False,
    results_dir: options.ResultsDir = options.DEFAULT_RESULTS,
    output: options.OutputFormat = options.Output.TEXT,
    cleanup_timeout: Annotated[
        str,
        options.duration(
            "Bound on the cleanup of a step that ends early.", envvar="PERFSCALE_CLEANUP_TIMEOUT"
        ),
    ] = "5m",
    quiet: options.Quiet = False,
    no_color: options.NoColor = False,
    verbose: options.Verbose = 0,
) -> None:
    """Find the highest load at which thresholds are met.

    Runs the workload again and again with another value, until it is known
    where the thresholds are lost, and confirms the answer by repeated runs:
    "holds at 42/s (3 of 3), lost at 43.7/s (0 of 3)". Each step is an ordinary
    run, with its own folder, page and cleanup.

    A step in which the generator was the limit, or which failed for another
    reason than a threshold, does not count against the cluster.

    Ctrl-C cleans up the step that goes on; --resume DIR goes on later. Exits
    with 0 when the limit is known, with 3 if it is not what --expect says, and
    with 1 if it could not be found.

    For example:

        perfscale search workload.yaml --vary qps --from 5 --to 200

        perfscale search workload.yaml --vary qps --from 5 --expect '>=40'

        perfscale search first.yaml --vary replicas --from 9 --strategy steps

        perfscale search --resume results/first-search-20261128T201500Z-2fc79c1a
    """
    log_more(verbose)
    use_colors(not no_color)
    refuse_beside_simulation(call, simulate=simulate, faults=faults)
    if simulate:
        kubeconfig = context = master = None
    from perfscale.cli.searching import SearchSettings
    from perfscale.cli.searching import start as start_search
    from perfscale.engine import RunOptions
    from perfscale.search import resume_search
    from perfscale.templates import TemplateDefaults

    asked = _Asked(
        workload, vary, start, end, tolerance, repeat, strategy, steps, settle, tuple(set_ or ())
    )
    expected = _expected(expect)
    if resume is None:
        opened = asked.begin(results_dir, expected, simulate=simulate)
    else:
        asked.refuse_beside_resume()
        opened = resume_search(resume, expected)
        _refuse_another_kind(opened, simulate=simulate)
    settings = SearchSettings(
        opened=opened,
        cluster=ChosenCluster(
            options.cluster(kubeconfig, context, master),
            simulate=simulate,
            speed=speed,
            faults=read_faults(faults),
        ),
        options=RunOptions(
            allow_foreign=allow_foreign,
            cleanup_timeout_s=options.seconds("--cleanup-timeout", cleanup_timeout),
            defaults=TemplateDefaults.from_environment(container_prefix, container_tag),
            command=tuple(opened.document.command),
        ),
        output=output,
        quiet=quiet,
    )
    raise typer.Exit(start_search(settings))


@dataclass(frozen=True)
class _Asked:
    """What a command line says of a search itself; of one that is resumed, its folder does."""

    workload: Path | None = None
    vary: str | None = None
    start: float | None = None
    end: float | None = None
    tolerance: str | None = None
    repeat: int | None = None
    strategy: str | None = None
    steps: int | None = None
    settle: str | None = None
    overrides: tuple[str, ...] = ()

    def refuse_beside_resume(self) -> None:
        """Refuse what the folder of a search says."""
        if self != _Asked():
            raise typer.BadParameter(
                "--resume goes on with what the folder says: leave out the workload file, --set, "
                "and the options of the search; those of the cluster are named again"
            )

    def begin(
        self, results_dir: Path, expected: Expected | None, *, simulate: bool
    ) -> OpenedSearch:
        """Begin the search."""
        from perfscale.cli.running import shown_command
        from perfscale.search import Circumstances, Varied, begin_search

        if self.workload is None or self.vary is None or self.start is None:
            raise typer.BadParameter(
                "name a workload file, what to vary and from where on, as in "
                "perfscale search workload.yaml --vary qps --from 5"
            )
        return begin_search(
            Varied(options.workload_path(self.workload), self.overrides, self.vary),
            self._plan(self.start),
            results_dir,
            Circumstances(
                settle_s=options.seconds("--settle", self.settle or _SETTLE),
                expected=expected,
                simulated=simulate,
                command=shown_command(),
            ),
        )

    def _plan(self, start: float) -> SearchPlan:
        from perfscale.search import SearchPlan, Strategy

        chosen = _strategy(self.strategy)
        is_curve = chosen is Strategy.STEPS
        if self.steps is not None and not (is_curve and self.end is not None):
            raise typer.BadParameter("--steps is for --strategy steps with --to")
        if self.tolerance is not None and is_curve:
            raise typer.BadParameter(
                "--tolerance is for a bisection; leave it out of --strategy steps"
            )
        return SearchPlan(
            start=start,
            end=self.end,
            tolerance=_share(self.tolerance or _TOLERANCE),
            repeat=self.repeat or (1 if is_curve else 3),
            strategy=chosen,
            steps=self.steps or 8,
        )


def _strategy(text: str | None) -> Strategy:
    from perfscale.search import Strategy

    try:
        return Strategy.BISECT if text is None else Strategy(text)
    except ValueError as error:
        raise typer.BadParameter(
            f"{text!r} is none: write bisect or steps", param_hint="--strategy"
        ) from error


def _expected(text: str | None) -> Expected | None:
    from perfscale.search import Expected

    return None if text is None else Expected.parse(text)


def _share(text: str) -> float:
    share = options.share("--tolerance", text)
    if not 0 < share <= 1:
        raise typer.BadParameter(
            f"{text!r} is not above 0% and at most 100%", param_hint="--tolerance"
        )
    return share


def _refuse_another_kind(opened: OpenedSearch, *, simulate: bool) -> None:
    if opened.document.simulated is simulate:
        return
    began = "a simulated" if opened.document.simulated else "a real"
    way = "add" if opened.document.simulated else "leave out"
    raise typer.BadParameter(f"the search began on {began} cluster: {way} --simulate")
