"""`perfscale run`."""

from __future__ import annotations

import asyncio
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from perfscale.cli import options
from perfscale.cli.confirm import confirmed
from perfscale.cli.dryrun import DryRun, report_trials
from perfscale.cli.export import Export, ExportOption, export_results
from perfscale.cli.failure import report_failure
from perfscale.cli.run_audit import audit_run, check_prometheus, plan_audit, write_input
from perfscale.cli.signals import handle_signals, run_until_signalled
from perfscale.cli.simulate import FaultsFile, Speed, read_faults
from perfscale.cli.streams import say, unread_at_worst
from perfscale.cli.verbosity import log_more

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine

    from perfscale.cli.run_audit import AuditPlan
    from perfscale.config import Config
    from perfscale.engine import FailureBudget, LoadGenerator
    from perfscale.kube.cluster import ClusterOptions
    from perfscale.results import RunFolder, RunInfo, RunResult
    from perfscale.sim.faults import Faults


@dataclass(frozen=True)
class RunSettings:
    """The command line of `run`, apart from the workload file and its overrides."""

    config: Config
    cluster: ClusterOptions
    results_dir: Path
    ask: bool = False
    simulate: bool = False
    speed: float = 1.0
    faults: Faults | None = None
    keep: bool = False
    report: bool = True
    max_failures: FailureBudget | None = None
    cleanup_timeout_s: float = 300.0
    output: options.Output = options.Output.TEXT
    export: Export | None = None
    dry_run: DryRun | None = None
    container_prefix: str | None = None
    container_tag: str | None = None
    audit: AuditPlan | None = None
    metrics_port: int | None = None
    command: tuple[str, ...] = field(default_factory=lambda: tuple(sys.argv))


def run(  # noqa: PLR0913 -- a command has as many parameters as options
    *,
    workload: options.WorkloadFile = None,
    simulate: Annotated[
        bool, typer.Option("--simulate", help="Use a simulated cluster, gone afterwards.")
    ] = False,
    speed: Speed = 1.0,
    faults: FaultsFile = None,
    kubeconfig: options.Kubeconfig = None,
    context: options.Context = None,
    master: options.Master = None,
    prometheus: options.Prometheus = None,
    yes: options.Yes = False,
    set_: options.Set = None,
    qps: options.Qps = None,
    burst: options.Burst = None,
    replicas: options.Replicas = None,
    iterations: options.Iterations = None,
    container_prefix: options.ContainerPrefix = None,
    container_tag: options.ContainerTag = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Delete nothing, however the run ends.")
    ] = False,
    max_failures: Annotated[
        str | None,
        typer.Option(
            metavar="N|P%",
            help="Stop and clean up when more objects fail: a number, or a share of all. "
            "Without it, however many.",
            show_default=False,
        ),
    ] = None,
    dry_run: Annotated[
        DryRun | None,
        typer.Option(
            "--dry-run",
            help="Create nothing. client: print all that would be created, without a cluster. "
            "server: check the cluster, and let it judge the first replica of each template.",
            show_default=False,
        ),
    ] = None,
    metrics_port: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=65535,
            metavar="N",
            help="Serve metrics of the run to a Prometheus, on this port of loopback; "
            "0 for a free one.",
            show_default=False,
        ),
    ] = None,
    results_dir: options.ResultsDir = options.DEFAULT_RESULTS,
    no_report: Annotated[
        bool, typer.Option("--no-report", help="Write no report.html among the results.")
    ] = False,
    output: options.OutputFormat = options.Output.TEXT,
    export: ExportOption = None,
    request_timeout: Annotated[
        str, typer.Option(metavar="DURATION", help="Bound on one request, as in 30s or 2m.")
    ] = "60s",
    max_unavailable: Annotated[
        str,
        typer.Option(metavar="DURATION", help="How long the API server may be gone."),
    ] = "5m",
    watch_idle_timeout: Annotated[
        str,
        typer.Option(metavar="DURATION", help="A watch that is silent for so long is reopened."),
    ] = "90s",
    cleanup_timeout: Annotated[
        str,
        typer.Option(
            metavar="DURATION", help="Bound on the cleanup after an interrupt or an error."
        ),
    ] = "5m",
    verbose: options.Verbose = 0,
) -> None:
    """Run a workload: create, wait, measure, delete, wait until gone.

    Ctrl-C stops the load, deletes what the run created and writes the results
    of what happened; a second one stops at once.

    For example:

        perfscale run --simulate

        perfscale run workload.yaml --context staging --qps 50

        perfscale run workload.yaml --set 'workloads[0].objects[0].replicas=500'

        perfscale run workload.yaml --output json > summary.json

        perfscale run workload.yaml --dry-run server
    """
    log_more(verbose)
    if simulate and (kubeconfig or context or master):
        raise typer.BadParameter(
            "--simulate brings its own cluster; leave out --kubeconfig, --context and --master"
        )
    if faults and not simulate:
        raise typer.BadParameter("--faults is for --simulate: no real cluster is harmed")
    if dry_run is DryRun.CLIENT and output is options.Output.JSON:
        raise typer.BadParameter("--dry-run client prints YAML; leave out --output json")
    if dry_run is DryRun.CLIENT and keep:
        raise typer.BadParameter(
            "--dry-run client prints the same with --keep as without; leave one of them out"
        )
    if dry_run and metrics_port is not None:
        raise typer.BadParameter("--metrics-port is for a run; leave it out of a --dry-run")
    settings = RunSettings(
        config=options.load(
            workload, set_, qps=qps, burst=burst, replicas=replicas, iterations=iterations
        ),
        cluster=options.cluster(
            kubeconfig,
            context,
            master,
            request_timeout=request_timeout,
            max_unavailable=max_unavailable,
            watch_idle_timeout=watch_idle_timeout,
        ),
        results_dir=results_dir,
        ask=workload is None and not simulate and not yes and _on_terminal(),
        simulate=simulate,
        speed=speed,
        faults=read_faults(faults),
        keep=keep,
        report=not no_report,
        max_failures=_budget(max_failures),
        cleanup_timeout_s=options.seconds("--cleanup-timeout", cleanup_timeout),
        output=output,
        export=export,
        dry_run=dry_run,
        container_prefix=container_prefix,
        container_tag=container_tag,
        metrics_port=metrics_port,
    )
    if not dry_run:
        settings = replace(settings, audit=plan_audit(settings.config, prometheus))
    raise typer.Exit(start(settings))


