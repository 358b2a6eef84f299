"""What `perfscale search` does, once its command line is understood."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from perfscale.cli.options import Output
from perfscale.cli.output.display import follow
from perfscale.cli.output.search_result import (
    print_search,
    say_removing,
    say_settling,
    say_step,
    say_verdict,
)
from perfscale.cli.output.streams import ignoring_closed_output, say
from perfscale.cli.signals import handle_interrupts, run_until_signalled
from perfscale.search import EngineSteps, LimitSearch, SearchEvents, State, StepSettings

if TYPE_CHECKING:
    from perfscale.cli.cluster import ChosenCluster
    from perfscale.config import Config
    from perfscale.engine import RunOptions
    from perfscale.preflight import Plan
    from perfscale.search import OpenedSearch


@dataclass(frozen=True)
class SearchSettings:
    """The command line of `search`, apart from what is searched."""

    opened: OpenedSearch
    cluster: ChosenCluster
    options: RunOptions
    output: Output = Output.TEXT
    quiet: bool = False


def start(settings: SearchSettings) -> int:
    """Search with these settings; returns the exit code."""
    return run_until_signalled(_search(settings))


async def _search(settings: SearchSettings) -> int:
    plan, varied, document, folder = settings.opened
    if not settings.quiet:
        most = plan.most_runs
        many = "" if most is None else f", in about {most} steps"
        say(f"search {folder.path}: {document.plan.vary} of {document.file}{many}")
        for note in document.notes:
            say(f"note: {note}")
    async with settings.cluster.opened() as cluster:
        steps = EngineSteps(
            StepSettings(
                varied=varied,
                cluster=cluster,
                folder=folder,
                options=settings.options,
                cleanup=partial(settings.cluster.cleanup_command, results_dir=str(folder.steps)),
                follow=partial(follow, quiet=settings.quiet),
                planned=None if settings.quiet else partial(_print_plan, settings),
            )
        )
        search = LimitSearch(plan, document, folder, steps, events=_events(settings))
        try:
            code = await _execute(search)
        finally:
            if search.document.state is not State.FINISHED:
                simulated = " --simulate" if settings.cluster.simulate else ""
                say(f"to go on: perfscale search --resume {folder.path}{simulated}")
    with ignoring_closed_output():
        print_search(search.document, folder, output=settings.output)
    return code


def _events(settings: SearchSettings) -> SearchEvents:
    if settings.quiet:
        return SearchEvents()
    return SearchEvents(say_step, say_verdict, say_removing, say_settling)


def _print_plan(settings: SearchSettings, plan: Plan, config: Config) -> None:
    """Print where the first step goes and what it does; the others differ by a number."""
    from perfscale.cli.output.header import print_header

    print_header(plan, config, simulated=settings.cluster.simulate)
    if plan.insecure:
        say("warning: the server's certificate is not verified (insecure-skip-tls-verify)")


async def _execute(search: LimitSearch) -> int:
    """Search; the first signal cleans up and ends the search, the second one at once."""
    with handle_interrupts(search.interrupt) as signals:
        try:
            return await search.run()
        except asyncio.CancelledError:
            if not signals:
                raise
            return 128 + signals[0]
