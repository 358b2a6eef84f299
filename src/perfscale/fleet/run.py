"""The coordinator's run: the flow of a run of one, without a load, and with generators.

At each barrier it is the last to come, does what is to be done once, and lets everybody go on.
What the generators publish is counted and written as it comes.
"""

from __future__ import annotations

import asyncio
import signal
from dataclasses import dataclass, replace
from math import ceil
from typing import TYPE_CHECKING, Final

from msgspec import structs, to_builtins

from perfscale.config.sections.hooks import AFTER_CREATION
from perfscale.engine.conclusion import Summed
from perfscale.engine.events import GeneratorsProgress, Warned
from perfscale.engine.run import Run
from perfscale.engine.sharding.coordination import Barrier, Moment, Release
from perfscale.engine.sharding.shard import Shard
from perfscale.engine.waits import Signal
from perfscale.errors import GeneratorLostError, PerfscaleError, SchedulerLostError
from perfscale.fleet.meeting import Meeting
from perfscale.fleet.members import Members
from perfscale.fleet.messages import Released, Stop
from perfscale.fleet.published.accounting import MergedAccounting
from perfscale.fleet.published.cleanup import LossyCleanup
from perfscale.fleet.published.counting import MergedCounts
from perfscale.fleet.published.losses import Losses
from perfscale.fleet.published.progress import MergedProgress
from perfscale.fleet.published.thresholds import MergedThresholds
from perfscale.fleet.transport import GeneratorInputs
from perfscale.results import (
    Course,
    GeneratorEntry,
    TotalsEntry,
    WarningEntry,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perfscale.engine.accounting.progress import ProgressPublisher
    from perfscale.engine.accounting.run_accounting import RunAccounting
    from perfscale.engine.inputs import RunInputs
    from perfscale.engine.removal.ending import FinalCleanup
    from perfscale.engine.sharding.coordination import Arrival, Coordination
    from perfscale.engine.snapshot import RunCourse, RunSnapshot
    from perfscale.errors import ThresholdError
    from perfscale.fleet.members import Member
    from perfscale.fleet.published.merging import MergedSink
    from perfscale.fleet.transport import Transport
    from perfscale.kube.cluster import Cluster, ClusterOptions
    from perfscale.results import AnyEntry, Totals

_SPARE_S: Final = 5.0
"""So much longer than its own bound a generator may take to let its requests be answered."""
_ENDING_S: Final = 30.0
"""How long generators may take to publish their last, when everything is deleted."""


@dataclass(frozen=True, slots=True)
class Crew:
    """Who generates the load.

    Attributes:
        transport: What starts them.
        count: How many.
        cluster: As they are given it.
    """

    transport: Transport
    count: int
    cluster: Cluster | ClusterOptions | None


class RemoteError(PerfscaleError):
    """What ended a generator early, in its own words."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code  # type: ignore[misc]  # that of its own error


class CoordinatorRun(Run):
    """A run of several generators.

    Args:
        inputs: What it is given.
        crew: Who generates the load.
        sink: Where entries are put together.
    """

    def __init__(self, inputs: RunInputs, crew: Crew, sink: MergedSink) -> None:
        super().__init__(inputs)
        self._crew = crew
        self._sink = sink
        self._meeting = Meeting(crew.count)
        self._arrived = Signal()
        self._is_cleaned_up = False
        self._reasons: set[str] = set()
        self._is_waiting = False

    # -- scopes ---------------------------------------------------------------

    def _assemble(self, tasks: asyncio.TaskGroup) -> None:
        super()._assemble(tasks)
        context = self._context
        self._sink.on_failure = self._lose_records
        info, replay = self._inputs.info, self._sink.replay
        self._thresholds = MergedThresholds(
            self._inputs.config, info.workloads, replay, self._crew.count
        )
        self._members = Members(self._crew.transport, self, context.stopwatch, tasks)
        self._losses = Losses(context, replay, self._members, self._take, self._has_begun)

    def _make_accounting(self) -> RunAccounting:
        self._merged = MergedAccounting(self._context, self._sink.replay)
        return self._merged

    def _make_progress(self) -> ProgressPublisher:
        context = self._context
        self._counts = MergedCounts(context, self._sink.replay)
        return MergedProgress(
            context, lambda: self._namespaces.leaving, self._merged.requests, self._counts
        )

    def _totals(self) -> Totals:
        """What the coordinator itself has counted."""
        own = to_builtins(self._merged.own_requests())
        return structs.replace(super()._totals(), requests=own)

    def _coordinate(self) -> Coordination:
        return self

    @property
    def shard(self) -> Shard:
        """None of the load."""
        return self._inputs.shard

    async def _supervise(self, tasks: asyncio.TaskGroup) -> None:
        try:
            await super()._supervise(tasks)
        except asyncio.CancelledError:
            if not self._is_cleaned_up:  # the second one: nothing is waited for
                await self._members.abandon()
                raise
            await self._end()
            raise
        self._over = True  # nothing is left to do but to write down what there is
        await self._end()

    async def _end(self) -> None:
        """Let the generators publish their last."""
        self._release(Barrier(Moment.REMOVED), Release())
        await self._members.end(self._inputs.options.cleanup_timeout_s + _ENDING_S)

    async def _load(self) -> None:
        inputs, crew = self._inputs, self._crew
        options = replace(inputs.options, max_failures=None)
        await self._members.start(
            [
                GeneratorInputs(
                    run_id=inputs.info.run_id,
                    shard=Shard(index, crew.count),
                    config=inputs.config,
                    plan=inputs.plan,
                    options=options,
                    cluster=crew.cluster,
                )
                for index in range(crew.count)
            ]
        )
        for member in self._members.all:
            self._context.journal.append(GeneratorEntry(member.record))
        await super()._load()

    # -- barriers -------------------------------------------------------------

    async def reach(self, barrier: Barrier, arrival: Arrival) -> Release:
        """Wait for all generators, do what is to be done once, and let them go on."""
        known = self._meeting.known_release(barrier)
        if known is not None:
            return known
        await self._arrived.wait_until(lambda: not self._meeting.missing(barrier))
        await self._call_hooks(barrier)
        if barrier.moment == Moment.LOAD_OVER:
            await self._losses.look()
        if self._begins_load_that_ends(barrier):
            # What the generators ask for has come by now, and stands nowhere else.
            await self._context.journal.written()
        now = self._context.stopwatch.now()
        release = structs.replace(self._meeting.release_of(barrier, arrival), at_s=now)
        if barrier.moment in {Moment.GONE, Moment.ROUND_DELETED} and not release.well:
            self._losses.overdue.add(barrier.workload or "")
        if barrier.moment in {AFTER_CREATION, Moment.SENT}:
            self._counts.end_load(barrier, sum(release.counts))
        self._release(barrier, release)
        return release

    def _has_begun(self, workload: str, iteration: int) -> bool:
        """Whether generators could begin to send the operations of an iteration."""
        return self._meeting.has_passed(Barrier(Moment.LOAD.value, workload, iteration))

    def _begins_load_that_ends(self, barrier: Barrier) -> bool:
        """Whether a load begins after a barrier that ends by its time."""
        return barrier.moment in {Moment.NAMESPACES, Moment.LOAD} and any(
            each.ends and (each.workload.name, each.number) == (barrier.workload, barrier.iteration)
            for each in self._context.iterations.values()
        )

    def _release(self, barrier: Barrier, release: Release) -> None:
        for shard in self._meeting.release(barrier, release):
            self._members.all[shard].send(Released(barrier, release))
        self._release_overdue()

    def _release_overdue(self) -> None:
        """Let those go on for whom the coordinator was there before, or will not come."""
        for barrier, release in list(self._meeting.overdue()):
            for shard in self._meeting.release(barrier, release):
                self._members.all[shard].send(Released(barrier, release))

    # -- what generators send ----------------------------------------------------

    def take_entries(self, shard: int, entries: Sequence[AnyEntry]) -> None:
        """A generator has published these: count them, and write them down."""
        take = self._take if self._thresholds.is_empty else self._take_for_thresholds
        for entry in self._sink.select(shard, entries):
            if isinstance(entry, WarningEntry):
                self._context.broadcast.send(Warned(entry.message))
            take(entry)
        self._losses.published.notify()

    def _take(self, entry: AnyEntry) -> None:
        self._counts.count(entry, self._context.journal.append)

    def _take_for_thresholds(self, entry: AnyEntry) -> None:
        self._thresholds.prepare(entry)
        self._take(entry)
        self._thresholds.take(entry)

    def take_arrival(self, shard: int, barrier: Barrier, arrival: Arrival) -> None:
        """A generator waits at a barrier."""
        self._meeting.arrive(shard, barrier, arrival)
        self._arrived.notify()
        self._release_overdue()

    def take_failure(self, member: Member, error: str, exit_code: int) -> None:
        """A generator cannot go on, and neither can the run."""
        self._abort(RemoteError(f"{member.record}: {error}", exit_code))

    def take_error(self, error: Exception) -> None:
        """A generator cannot be started, or what it has sent could not be taken."""
        self._abort(error)

    def take_end(self, member: Member) -> None:
        """Nothing more comes from a generator; one that was lost takes the run with it."""
        self._meeting.leave(member.shard)
        if member.loss is not None:
            self._context.journal.append(GeneratorEntry(member.record))
            self._take_loss(member, member.loss)
        self._arrived.notify()
        self._release_overdue()

    def _take_loss(self, member: Member, loss: GeneratorLostError) -> None:
        if not isinstance(loss, SchedulerLostError):
            loss = GeneratorLostError(f"{member.record} was lost: {loss}")
        if str(loss) not in self._reasons:  # all of them may be lost for one
            self._reasons.add(str(loss))
            self._context.warn(str(loss))
        self._abort(loss)

    def take_wait(self, seconds: float) -> None:
        """Generators that nobody can reach are waited for: the cleanup seems to stand still."""
        if not self._is_waiting:
            self._is_waiting = True
            self._context.warn(
                "a generator that nobody can reach ends by itself: the cleanup waits for that, for "
                f"{ceil(seconds)} s at most"
            )

    def publish_states(self) -> None:
        """Where each generator stands may have changed."""
        self._inputs.broadcast.send(GeneratorsProgress(self._members.states()))

    def snapshot(self) -> RunSnapshot:
        """Where it stands, with each of its generators."""
        totals = self._sink.replay.course.totals
        return replace(super().snapshot(), watch=totals.watch, generators=self._members.states())

    def course(self) -> RunCourse:
        """What happened so far beside the load, as far as the generators have said."""
        course = self._sink.replay.course
        known = replace(super().course(), attribution=course.attribution)
        if self.result is not None:
            return known
        return replace(known, outages=course.outages, blind_spans=tuple(course.blind))

    def _lose_records(self, error: OSError) -> None:
        self._context.warn(f"the objects' records could not be written: {error}")

    def take_heartbeat(self) -> None:
        """A generator has said how it is."""
        in_flight = sum(each.heartbeat.in_flight for each in self._members.all)
        self._context.health.in_flight = in_flight

    # -- the end --------------------------------------------------------------

    def _check_thresholds(self) -> ThresholdError | None:
        self._accounting.count_calls()
        return self._thresholds.check(self._context.stopwatch.now())

    async def _drain(self, grace_s: float) -> None:
        """Let the requests of all generators be answered; find what a lost one has left."""
        begun = await self._members.dismiss()
        for shard in set(range(self._crew.count)) - begun:
            self._meeting.leave(shard)  # the run has ended while its generators were started
        if self._error is not None or self._interrupted_by is not None:
            self._members.send_all(Stop(self._interrupted_by or signal.SIGTERM))
        drained = Barrier(Moment.DRAINED)
        if self._meeting.known_release(drained) is None:
            await self._arrived.wait_until(
                lambda: not self._meeting.missing(drained), timeout_s=grace_s + _SPARE_S
            )
            for shard in self._meeting.missing(drained):
                why = GeneratorLostError(f"it did not stop within {grace_s + _SPARE_S:g} s")
                self._members.lose(self._members.all[shard], why)
        await super()._drain(grace_s)
        await self._members.close(self._members.lost)  # before it is counted what they have left
        await self._losses.search()
        self._release(drained, Release())

    def _make_cleanup(self) -> FinalCleanup:
        return LossyCleanup(self._context, self._namespaces, self._drain, self._losses)

    async def _clean_up(self) -> None:
        await super()._clean_up()
        self._losses.note_blind()
        self._is_cleaned_up = True
        self._release(Barrier(Moment.REMOVED), Release())

    def _something_remains(self) -> bool:
        replay = self._sink.replay
        ended_early = self._error is not None or self._interrupted_by is not None
        begun = any(each.has_begun for each in self._members.all)
        if ended_early and not self._removed and begun:
            return True  # generators may have made more than they have said
        if self._removed and self._members.lost:
            # What became of a create of theirs nobody knows; the cleanup has left nothing of it.
            return super()._something_remains()
        return replay.is_anything_present() or super()._something_remains()

    def _sum_up(self, totals: Totals) -> Summed:
        context, replay = self._context, self._sink.replay
        self._accounting.close()
        context.journal.append(TotalsEntry(context.stopwatch.now(), totals, self.shard.index))
        replay.close()
        course = replay.course
        return Summed(
            replay.run_tally.close(),
            course.totals,
            Course(
                course.outages,
                course.blind,
                self._hooks.records,
                context.stages,
                course.attribution,
            ),
            course.generators,
        )
