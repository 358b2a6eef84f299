"""The runner that programs embed, and that the command line is written on."""

from __future__ import annotations

import asyncio
import secrets
import signal
import time
import uuid
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Self

from perfscale.config import dump_config
from perfscale.config.sections.fields import MAX_SEED
from perfscale.engine.events import Broadcast, EventStream, RunStarted
from perfscale.engine.inputs import RunInputs, RunOptions
from perfscale.engine.run import Run
from perfscale.engine.sharding.shard import WHOLE
from perfscale.engine.stopwatch import Stopwatch
from perfscale.engine.tracking.readiness import rule_for
from perfscale.errors import ResultsError, TemplateError
from perfscale.kube.cluster import Cluster, ClusterOptions, open_cluster
from perfscale.kube.ratelimit import RateLimiter
from perfscale.preflight import Findings, Trier, preflight
from perfscale.results import Checked, ClusterInfo, RequestMeter, RunInfo
from perfscale.templates import TemplateDefaults, compile_workloads

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from perfscale.config import Config
    from perfscale.engine.snapshot import RunCourse, RunSnapshot
    from perfscale.preflight import Plan, Trial
    from perfscale.results import ResultSink, RunResult


class LoadGenerator:
    """Runs the workloads of a file against a cluster.

    Resource handling: an asynchronous context manager. Entering compiles the
    templates and opens the connection, unless an open one was given; leaving
    waits for a run in another task, which is interrupted if it still goes on,
    and closes what it opened. It prints nothing, installs no signal handlers and
    has no global state: several can run side by side in one loop.

    Args:
        config: The workload file.
        cluster: An open cluster, which stays open, or how to open one; None
            finds one as kubectl does.
        run_id: Value of the run's label; None makes a new UUID.
        results: Where the records go; None keeps only the result.
        clock: Monotonic clock, in seconds; for tests.
        options: What is not in the workload file.
    """

    def __init__(
        self,
        config: Config,
        *,
        cluster: Cluster | ClusterOptions | None = None,
        run_id: str | None = None,
        results: ResultSink | None = None,
        clock: Callable[[], float] | None = None,
        options: RunOptions | None = None,
    ) -> None:
        self._options = options or RunOptions()
        self._seed_drawn = config.global_config.seed is None
        self._config = with_seed(without_cleanup(config) if self._options.keep else config)
        self._given = cluster
        self._sink = results
        self._clock = clock or time.monotonic
        self._broadcast = Broadcast()
        self._stack = AsyncExitStack()
        self._run: Run | None = None
        self._plan: Plan | None = None
        self._interrupted_by: int | None = None
        self._is_open = False
        self._runner: asyncio.Task[object] | None = None
        self._ended = asyncio.Event()
        self._shard = WHOLE
        self.run_id = run_id or str(uuid.uuid4())

    @property
    def result(self) -> RunResult | None:
        """What happened, once `run` has ended, however it ended."""
        return self._run.result if self._run is not None else None

    async def __aenter__(self) -> Self:
        """Compile the templates and open the connection.

        Raises:
            TemplateError: A template is wrong; nothing has been sent.
            UsageError: The kubeconfig is wrong.
            ClusterError: There is no way to the cluster.
        """
        defaults = self._options.defaults or TemplateDefaults.from_environment()
        try:
            self._compiled = compile_workloads(
                self._config, run_id=self.run_id, defaults=defaults, shard=self._shard.label
            )
        except TemplateError as error:
            if not self._options.keep:
                raise
            hint = "--keep deletes nothing, so no two iterations may create the same object"
            raise TemplateError(error.problems, hint=error.hint or hint) from error
        if isinstance(self._given, Cluster):
            self._cluster = self._given
        else:
            self._cluster = await self._stack.enter_async_context(
                await open_cluster(self._given or ClusterOptions(), clock=self._clock)
            )
        limits = self._config.global_config
        client = self._cluster.client
        self._meter = RequestMeter.since(time.time() - client.timing.clock())
        self._client = client.limited(RateLimiter(limits.qps, limits.bucket_depth), self._meter)
        self._is_open = True
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close what was opened, and end the event streams, once no run needs them."""
        self._is_open = False
        try:
            await self._outlast_run()
        finally:
            self._broadcast.close()
            await self._stack.aclose()

    async def _outlast_run(self) -> None:
        """Let a run in another task clean up, as where `asyncio.gather` has given up on it.

        A cancellation is a run's second one, and stops it at once.
        """
        runner = self._runner
        if runner is None or runner is asyncio.current_task() or self._ended.is_set():
            return
        self.interrupt()
        try:
            await self._ended.wait()
        except asyncio.CancelledError:
            runner.cancel()
            await self._ended.wait()
            raise

    def events(self) -> EventStream:
        """Progress from now on, as an asynchronous iterator that ends with the run.

        A consumer that is too slow loses the oldest events, and gets their
        number; it never slows the run.
        """
        return self._broadcast.subscribe()

    def snapshot(self) -> RunSnapshot | None:
        """Where the run stands, or stood at its end; None before it has begun.

        It is made of what is counted anyway, however many objects there are.
        """
        return self._run.snapshot() if self._run is not None else None

    def course(self) -> RunCourse | None:
        """What happened so far beside the load; None before the run has begun."""
        return self._run.course() if self._run is not None else None

    async def preflight(self) -> Plan:
        """Check the workloads against the cluster, and the results' folder; creates nothing.

        `run` does it too, if it was not done before.

        Raises:
            PreflightError: Everything that stands in the way, at once: kinds
                that are not installed, missing permissions, namespaces of other
                runs, quotas and limit ranges, results that cannot be written.
            ClusterError: The cluster cannot be reached or refuses the credentials.
            RuntimeError: The generator has not been entered, or was left.
        """
        self._check_open()
        if self._plan is None:
            findings = Findings()
            _try(self._sink, findings)
            self._plan = await preflight(
                self._config,
                self._compiled.factories,
                self._cluster,
                client=self._client,
                run_id=self.run_id,
                findings=findings,
                allow_foreign=self._options.allow_foreign,
            )
        return self._plan

    async def dry_run(self) -> tuple[Trial, ...]:
        """Let the cluster's admission judge what would be created first; stores nothing.

        The first replica of every template is sent with ``dryRun=All``, after
        the preflight. Where its namespace is not there yet, the namespace is
        tried too, and the object is tried in ``default``.

        Raises what `preflight` raises. An object that is refused is in the
        result, with its ``problem``.
        """
        plan = await self.preflight()
        return await Trier(self._client, self._config, self._compiled.factories, plan).run()

    async def run(self) -> RunResult:
        """Run every workload, and clean up as the workload file says.

        One object's failure, a wait that timed out and a cluster that went
        away are in the result, not raised.

        Cancellation stops the load, deletes everything of the run within
        ``options.cleanup_timeout_s``, and is then raised; `result` says what
        happened. A second cancellation stops at once.

        Raises:
            UsageError: The preflight failed, or the results cannot be
                written; nothing was created.
            ClusterError: The cluster could not be reached to begin with.
            RuntimeError: It was run before, or the generator has not been entered, or was left.
        """
        self._check_open()
        if self._runner is not None:
            raise RuntimeError("a LoadGenerator runs once; make another")
        self._runner = asyncio.current_task()
        try:
            self._run = await self._begin()
            return await self._run.execute()
        finally:
            self._broadcast.close()
            self._ended.set()

    def _check_open(self) -> None:
        if not self._is_open:
            raise RuntimeError(
                "a LoadGenerator works inside its context: "
                "async with LoadGenerator(config) as generator: await generator.run()"
            )

    async def _begin(self) -> Run:
        """Everything that comes before the first create."""
        plan = await self.preflight()
        stopwatch = self._stopwatch()  # as near as can be to the wall clock's reading of it
        info = self._describe(plan, stopwatch)
        sink = self._begin_results(info)
        run = self._make_run(
            RunInputs(
                config=self._config,
                factories=self._compiled.factories,
                patches=self._compiled.patches,
                plan=plan,
                info=info,
                client=self._client,
                stopwatch=stopwatch,
                broadcast=self._broadcast,
                sink=sink,
                meter=self._meter,
                options=self._options,
                shard=self._shard,
            )
        )
        self._broadcast.send(RunStarted(self.run_id, plan))
        if self._interrupted_by is not None:
            run.interrupt(self._interrupted_by)
        return run

    def _begin_results(self, info: RunInfo) -> ResultSink | None:
        """Where the run's records go, which takes what is known before the first create."""
        if self._sink is not None:
            self._sink.begin(info)
        return self._sink

    def _stopwatch(self) -> Stopwatch:
        """The run's clock, which starts now."""
        return Stopwatch(self._clock, self._clock())

    def _make_run(self, inputs: RunInputs) -> Run:
        """The run, not begun."""
        return Run(inputs)

    def interrupt(self, signum: int = signal.SIGINT) -> None:
        """Stop creating, delete everything of the run, and let `run` return.

        The result's outcome is ``interrupted``, and its exit code 128 plus the
        signal's number. Before `run` has begun to create, it creates nothing;
        when nothing is left to do but to write the results, it changes nothing.
        """
        self._interrupted_by = signum
        if self._run is not None:
            self._run.interrupt(signum)

    def _describe(self, plan: Plan, stopwatch: Stopwatch) -> RunInfo:
        source = self._config.source
        targets = (each.target for each in plan.operations.values())  # others may have made them
        return RunInfo(
            run_id=self.run_id,
            source=source.name,
            # One generator of several comes to this later than the run has started.
            started_at=datetime.now(UTC) - timedelta(seconds=stopwatch.now()),
            cluster=ClusterInfo(
                plan.context,
                plan.server,
                plan.version,
                plan.nodes,
                plan.kubevirt,
                plan.kubevirt_config,
            ),
            kinds=tuple((resource.api_version, resource.kind) for resource in plan.watched),
            namespaces=_everywhere(plan),
            command=self._options.command,
            seed=self._config.global_config.seed,
            seed_drawn=self._seed_drawn,
            workload_yaml=dump_config(self._config),
            workloads=plan.workloads,
            paths={resource.kind_name: rule_for(resource).path for resource in plan.watched},
            api_versions={each.kind_name: each.api_version for each in (*plan.watched, *targets)},
        )


def _everywhere(plan: Plan) -> tuple[str, ...]:
    """Every namespace of the run; those that templates name are among the places to watch."""
    watched = (place.namespace for place in plan.places if place.namespace is not None)
    own = () if plan.preload is None else (plan.preload.namespace,)
    return tuple(dict.fromkeys((*plan.namespaces, *watched, *own)))


def _try(sink: object, findings: Findings) -> None:
    """Let a sink check beforehand whether it will work, if it can."""
    if isinstance(sink, Checked):
        try:
            sink.check()
        except ResultsError as error:
            findings.add_error(error)


def with_seed(config: Config) -> Config:
    """The same workloads, with a seed, random if the file has none: results are to name it."""
    limits = config.global_config
    if limits.seed is not None:
        return config
    seeded = limits.model_copy(update={"seed": secrets.randbelow(MAX_SEED + 1)})
    return config.model_copy(update={"global_config": seeded})


def without_cleanup(config: Config) -> Config:
    """The same workloads, but nothing of them is ever deleted."""
    workloads = tuple(
        workload.model_copy(update={"iteration_cleanup": False, "iteration_deletion_wait": False})
        for workload in config.workloads
    )
    return config.model_copy(update={"workloads": workloads})
