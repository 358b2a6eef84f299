"""One generator of several: what runs in another process, or on another machine."""

from __future__ import annotations

import asyncio
import os
import platform
import resource
import signal
import time
from importlib.metadata import version
from typing import TYPE_CHECKING, Final

from perfscale.engine.concurrency import first_error
from perfscale.engine.events import Stage
from perfscale.engine.generator import LoadGenerator
from perfscale.engine.removal.ending import drain_grace_s
from perfscale.engine.run import Run
from perfscale.engine.sharding.coordination import Moment, Release
from perfscale.engine.stopwatch import Stopwatch
from perfscale.errors import GeneratorLostError, PerfscaleError
from perfscale.fleet.elsewhere import CleanupElsewhere, NoNamespaces
from perfscale.fleet.messages import (
    DISTRIBUTION,
    Arrived,
    Clocks,
    Ended,
    Failed,
    Heartbeat,
    Opened,
    Probe,
    Published,
    Released,
    Start,
    Stop,
)
from perfscale.fleet.share import plan_of, share_of
from perfscale.results import TotalsEntry

if TYPE_CHECKING:
    from collections.abc import Iterable

    from perfscale.engine.accounting.journal_feed import JournalFeed
    from perfscale.engine.inputs import RunInputs
    from perfscale.engine.removal.namespaces import RunNamespaces
    from perfscale.engine.sharding.coordination import Arrival, Barrier, Coordination
    from perfscale.engine.sharding.shard import Shard
    from perfscale.fleet.messages import ToGenerator
    from perfscale.fleet.transport import GeneratorEnd, GeneratorInputs
    from perfscale.preflight import Plan
    from perfscale.results import AnyEntry, ObjectRecord, OperationRecord, RunInfo, RunResult

HEARTBEAT_S: Final = 1.0
_PATIENCE_S: Final = 10.0
"""The coordinator bounds the cleanup; a generator waits for so much longer before it ends alone."""


async def run_generator(inputs: GeneratorInputs, end: GeneratorEnd) -> None:
    """Be one generator, from its first message to its last.

    What goes wrong is sent to the coordinator, and not raised. Where the coordinator is lost, the
    load stops, and what this generator has made is deleted. Cancellation does the same within the
    bound of the cleanup, and is then raised.
    """
    try:
        result = await _run(inputs, end)
    except Exception as error:  # noqa: BLE001 -- the coordinator ends the run with it
        end.send(Ended(str(error) or repr(error), _exit_code(error)))
        return
    failure = result.error
    end.send(Ended(None if failure is None else str(failure), _exit_code(failure)))


async def _run(inputs: GeneratorInputs, end: GeneratorEnd) -> RunResult:
    try:
        return await _generate(inputs, end)
    except BaseExceptionGroup as group:
        raise first_error(group) from None


async def _generate(inputs: GeneratorInputs, end: GeneratorEnd) -> RunResult:
    async with PartGenerator(inputs, end) as generator, asyncio.TaskGroup() as tasks:
        end.send(Opened(platform.node(), os.getpid(), version(DISTRIBUTION)))
        helpers = [
            tasks.create_task(generator.listen(), name="perfscale-fleet-listen"),
            tasks.create_task(generator.beat(), name="perfscale-fleet-beat"),
        ]
        try:
            return await generator.run()
        finally:
            for helper in helpers:
                helper.cancel()


def _exit_code(error: BaseException | None) -> int:
    if error is None:
        return 0
    return error.exit_code if isinstance(error, PerfscaleError) else 70


class PartGenerator(LoadGenerator):
    """A `LoadGenerator` that has a share of a run.

    Args:
        inputs: What it is to do.
        end: The way to the coordinator.
    """

    def __init__(self, inputs: GeneratorInputs, end: GeneratorEnd) -> None:
        self._link = Link(inputs.shard, end)
        super().__init__(
            share_of(inputs.config, inputs.shard),
            cluster=inputs.cluster,
            run_id=inputs.run_id,
            results=self._link,
            options=inputs.options,
        )
        self._shard = inputs.shard
        self._plan = plan_of(inputs.plan, inputs.shard)
        self._end = end
        self._started = asyncio.get_running_loop().create_future()

    async def listen(self) -> None:
        """Take what the coordinator sends, until it is cancelled or the coordinator is lost."""
        try:
            while True:
                self._take(await self._end.receive())
        except GeneratorLostError as error:
            self._link.lose()
            self._refuse_to_start(str(error))
            self.interrupt(signal.SIGTERM)

    def _take(self, message: ToGenerator) -> None:
        match message:
            case Probe():
                self._end.send(Clocks(message.n, self._clock(), time.time()))
            case Start():
                if not self._started.done():
                    self._started.set_result(message.started_s)
            case Released():
                self._link.release(message.barrier, message.release)
            case Stop():
                self._refuse_to_start("it was stopped before it started")
                self.interrupt(message.signum)

    def _refuse_to_start(self, why: str) -> None:
        if not self._started.done():
            self._started.set_exception(GeneratorLostError(why))

    async def beat(self) -> None:
        """Show that the loop goes on."""
        cpu_s = _cpu_s()
        while True:
            since_s = self._clock()
            await asyncio.sleep(HEARTBEAT_S)
            took_s = self._clock() - since_s
            before_s, cpu_s = cpu_s, _cpu_s()
            snapshot = self.snapshot()
            self._end.send(
                Heartbeat(
                    rate=0.0 if snapshot is None else snapshot.rate,
                    in_flight=0 if snapshot is None else snapshot.in_flight,
                    lag_s=max(0.0, took_s - HEARTBEAT_S),
                    cpu=(cpu_s - before_s) / took_s if took_s else 0.0,
                    reconnects=0 if snapshot is None else snapshot.watch.reconnects,
                    relists=0 if snapshot is None else snapshot.watch.relists,
                )
            )

    async def preflight(self) -> Plan:
        """What the coordinator's preflight found; waits until the run starts.

        Raises:
            GeneratorLostError: The coordinator is lost before that.
        """
        await self._started
        assert self._plan is not None  # noqa: S101 -- it was given
        return self._plan

    def _stopwatch(self) -> Stopwatch:
        return Stopwatch(self._clock, self._started.result())

    def _make_run(self, inputs: RunInputs) -> Run:
        return GeneratorRun(inputs, self._link)


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


