"""What `perfscale run` does, once its command line is understood."""

from __future__ import annotations

import asyncio
import itertools
import sys
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from perfscale.cli import options
from perfscale.cli.dryrun import DryRun, print_trials
from perfscale.cli.export import Export, export_results, make_page
from perfscale.cli.indexing import check_index, index_run
from perfscale.cli.output.confirm import confirmed
from perfscale.cli.output.failure import print_failure
from perfscale.cli.output.streams import OutputError, ignoring_closed_output, say
from perfscale.cli.signals import handle_interrupts, run_until_signalled
from perfscale.errors import RunFailedError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Sequence
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from perfscale.auditing import AuditPlan
    from perfscale.cli.cluster import ChosenCluster
    from perfscale.config import Config
    from perfscale.engine import FailureBudget, LoadGenerator
    from perfscale.fleet.dask.workers import FleetOptions
    from perfscale.indexing import IndexPlan
    from perfscale.live import LivePage, WebAddress
    from perfscale.preflight import Plan
    from perfscale.results import Remarks, RunFolder, RunInfo, RunResult
    from perfscale.sim.storage.kinds.unknown import WantedKind


def shown_command() -> tuple[str, ...]:
    """The command line, for results that other people read."""
    from perfscale.config.address import without_credentials

    return tuple(map(without_credentials, sys.argv))


@dataclass(frozen=True)
class RunSettings:
    """The command line of `run`, apart from the workload file and its overrides."""

    config: Config
    cluster: ChosenCluster
    results_dir: Path
    remarks: Remarks
    run_id: str | None = None
    ask: bool = False
    ask_foreign: bool = False
    allow_foreign: bool = False
    keep: bool = False
    report: bool = True
    max_failures: FailureBudget | None = None
    cleanup_timeout_s: float = 300.0
    output: options.Output = options.Output.TEXT
    export: Export | None = None
    index: IndexPlan | None = None
    dry_run: DryRun | None = None
    container_prefix: str | None = None
    container_tag: str | None = None
    audit: AuditPlan | None = None
    metrics_port: int | None = None
    web: WebAddress | None = None
    fleet: FleetOptions | None = None
    quiet: bool = False
    command: tuple[str, ...] = field(default_factory=shown_command)


def start(settings: RunSettings) -> int:
    """Run with these settings; returns the exit code."""
    if settings.dry_run is DryRun.CLIENT:
        from perfscale.cli.commands.workloads.render import print_manifests

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
        allow_foreign=settings.allow_foreign,
        cleanup_timeout_s=settings.cleanup_timeout_s,
        defaults=TemplateDefaults.from_environment(
            settings.container_prefix, settings.container_tag
        ),
        command=settings.command,
    )
    async with AsyncExitStack() as stack:
        cluster = await stack.enter_async_context(settings.cluster.opened(_kinds_of_jobs(settings)))
        make: Callable[..., LoadGenerator] = LoadGenerator
        if settings.fleet is not None:
            from perfscale.cli.fleet import opened_transport
            from perfscale.fleet.coordinator import Coordinator

            transport, count = await stack.enter_async_context(
                opened_transport(settings.fleet, cluster)
            )
            make = partial(Coordinator, transport=transport, generators=count)
        yield await stack.enter_async_context(
            make(
                settings.config,
                cluster=cluster,
                run_id=settings.run_id,
                results=folder,
                options=run_options,
            )
        )


async def _try(settings: RunSettings) -> int:
    from perfscale.results import RunFolder

    async with _generator(settings, RunFolder(settings.results_dir)) as generator:
        trials = await generator.dry_run()
    print_trials(trials, as_json=settings.output is options.Output.JSON)
    say("nothing was created")
    return 0


async def _run(settings: RunSettings) -> int:
    from perfscale.cli.output.display import follow
    from perfscale.results import RunFolder, graver

    if settings.audit is not None:
        await settings.audit.check(say)
    if settings.index is not None:
        await check_index(settings.index)
    folder = RunFolder(
        settings.results_dir,
        cleanup=partial(_cleanup_command, settings),
        remarks=settings.remarks,
    )
    async with (
        _generator(settings, folder) as generator,
        _metrics(settings.metrics_port, generator) as metrics,
        _page(settings, generator) as page,
    ):
        plan = await generator.preflight()
        if not await _is_wanted(settings, plan, metrics, None if page is None else page.url):
            say("nothing was created or changed")
            return 1
        displaying = asyncio.create_task(
            follow(generator.events(), quiet=settings.quiet), name="perfscale-display"
        )
        result = await _execute(generator, displaying)
        if settings.cluster.simulate:
            # Whatever is left of the run will have gone with its cluster.
            result = replace(result, remains=False)
        try:
            # While the cluster is there: it has to be scraped once more.
            result = await _audited(settings, folder, result)
        finally:
            code = _conclude(settings, result, folder.path)
            if page is not None:
                await page.finish(folder.path)
    if settings.index is not None and folder.path is not None:
        code = graver(code, await index_run(settings.index, folder.path))
    return code


