"""`perfscale run`."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from perfscale.cli import fleet, options
from perfscale.cli.cluster import ChosenCluster
from perfscale.cli.commands.simulate import (
    FaultsFile,
    Simulate,
    Speed,
    read_faults,
    refuse_beside_simulation,
)
from perfscale.cli.dryrun import DryRun
from perfscale.cli.export import Export, ExportOption
from perfscale.cli.indexing import (
    DEFAULT_NAME,
    IndexName,
    IndexUrl,
    plan_from_environment,
    plan_of_file,
)
from perfscale.cli.output.confirm import on_terminal
from perfscale.cli.output.streams import log_more, say, use_colors
from perfscale.cli.running import RunSettings, start
from perfscale.cli.web import TOKEN_VARIABLE, web_address

if TYPE_CHECKING:
    from perfscale.auditing import AuditPlan
    from perfscale.config import Config
    from perfscale.engine import FailureBudget
    from perfscale.indexing import IndexPlan


def run(  # noqa: PLR0913 -- a command has as many parameters as options
    call: typer.Context,
    *,
    workload: options.WorkloadFile = None,
    simulate: Simulate = False,
    speed: Speed = 1.0,
    faults: FaultsFile = None,
    kubeconfig: options.Kubeconfig = None,
    context: options.Context = None,
    master: options.Master = None,
    workers: fleet.Workers = None,
    scheduler: fleet.Scheduler = None,
    send_kubeconfig: fleet.SendKubeconfig = False,
    set_: options.Set = None,
    qps: options.Qps = None,
    burst: options.Burst = None,
    replicas: options.Replicas = None,
    iterations: options.Iterations = None,
    user_data: options.UserData = None,
    metrics_endpoint: options.MetricsEndpoints = None,
    allow_env: options.AllowEnv = False,
    allow_missing: options.AllowMissing = False,
    container_prefix: options.ContainerPrefix = None,
    container_tag: options.ContainerTag = None,
    dry_run: Annotated[
        DryRun | None,
        typer.Option(
            "--dry-run",
            help="Create nothing. client: print all that would be created, without a cluster. "
            "server: check the cluster, and let it judge the first replica of each template.",
            show_default=False,
            rich_help_panel=options.Panel.CHANGES,
        ),
    ] = None,
    yes: options.Yes = False,
    keep: Annotated[
        bool,
        options.switch("--keep", "Delete nothing, however the run ends.", options.Panel.CHANGES),
    ] = False,
    allow_foreign: Annotated[
        bool,
        options.switch(
            "--allow-foreign",
            "Let operations change or delete objects that the run did not make.",
            options.Panel.CHANGES,
        ),
    ] = False,
    max_failures: Annotated[
        str | None,
        options.optional(
            "N|P%",
            "Stop and clean up when more objects and operations have failed: a number, or a share "
            "of all, as in 5%. Without it, failures stop nothing.",
            panel=options.Panel.LIMITS,
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
            rich_help_panel=options.Panel.WATCHING,
        ),
    ] = None,
    web: Annotated[
        str | None,
        options.optional(
            "[ADDRESS:PORT]",
            "Serve the run's page while it goes on: on a free port of loopback, or at this "
            f"address. Another than loopback needs a token, in ${TOKEN_VARIABLE}.",
            panel=options.Panel.WATCHING,
        ),
    ] = None,
    results_dir: options.ResultsDir = options.DEFAULT_RESULTS,
    tag: Annotated[
        list[str] | None,
        options.optional(
            "KEY=VALUE",
            "A tag to find the run by later, as in build=123. Repeatable.",
            panel=options.Panel.RESULTS,
        ),
    ] = None,
    note: Annotated[
        str | None,
        options.optional("TEXT", "What to remember of the run.", panel=options.Panel.RESULTS),
    ] = None,
    no_report: Annotated[
        bool,
        options.switch(
            "--no-report", "Write no report.html among the results.", options.Panel.RESULTS
        ),
    ] = False,
    output: options.OutputFormat = options.Output.TEXT,
    export: ExportOption = None,
    index: IndexUrl = None,
    index_name: IndexName = DEFAULT_NAME,
    prometheus: Annotated[
        str | None,
        options.optional(
            "URL",
            "After the run, query the Prometheus that scrapes the cluster, and put what it "
            "answers among the results. As in http://localhost:9090.",
            envvar="PERFSCALE_PROMETHEUS",
            panel=options.Panel.RESULTS,
        ),
    ] = None,
    attribution: options.Attribution = None,
    request_timeout: Annotated[
        str,
        options.duration(
            "Bound on one request, as in 30s or 2m.", envvar="PERFSCALE_REQUEST_TIMEOUT"
        ),
    ] = "60s",
    max_unavailable: Annotated[
        str,
        options.duration(
            "How long the API server may be unreachable before the run ends.",
            envvar="PERFSCALE_MAX_UNAVAILABLE",
        ),
    ] = "5m",
    watch_idle_timeout: Annotated[
        str,
        options.duration(
            "How long a watch may be silent before it is reopened.",
            envvar="PERFSCALE_WATCH_IDLE_TIMEOUT",
        ),
    ] = "90s",
    cleanup_timeout: Annotated[
        str,
        options.duration(
            "Bound on the cleanup after an interrupt or an error.",
            envvar="PERFSCALE_CLEANUP_TIMEOUT",
        ),
    ] = "5m",
    quiet: options.Quiet = False,
    no_color: options.NoColor = False,
    verbose: options.Verbose = 0,
) -> None:
    """Run a workload: create or change objects, wait, measure.

    Ctrl-C stops the load, deletes what the run created and writes the results
    of what happened; a second one stops at once.

    For example:

        perfscale run --simulate

        perfscale run workload.yaml --context staging --qps 50

        perfscale run workload.yaml --set 'workloads[0].objects[0].replicas=500'

        perfscale run workload.yaml --tag build=123 --note "new CNI"

        perfscale run workload.yaml --output json > summary.json

        perfscale run workload.yaml --workers 4

        perfscale run workload.yaml --dry-run server
    """
    log_more(verbose)
    use_colors(not no_color)
    if quiet and verbose:
        raise typer.BadParameter("--quiet says less and --verbose more; leave one of them out")
    refuse_beside_simulation(call, simulate=simulate, faults=faults)
    if simulate:
        kubeconfig = context = master = None
    _refuse_beside_dry_run(
        dry_run, output, keep=keep, metrics=metrics_port is not None, web=web is not None
    )
    run_id = str(uuid.uuid4())
    settings = RunSettings(
        config=options.load(
            workload,
            set_,
            qps=qps,
            burst=burst,
            replicas=replicas,
            iterations=iterations,
            attribution=attribution,
            inputs=options.inputs(
                user_data,
                allow_env=allow_env,
                allow_missing=allow_missing,
                run_id=run_id,
                metrics_endpoints=metrics_endpoint,
                allow_foreign=allow_foreign,
            ),
        ),
        run_id=run_id,
        cluster=ChosenCluster(
            options.cluster(
                kubeconfig,
                context,
                master,
                request_timeout=request_timeout,
                max_unavailable=max_unavailable,
                watch_idle_timeout=watch_idle_timeout,
            ),
            simulate=simulate,
            speed=speed,
            faults=read_faults(faults),
        ),
        results_dir=results_dir,
        remarks=options.remarks(tag, note),
        ask=workload is None and not simulate and not yes and on_terminal(),
        ask_foreign=not yes and on_terminal(),
        allow_foreign=allow_foreign,
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
        web=web_address(web),
        fleet=fleet.fleet_options(
            workers,
            scheduler,
            send_kubeconfig=send_kubeconfig,
            dry_run=dry_run is not None,
            simulate=simulate,
        ),
        quiet=quiet,
    )
    if not dry_run:
        settings = replace(
            settings,
            audit=_audit(settings, prometheus, allow_env=allow_env),
            index=_index(settings, index, index_name, named=options.is_given(call, "index_name")),
            export=export or _export(settings.config),
        )
    raise typer.Exit(start(settings))


def _audit(settings: RunSettings, url: str | None, *, allow_env: bool) -> AuditPlan | None:
    """How the run is audited, by the Prometheus of the option or else of the file."""
    audit = settings.config.global_config.audit
    if not url and (audit is None or audit.url is None):
        return None
    if not url and _is_elsewhere(settings):
        say("metricsEndpoints: their Prometheus is not asked about a simulated cluster")
        return None
    from perfscale.auditing import plan_audit

    return plan_audit(settings.config, url, variables=options.environment(allowed=allow_env))


def _index(settings: RunSettings, url: str | None, name: str, *, named: bool) -> IndexPlan | None:
    """Where documents go, by the options or else by the file."""
    if url:
        return plan_from_environment(url, name)
    of_file = settings.config.global_config.index
    if of_file is None:
        return None
    if _is_elsewhere(settings):
        say("metricsEndpoints: results of a simulated cluster are not sent to their indexer")
        return None
    return plan_of_file(of_file, settings.config.source, name if named else None)


def _export(config: Config) -> Export | None:
    tool = config.global_config.export
    return None if tool is None else Export(tool)


def _is_elsewhere(settings: RunSettings) -> bool:
    """Whether servers of the file are those of a cluster that the run does not use.

    A file of another tool does not know that its cluster may be simulated, converted or not.
    """
    config = settings.config
    is_foreign = bool(config.source.reading) or any(each.kube_burner for each in config.workloads)
    return settings.cluster.simulate and is_foreign


def _refuse_beside_dry_run(
    dry_run: DryRun | None, output: options.Output, *, keep: bool, metrics: bool, web: bool
) -> None:
    """Refuse options that a dry run could only ignore."""
    if dry_run is DryRun.CLIENT and output is options.Output.JSON:
        raise typer.BadParameter("--dry-run client prints YAML; leave out --output json")
    if dry_run is DryRun.CLIENT and keep:
        raise typer.BadParameter(
            "--dry-run client prints the same with --keep as without; leave one of them out"
        )
    if dry_run and metrics:
        raise typer.BadParameter("--metrics-port is for a run; leave it out of a --dry-run")
    if dry_run and web:
        raise typer.BadParameter("--web is for a run; leave it out of a --dry-run")


def _budget(text: str | None) -> FailureBudget | None:
    from perfscale.engine.accounting.budget import FailureBudget

    try:
        return None if text is None else FailureBudget.parse(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--max-failures") from error
