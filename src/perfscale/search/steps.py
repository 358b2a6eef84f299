"""A step of a search as an ordinary run, with its own folder, page and cleanup."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from perfscale.engine import LoadGenerator, RunOptions
from perfscale.results import RunFolder
from perfscale.results.folder.summary import describe_cluster
from perfscale.results.model.document.summary import Cluster
from perfscale.results.pages import write_page
from perfscale.search.folder import STEPS_FOLDER
from perfscale.search.judging import judge_run, latencies_of, rates_of
from perfscale.search.offering import Offered, changed_keys, judge_offered
from perfscale.search.opening import refuse_changed
from perfscale.search.removal import refuse_another_cluster, remove_run_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

    from perfscale.config import Config
    from perfscale.engine.events import EventStream
    from perfscale.kube.cluster import ClusterOptions
    from perfscale.preflight import Plan
    from perfscale.results import RunInfo, RunResult
    from perfscale.search.document import SearchDocument, Step
    from perfscale.search.folder import SearchFolder
    from perfscale.search.judging import Judged
    from perfscale.search.varying import Varied

    Following = Callable[[EventStream], Coroutine[None, None, None]]


@dataclass(frozen=True)
class StepSettings:
    """How steps are run.

    Attributes:
        varied: The workload file, and what of it changes.
        cluster: Where.
        folder: The search's.
        options: Of each run.
        cleanup: What to type to remove a run, for its ``run.json``.
        follow: Shows the progress of a run.
        planned: Called with what the first run is going to do, before it does anything.
    """

    varied: Varied
    cluster: ClusterOptions
    folder: SearchFolder
    options: RunOptions
    cleanup: Callable[[RunInfo], str | None]
    follow: Following | None = None
    planned: Callable[[Plan, Config], None] | None = None


class EngineSteps:
    """Runs steps by the engine.

    Args:
        settings: How.
    """

    def __init__(self, settings: StepSettings) -> None:
        self._settings = settings
        self._generator: LoadGenerator | None = None
        self._interrupted_by: int | None = None
        self._planned = settings.planned

    async def run(self, step: Step, document: SearchDocument) -> tuple[Step, SearchDocument]:
        """Run it, and make its page.

        Raises:
            UsageError: The workload file has changed, or the cluster is another.
            PerfscaleError: What a run raises that cannot begin.
        """
        settings = self._settings
        refuse_changed(settings.varied, settings.folder)
        config = settings.varied.at(step.value)
        sink = RunFolder(settings.folder.steps, cleanup=settings.cleanup)
        async with (
            LoadGenerator(
                config,
                cluster=settings.cluster,
                run_id=step.run_id,
                results=sink,
                options=settings.options,
            ) as generator,
            self._followed(generator),
        ):
            plan = await generator.preflight()
            if document.cluster is not None and not document.simulated:
                refuse_another_cluster(document.cluster.server, plan.server)
            if self._planned is not None:
                self._planned(plan, config)
                self._planned = None
            result = await generator.run()
        cluster = msgspec.convert(describe_cluster(result.info.cluster), Cluster)
        folder = None if sink.path is None else f"{STEPS_FOLDER}/{sink.path.name}"
        if sink.path is not None:
            write_page(sink.path)
        varied = settings.varied
        keys = changed_keys(varied, document.plan.start, document.plan.end)
        judged = judge_offered(judge_run(result), Offered(config, keys, varied.search_id, result))
        ended = self._ended(step, result, judged, folder)
        return ended, msgspec.structs.replace(document, cluster=cluster)

    @staticmethod
    def _ended(step: Step, result: RunResult, judged: Judged, folder: str | None) -> Step:
        return msgspec.structs.replace(
            step,
            folder=folder,
            duration_seconds=round(result.duration_s, 3),
            verdict=judged.verdict,
            reasons=judged.reasons,
            outcome=result.outcome,
            generator=None if result.generator is None else result.generator.verdict,
            remains=result.remains,
            rates=rates_of(result),
            latencies=latencies_of(result),
        )

    @asynccontextmanager
    async def _followed(self, generator: LoadGenerator) -> AsyncIterator[None]:
        self._generator = generator
        if self._interrupted_by is not None:
            generator.interrupt(self._interrupted_by)
        follow = self._settings.follow
        following = None
        if follow is not None:
            following = asyncio.create_task(follow(generator.events()), name="perfscale-display")
        try:
            yield
        finally:
            self._generator = None
            if following is not None:
                if generator.result is None:
                    following.cancel()
                with suppress(asyncio.CancelledError):
                    await following

    async def remove(self, step: Step) -> list[str]:
        """Remove what a step may have left; returns what is still there, in sentences.

        Raises:
            ClusterError: The cluster cannot be reached.
        """
        settings = self._settings
        return await remove_run_of(
            settings.cluster, settings.folder.steps, step.run_id, settings.options.cleanup_timeout_s
        )

    def interrupt(self, signum: int) -> None:
        """Let the run that goes on, or is about to, clean up and end."""
        self._interrupted_by = signum
        if self._generator is not None:
            self._generator.interrupt(signum)