def _budget(text: str | None) -> FailureBudget | None:
    from perfscale.engine.budget import FailureBudget

    try:
        return None if text is None else FailureBudget.parse(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--max-failures") from error


def start(settings: RunSettings) -> int:
    """Run with these settings; returns the exit code."""
    if settings.dry_run is DryRun.CLIENT:
        from perfscale.cli.render import print_manifests

        print_manifests(settings.config, settings.container_prefix, settings.container_tag)
        return 0
    return run_until_signalled(_try(settings) if settings.dry_run else _run(settings))


@asynccontextmanager
async def _generator(settings: RunSettings, folder: RunFolder) -> AsyncIterator[LoadGenerator]:
    from perfscale.engine import LoadGenerator, RunOptions
    from perfscale.templates import TemplateDefaults

    run_options = RunOptions(
        keep=settings.keep,
        max_failures=settings.max_failures,
        cleanup_timeout_s=settings.cleanup_timeout_s,
        defaults=TemplateDefaults.from_environment(
            settings.container_prefix, settings.container_tag
        ),
        command=settings.command,
    )
    async with (
        _cluster(settings) as cluster,
        LoadGenerator(
            settings.config, cluster=cluster, results=folder, options=run_options
        ) as generator,
    ):
        yield generator


async def _try(settings: RunSettings) -> int:
    from perfscale.results import RunFolder

    async with _generator(settings, RunFolder(settings.results_dir)) as generator:
        trials = await generator.dry_run()
    report_trials(trials, as_json=settings.output is options.Output.JSON)
    say("nothing was created")
    return 0


async def _run(settings: RunSettings) -> int:
    from perfscale.cli.display import follow
    from perfscale.cli.header import print_header
    from perfscale.cli.metrics_server import metrics_served
    from perfscale.results import RunFolder

    if settings.audit is not None:
        await check_prometheus(settings.audit)
    folder = RunFolder(settings.results_dir, cleanup=partial(_cleanup_command, settings))
    async with (
        _generator(settings, folder) as generator,
        metrics_served(settings.metrics_port, generator.snapshot) as metrics,
    ):
        plan = await generator.preflight()
        print_header(plan, simulated=settings.simulate, metrics=metrics)
        if settings.ask and not await confirmed("Run this?"):
            say("nothing was created")
            return 1
        displaying = asyncio.create_task(
            _display(follow(generator.events())), name="perfscale-display"
        )
        try:
            result = await _execute(generator)
        finally:
            await displaying
        if settings.simulate:
            # Whatever is left of the run will have gone with its cluster.
            result = replace(result, remains=False)
        try:
            # While the cluster is there: it has to be scraped once more.
            result = await _audited(settings, folder, result)
        finally:
            with unread_at_worst():
                _conclude(settings, result, folder.path)
    return result.exit_code


async def _audited(settings: RunSettings, folder: RunFolder, result: RunResult) -> RunResult:
    """Leave what an audit needs; audit the run if that was asked for and it came to its end."""
    if folder.path is not None:
        write_input(folder.path, result, settings.audit)
    from perfscale.results import RunOutcome, with_audit

    if settings.audit is None or result.outcome is RunOutcome.INTERRUPTED:
        return result
    record = await audit_run(settings.audit, result)
    try:
        return folder.add_audit(result, record)
    except OSError as error:
        say(f"warning: the audit cannot be written: {error.strerror or error}")
        return with_audit(result, record)


async def _display(following: Coroutine[None, None, None]) -> None:
    """A run goes on when nobody looks at its progress any more."""
    with unread_at_worst():
        await following


def _conclude(settings: RunSettings, result: RunResult, folder: Path | None) -> None:
    """Tell how the run ended, once it has."""
    from perfscale.cli.page import make_page
    from perfscale.cli.report import tell_result
    from perfscale.errors import ResultsError

    if result.error is not None:
        report_failure(result.error)
    cleanup = _cleanup_command(settings, result.info)
    tell_result(result, folder, cleanup=cleanup, output=settings.output)
    if folder is not None:
        try:
            export_results(folder, settings.export)
        except ResultsError as error:
            say(f"warning: the results were not exported: {error}")
    if settings.report and folder is not None:
        try:
            make_page(folder, settings.output)
        except ResultsError as error:  # the other results stand without it
            say(f"warning: there is no report: {error}")


async def _execute(generator: LoadGenerator) -> RunResult:
    """Run; the first signal ends the run in order, the second one at once."""
    running = asyncio.current_task()
    signals: list[int] = []

    def on_signal(signum: int) -> None:
        signals.append(signum)
        if len(signals) == 1:
            generator.interrupt(signum)
            say("stopping and cleaning up; once more stops at once")
        elif running is not None:
            running.cancel()

    with handle_signals(on_signal):
        try:
            return await generator.run()
        except asyncio.CancelledError:
            if len(signals) < 2 or generator.result is None:
                raise
            return generator.result


@asynccontextmanager
async def _cluster(settings: RunSettings) -> AsyncIterator[ClusterOptions]:
    """How to open the cluster, which lives for as long as the context if it is simulated."""
    if not settings.simulate:
        yield settings.cluster
        return
    from perfscale.sim.process import simulated_cluster_process

    async with simulated_cluster_process(
        speed=settings.speed, faults=settings.faults
    ) as kubeconfig:
        yield replace(settings.cluster, kubeconfig=str(kubeconfig))


def _on_terminal() -> bool:
    """Whether there is somebody to ask; a pipeline has said what it wants."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def _cleanup_command(settings: RunSettings, info: RunInfo) -> str | None:
    """What removes everything of the run later; a simulated cluster goes with it."""
    from perfscale.results import cleanup_command

    if settings.simulate:
        return None
    elsewhere = settings.results_dir != options.DEFAULT_RESULTS
    return cleanup_command(
        info,
        kubeconfig=settings.cluster.kubeconfig,
        master=settings.cluster.master,
        results_dir=str(settings.results_dir) if elsewhere else None,
    )