class Link:
    """What a generator's run is given of its connection: barriers, and a sink that publishes.

    Attributes:
        shard: Of the generator.
        is_lost: Whether the coordinator is not there any more.
    """

    def __init__(self, shard: Shard, end: GeneratorEnd) -> None:
        self.shard = shard
        self.is_lost = False
        self._end = end
        self._waiting: dict[Barrier, asyncio.Future[Release]] = {}
        self._entries: list[AnyEntry] = []

    # -- barriers ------------------------------------------------------------

    async def reach(self, barrier: Barrier, arrival: Arrival) -> Release:
        """Wait at a barrier; see `Coordination`. Without a coordinator, nobody is waited for."""
        self.flush()
        if self.is_lost:
            return Release((arrival,) * self.shard.count, arrival.well)
        released: asyncio.Future[Release] = asyncio.get_running_loop().create_future()
        self._waiting[barrier] = released
        self._end.send(Arrived(barrier, arrival))
        try:
            return await released
        finally:
            if self._waiting.get(barrier) is released:
                del self._waiting[barrier]

    def release(self, barrier: Barrier, release: Release) -> None:
        """Go on from a barrier, unless it was given up."""
        waiting = self._waiting.get(barrier)
        if waiting is not None and not waiting.done():
            waiting.set_result(release)

    def lose(self) -> None:
        """The coordinator is not there any more."""
        self.is_lost = True
        for barrier, waiting in self._waiting.items():
            if barrier.moment in {Moment.DRAINED, Moment.REMOVED} and not waiting.done():
                waiting.set_result(Release())

    def fail(self, error: BaseException) -> None:
        """The run cannot go on."""
        self.flush()
        self._end.send(Failed(str(error), _exit_code(error)))

    # -- the sink --------------------------------------------------------------

    def begin(self, info: RunInfo) -> None:
        """The coordinator has its own."""

    def note(self, entry: AnyEntry) -> None:
        """Publish an entry, with those that come in the same moment."""
        if not self._entries:
            asyncio.get_running_loop().call_soon(self.flush)
        self._entries.append(entry)

    def flush(self) -> None:
        """Send what has gathered."""
        if self._entries:
            entries, self._entries = self._entries, []
            self._end.send(Published(entries))

    def record(self, objects: Iterable[ObjectRecord], *, children: bool = False) -> None:
        """The coordinator makes records from entries."""

    def record_operations(self, operations: Iterable[OperationRecord]) -> None:
        """The same."""

    def finish(self, result: RunResult) -> None:
        """The coordinator makes the results."""


class GeneratorRun(Run):
    """The run of one generator of several: what is done once is left to the coordinator."""

    def __init__(self, inputs: RunInputs, link: Link) -> None:
        super().__init__(inputs)
        self._link = link

    def _make_namespaces(self) -> RunNamespaces:
        return NoNamespaces(self._context)

    def _coordinate(self) -> Coordination:
        return _Flushed(self._link, self._context.journal)

    async def _preload(self) -> None:
        pass

    def _abort(self, error: BaseException) -> None:
        if self._error is None:
            self._link.fail(error)
        super()._abort(error)

    async def _clean_up(self) -> None:
        """Let what is in flight be answered, and follow how the coordinator deletes everything."""
        context, options = self._context, self._inputs.options
        self._progress.enter(Stage.CLEANING_UP)
        cleanup = CleanupElsewhere(context, self._namespaces, self._drain, self._link)
        try:
            await cleanup.run(options.cleanup_timeout_s + _PATIENCE_S, keep=options.keep)
            if options.keep:
                await context.reach(Moment.DRAINED)
        finally:
            self._removed = cleanup.complete

    async def _drain(self, grace_s: float) -> None:
        """Give up on what is in flight before the coordinator gives up on this generator."""
        bound_s = self._inputs.options.cleanup_timeout_s
        await super()._drain(min(grace_s, drain_grace_s(bound_s)))

    def _conclude(self, *, remains: bool) -> RunResult:
        result = super()._conclude(remains=remains)
        now = self._context.stopwatch.now()
        totals = TotalsEntry(now, self._totals(), self._inputs.shard.index)
        self._context.journal.append(totals)
        self._link.flush()
        return result


class _Flushed:
    """Comes to barriers when all that has happened before is published."""

    def __init__(self, link: Link, journal: JournalFeed) -> None:
        self.shard = link.shard
        self._link = link
        self._journal = journal

    async def reach(self, barrier: Barrier, arrival: Arrival) -> Release:
        await self._journal.flush()
        return await self._link.reach(barrier, arrival)