async def _is_wanted(
    settings: RunSettings, plan: Plan, metrics: str | None, page: str | None
) -> bool:
    """Say what is about to happen, and ask whether it may where a person is to be asked."""
    from perfscale.cli.output.header import print_header

    foreign = [str(each.foreign) for each in plan.operations.values() if each.foreign]
    ask = settings.ask or (bool(foreign) and settings.ask_foreign)
    if not settings.quiet or ask:
        simulated = settings.cluster.simulate
        fleet = settings.fleet
        print_header(
            plan,
            settings.config,
            simulated=simulated,
            generators=None if fleet is None else str(fleet),
            metrics=metrics,
            page=page,
        )
    if plan.insecure:
        say("warning: the server's certificate is not verified (insecure-skip-tls-verify)")
    return not ask or await confirmed(_question(foreign))


def _question(foreign: Sequence[str]) -> str:
    if not foreign:
        return "Run this?"
    return f"Run this, and change {' and '.join(dict.fromkeys(foreign))} of others?"


def _metrics(port: int | None, generator: LoadGenerator) -> AbstractAsyncContextManager[str | None]:
    """Serves the run's metrics if that is wanted, and gives their URL."""
    if port is None:
        return nullcontext()
    from perfscale.exporter import serve_metrics

    return serve_metrics(generator.snapshot, port=port)


def _page(
    settings: RunSettings, generator: LoadGenerator
) -> AbstractAsyncContextManager[LivePage | None]:
    """Serves the run's page if that is wanted."""
    if settings.web is None:
        return nullcontext()
    from perfscale.live import serve_page

    return serve_page(
        settings.web,
        generator.events(),
        generator.snapshot,
        generator.course,
        settings.config,
    )


async def _audited(settings: RunSettings, folder: RunFolder, result: RunResult) -> RunResult:
    """Write what an audit needs; audit the run if that is wanted and it came to its end."""
    from perfscale.auditing import write_audit_input
    from perfscale.results import RunOutcome, with_audit, with_lost_results

    if folder.path is not None:
        try:
            write_audit_input(folder.path, result, settings.audit)
        except OSError as error:
            result = with_lost_results(result, error)
    if settings.audit is None or result.outcome is RunOutcome.INTERRUPTED:
        return result
    record = await settings.audit.audit(result, say)
    if folder.path is None:
        return with_audit(result, record)
    try:
        return folder.add_audit(result, record)
    except OSError as error:
        return with_lost_results(with_audit(result, record), error)


def _conclude(settings: RunSettings, result: RunResult, folder: Path | None) -> int:
    """Print how the run ended, and write what is made of its files.

    Returns:
        The exit code: the run's own, unless something could not be written.
    """
    from perfscale.errors import ResultsError
    from perfscale.results import graver

    if result.error is not None:
        print_failure(result.error)
    code = result.exit_code
    for step in _steps(settings, result, folder):
        try:
            with ignoring_closed_output():  # the files are wanted all the same
                step()
        except (ResultsError, OutputError) as error:  # the other results stand without it
            say(f"error: {error}")
            code = graver(code, RunFailedError.exit_code)
    return code


def _steps(
    settings: RunSettings, result: RunResult, folder: Path | None
) -> Iterator[Callable[[], None]]:
    from perfscale.cli.output.result import print_result, print_summary

    if folder is None:
        yield partial(print_summary, result)
    cleanup = _cleanup_command(settings, result.info)
    yield partial(print_result, result, folder, cleanup=cleanup, output=settings.output)
    if folder is not None:
        yield partial(export_results, folder, settings.export)
    if folder is not None and settings.report:
        yield partial(make_page, folder, settings.output)


async def _execute(generator: LoadGenerator, displaying: asyncio.Task[None]) -> RunResult:
    """Run; the first signal ends the run in order, the second one at once."""
    with handle_interrupts(
        generator.interrupt, is_over=lambda: generator.result is not None
    ) as signals:
        try:
            return await generator.run()
        except asyncio.CancelledError:
            if len(signals) < 2 or generator.result is None:
                raise
            return generator.result
        finally:
            await displaying


def _kinds_of_jobs(settings: RunSettings) -> set[WantedKind]:
    """The kinds that jobs of kube-burner create, which a simulated cluster may not have.

    They may come with any software.

    Raises:
        TemplateError: Every problem of every template.
    """
    jobs = any(workload.kube_burner for workload in settings.config.workloads)
    if not (settings.cluster.simulate and jobs):
        return set()
    from perfscale.sim.storage.kinds.unknown import WantedKind
    from perfscale.templates import compile_templates

    factories = compile_templates(settings.config, run_id=settings.run_id or "")
    conditions: dict[tuple[str, str], dict[tuple[str, str], None]] = {}
    for factory in itertools.chain(*factories):
        awaited = factory.spec.ready_when or ()
        said = {(each.condition, each.status): None for each in awaited if each.condition}
        for key in factory.kinds:
            conditions.setdefault(key, {}).update(said)
    return {WantedKind(*key, tuple(said)) for key, said in conditions.items()}


def _cleanup_command(settings: RunSettings, info: RunInfo) -> str | None:
    """What removes everything of the run later."""
    elsewhere = settings.results_dir != options.DEFAULT_RESULTS
    return settings.cluster.cleanup_command(
        info, results_dir=str(settings.results_dir) if elsewhere else None
    )
