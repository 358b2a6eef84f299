"""The generators of a run, as the coordinator sees them: started, heard of, and lost."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from perfscale.engine.concurrency import run_bounded
from perfscale.engine.snapshot import GeneratorState
from perfscale.errors import FleetError, GeneratorLostError
from perfscale.fleet.clocks import RoundTrip, bound_clocks
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
    Start,
)
from perfscale.results import GeneratorRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from perfscale.engine.sharding.coordination import Arrival, Barrier
    from perfscale.engine.stopwatch import Stopwatch
    from perfscale.fleet.messages import ToCoordinator, ToGenerator
    from perfscale.fleet.transport import Connection, GeneratorInputs, Transport
    from perfscale.results import AnyEntry

_log = logging.getLogger(__name__)

SILENT_S: Final = 10.0
"""A generator that is silent for so long is lost."""
SILENT: Final = f"nothing was heard of it for {SILENT_S:g} s"
_OPENING_S: Final = 60.0
"""So long the generators may take to be there: a worker has to import this program."""
_PROBES: Final = 8
_ALONE_S: Final = 0.005
"""For so long a probe is the only one. So answers that come at once, as on one machine, do not wait
for each other, and those that take longer are waited for at the same time."""
_CHECK_S: Final = 1.0


class Listener(Protocol):
    """Who is told what generators send."""

    def take_entries(self, shard: int, entries: Sequence[AnyEntry]) -> None:
        """A generator has published these."""

    def take_arrival(self, shard: int, barrier: Barrier, arrival: Arrival) -> None:
        """A generator waits at a barrier."""

    def take_heartbeat(self) -> None:
        """A generator has said how it is."""

    def take_failure(self, member: Member, error: str, exit_code: int) -> None:
        """A generator cannot go on."""

    def take_error(self, error: Exception) -> None:
        """A generator cannot be started, or what it has sent could not be taken."""

    def take_end(self, member: Member) -> None:
        """Nothing more comes from a generator: it has ended, or is lost."""

    def take_wait(self, seconds: float) -> None:
        """Generators that nobody can reach are waited for, at most so long."""

    def publish_states(self) -> None:
        """Where each generator stands may have changed; called every second."""


@dataclass(slots=True, eq=False)
class Member:
    """One generator.

    Attributes:
        shard: Its index.
        connection: The way to it.
        record: What results say of it.
        heartbeat: The last.
        is_open: Whether it was heard of.
        has_begun: Whether it was let begin: before that it has done nothing to the cluster.
        is_over: Whether nothing more comes from it.
        loss: Why it was lost; None if it was not.
        heard_s: When something was heard of it for the last time, if it is lost.
        ticks: Checks since something was heard of it.
        clocks: Answers to probes, by number: when each came, and what it was.
        offset_s: How far its monotonic clock is ahead of ours.
    """

    shard: int
    connection: Connection
    record: GeneratorRecord
    heartbeat: Heartbeat = field(default_factory=Heartbeat)
    is_open: bool = False
    has_begun: bool = False
    is_over: bool = False
    loss: GeneratorLostError | None = None
    heard_s: float = 0.0
    ticks: int = 0
    clocks: dict[int, tuple[float, Clocks]] = field(default_factory=dict)
    offset_s: float = 0.0

    def send(self, message: ToGenerator) -> None:
        """Send it a message, if it is there."""
        if not self.is_over:
            self.connection.send(message)


class Members:
    """Starts the generators of a run, and listens to them.

    Args:
        transport: What starts them.
        listener: Who is told what they send.
        stopwatch: The run's clock.
        tasks: Where listening goes on.
    """

    def __init__(
        self,
        transport: Transport,
        listener: Listener,
        stopwatch: Stopwatch,
        tasks: asyncio.TaskGroup,
    ) -> None:
        self._transport = transport
        self._listener = listener
        self._stopwatch = stopwatch
        self._tasks = tasks
        self._listening: list[asyncio.Task[None]] = []
        self._heard = asyncio.Event()
        self.all: list[Member] = []

    async def start(self, inputs: Sequence[GeneratorInputs]) -> None:
        """Start all of them at once, compare clocks, and let them begin.

        Raises:
            FleetError: One cannot be started, or is of another version.
            GeneratorLostError: One is lost before it has begun.
        """
        for each in inputs:
            connection = self._transport.start(each)
            record = GeneratorRecord(shard=each.shard.index, name=connection.name)
            member = Member(each.shard.index, connection, record)
            self.all.append(member)
            task = self._tasks.create_task(
                self._listen(member), name=f"perfscale-generator-{member.shard}"
            )
            self._listening.append(task)
        loop = asyncio.get_running_loop()
        until_s, late = loop.time() + _OPENING_S, f"it was not there within {_OPENING_S:g} s"
        for member in self.all:
            await self._until(member, _is_open, until_s, late)
        # Before any of them begins, so that the round trips are short.
        turn = asyncio.Lock()
        compare = (partial(self._compare_clocks, member, turn) for member in self.all)
        await run_bounded(compare, limit=len(self.all))
        for member in self.all:
            member.has_begun = True
            member.send(Start(self._stopwatch.started + member.offset_s))
        self._listening.append(
            self._tasks.create_task(self._watch_silence(), name="perfscale-generators-silence")
        )

    async def _until(
        self, member: Member, condition: Callable[[Member], bool], until_s: float, why: str
    ) -> None:
        """Wait for one of them, until it is lost; ``why`` it is if it takes too long."""
        try:
            async with asyncio.timeout_at(until_s):
                await self._hear(member, condition)
        except TimeoutError:
            self.lose(member, GeneratorLostError(why))
        if member.is_over:
            raise GeneratorLostError(f"{member.record} was lost before it began")

    async def _hear(self, member: Member, condition: Callable[[Member], bool]) -> None:
        """Wait for one of them, until it is over."""
        while not (condition(member) or member.is_over):
            self._heard.clear()
            await self._heard.wait()

    async def _compare_clocks(self, member: Member, turn: asyncio.Lock) -> None:
        """Find out how far its clocks are from ours, from several round trips.

        ``turn`` is the lock that one probe after another takes, of all generators.
        """
        clock, trips = self._stopwatch.clock, []
        for number in range(_PROBES):
            has_answered = partial(_has_answered, number)
            async with turn:
                until_s = asyncio.get_running_loop().time() + SILENT_S
                sent_s, wall_s = clock(), time.time()
                member.send(Probe(number))
                with suppress(TimeoutError):
                    async with asyncio.timeout(_ALONE_S):
                        await self._hear(member, has_answered)
            await self._until(member, has_answered, until_s, SILENT)
            trips.append(RoundTrip(sent_s, wall_s, *member.clocks.pop(number)))
        bounds = bound_clocks(trips)
        member.offset_s = bounds.monotonic_s
        member.record = msgspec.structs.replace(
            member.record,
            clock_low_s=round(bounds.low_s, 6),
            clock_high_s=round(bounds.high_s, 6),
            uncertainty_s=round(bounds.uncertainty_s, 6),
        )

    async def _listen(self, member: Member) -> None:
        try:
            while not member.is_over:
                message = await member.connection.receive()
                self._take(member, message)
                if isinstance(message, Published):
                    # Of one that has much to say the next is there already: others have their turn.
                    await asyncio.sleep(0)
        except GeneratorLostError as error:
            self.lose(member, error)
        except FleetError as error:
            member.is_over = True
            self._listener.take_error(error)
            self._listener.take_end(member)
        except Exception as error:  # noqa: BLE001 -- a bug of ours ends the run, after its cleanup
            self._listener.take_error(error)
            self.lose(member, GeneratorLostError(f"what it sent could not be taken: {error!r}"))

    def _take(self, member: Member, message: ToCoordinator) -> None:
        member.ticks = 0
        listener = self._listener
        match message:
            case Published():
                listener.take_entries(member.shard, message.entries)
            case Arrived():
                listener.take_arrival(member.shard, message.barrier, message.arrival)
            case Heartbeat():
                member.heartbeat = message
                listener.take_heartbeat()
            case Clocks():
                member.clocks[message.n] = (self._stopwatch.clock(), message)
            case Opened():
                self._open(member, message)
            case Failed():
                listener.take_failure(member, message.error, message.exit_code)
            case Ended():
                member.is_over = True
                if message.error is not None:
                    listener.take_failure(member, message.error, message.exit_code)
                listener.take_end(member)
        self._heard.set()

    def _open(self, member: Member, message: Opened) -> None:
        member.is_open = True
        member.record = msgspec.structs.replace(member.record, host=message.host, pid=message.pid)
        ours = version(DISTRIBUTION)
        if message.version != ours:
            text = f"{member.record} has version {message.version}, and this is {ours}"
            self._listener.take_failure(member, text, FleetError.exit_code)

    def lose(self, member: Member, why: GeneratorLostError) -> None:
        """One is not there any more, or is not to be."""
        if member.is_over:
            return
        member.is_over = True
        member.loss = why
        now = self._stopwatch.now()
        member.heard_s = max(0.0, now - member.ticks * _CHECK_S)
        member.record = msgspec.structs.replace(member.record, lost=str(why), lost_s=now)
        _log.info("%s was lost: %s", member.record, why)
        self._listener.take_end(member)
        self._heard.set()

    async def _watch_silence(self) -> None:
        """Count how often nothing was heard of one. Where this loop stands still, nobody counts."""
        while True:
            await asyncio.sleep(_CHECK_S)
            for member in self.all:
                member.ticks += 1
                if member.ticks * _CHECK_S > SILENT_S and not member.is_over:
                    self.lose(member, GeneratorLostError(SILENT))
            self._listener.publish_states()

    @property
    def lost(self) -> list[Member]:
        """Those that were lost so far."""
        return [each for each in self.all if each.loss is not None]

    def states(self) -> tuple[GeneratorState, ...]:
        """Where each of them stands, as it said last."""
        return tuple(
            GeneratorState(
                index=each.shard,
                name=each.record.name,
                rate=each.heartbeat.rate,
                in_flight=each.heartbeat.in_flight,
                lag_s=each.heartbeat.lag_s,
                cpu=each.heartbeat.cpu,
                reconnects=each.heartbeat.reconnects,
                relists=each.heartbeat.relists,
                silent_s=0.0 if each.is_over and each.loss is None else each.ticks * _CHECK_S,
            )
            for each in self.all
        )

    def send_all(self, message: ToGenerator) -> None:
        """Send all of them a message."""
        for member in self.all:
            member.send(message)

    async def dismiss(self) -> set[int]:
        """End those that have not begun, and wait for nothing of theirs; returns who has."""
        idle = [each for each in self.all if not each.has_begun and not each.is_over]
        for member in idle:
            member.is_over = True
        await self.close(idle)
        return {each.shard for each in self.all if each.has_begun}

    async def close(self, members: Iterable[Member]) -> None:
        """Make sure that some of them send nothing more, whatever they do."""
        async with asyncio.TaskGroup() as tasks:
            for member in members:
                tasks.create_task(
                    member.connection.close(self._listener.take_wait),
                    name=f"perfscale-close-{member.shard}",
                )

    async def abandon(self) -> None:
        """Stop all of them at once, whatever they do."""
        for task in self._listening:
            task.cancel()
        for member in self.all:
            member.is_over = True
        await self.close(self.all)

    async def end(self, bound_s: float) -> None:
        """Wait until all have ended; those that do not are lost. None sends anything after that."""
        try:
            async with asyncio.timeout(bound_s):
                while not all(each.is_over for each in self.all):
                    self._heard.clear()
                    await self._heard.wait()
        except TimeoutError:
            for member in self.all:
                self.lose(member, GeneratorLostError(f"it did not end within {bound_s:g} s"))
        finally:
            await self.abandon()


def _is_open(member: Member) -> bool:
    return member.is_open


def _has_answered(number: int, member: Member) -> bool:
    return number in member.clocks
