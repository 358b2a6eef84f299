"""Progress of a run as typed events, to be shown.

Each consumer reads from a bounded queue of its own. One that is too slow loses
the oldest events and gets their number; it never slows the run down.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Self, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perfscale.engine.snapshot import GeneratorState
    from perfscale.preflight import Plan
    from perfscale.results import RunResult

_QUEUE_LENGTH = 1024


class Stage(StrEnum):
    """What a run is doing."""

    PREPARING = "preparing namespaces"
    CREATING = "creating"
    OPERATING = "operating"
    WAITING_READY = "waiting until ready"
    WAITING_DONE = "waiting until done"
    EXAMINING = "looking at slow objects"
    DELETING = "deleting"
    WAITING_GONE = "waiting until gone"
    PULLING_IMAGES = "pulling images"
    RUNNING_HOOK = "running a hook"
    PAUSING = "pausing"
    CLEANING_UP = "cleaning up"


@dataclass(frozen=True, slots=True)
class RunStarted:
    """The preflight has passed; nothing has been created yet."""

    run_id: str
    plan: Plan


@dataclass(frozen=True, slots=True)
class WorkloadStarted:
    """A workload begins; with ``background``, others go on beside it."""

    workload: str
    iterations: int
    operation: str = "create"
    background: bool = False


@dataclass(frozen=True, slots=True)
class IterationStarted:
    """An iteration begins, of so many objects, or of so many operations that create nothing."""

    workload: str
    iteration: int
    requested: int
    operation: str = "create"


@dataclass(frozen=True, slots=True)
class RoundStarted:
    """A round of churn begins, of so many, as far as that is known, and replaces so many."""

    workload: str
    round: int
    rounds: int | None
    replaced: int


@dataclass(frozen=True, slots=True)
class StageStarted:
    """The run turns to something else; ``deadline_s`` is the bound of a wait, in seconds.

    ``round`` is that of churn; None where it is none.
    """

    stage: Stage
    workload: str | None = None
    iteration: int | None = None
    deadline_s: float | None = None
    round: int | None = None


@dataclass(frozen=True, slots=True)
class ObjectFailed:
    """One object will never be ready."""

    kind: str
    namespace: str | None
    name: str
    error: str


@dataclass(frozen=True, slots=True)
class OperationFailed:
    """One operation will never be done; ``name`` is None for what reads a collection."""

    workload: str
    operation: str
    kind: str
    namespace: str | None
    name: str | None
    error: str


@dataclass(frozen=True, slots=True)
class HookStarted:
    """A hook begins; with ``background``, the run goes on beside it.

    ``number`` counts the hooks of the run that have begun. ``workload`` and ``iteration`` are None
    where it is for none.
    """

    number: int
    when: str
    command: tuple[str, ...]
    workload: str | None = None
    iteration: int | None = None
    background: bool = False


@dataclass(frozen=True, slots=True)
class HookFinished:
    """A hook has ended.

    Attributes:
        number: Of the `HookStarted` that it belongs to.
        when: Its moment.
        took_s: For how long it ran.
        exit_code: None where it did not end by itself.
        problem: What went wrong; None if nothing.
    """

    number: int
    when: str
    took_s: float
    exit_code: int | None
    problem: str | None


@dataclass(frozen=True, slots=True)
class Warned:
    """Something that a person should know, and that does not stop the run."""

    message: str


@dataclass(frozen=True, slots=True)
class Progress:
    """Where the run stands; sent a few times a second.

    Attributes:
        elapsed_s: Since the run's start.
        stage: What it is doing.
        workload: The workload it is in; None between workloads.
        iteration: The iteration it is in.
        requested: Objects, or operations, of the current iteration, and likewise below.
        sent: Requests sent for them.
        created: Accepted by the server.
        ready: Seen ready; of operations, done.
        failed: Refused, or failed after creation.
        deleted: Seen gone.
        present_children: Children in the cluster now.
        in_flight: Create requests without an answer yet.
        rate: Creates sent in the last second.
        target: The rate that was asked for; None without a limit.
        phases: How many objects of the run are in each phase now, by
            ``(kind, phase)``; phases without any are left out.
        child_phases: The same of the children.
        ready_p50_s: From the create request to readiness, of the run's objects
            that have got there; within one per cent. None before the first.
        ready_p99_s: The same at the 99th percentile.
        request_errors: Requests that were answered with 5xx or with what is no answer,
            broke, or were not answered in time.
        throttled: Requests that were answered with 429.
        remaining_s: How much longer the stage takes if it goes on as in the
            last seconds; None where nothing can be said.
        round: The round of churn that goes on; None before the first.
        operation: What the workload does.
        open: Operations that are sent, and neither done nor failed.
        effect_p50_s: From the request to its effect, of the workload's operations that are done;
            of those that only an answer is awaited of, to that. Within one per cent; None before
            the first, and of creates.
        effect_p99_s: The same at the 99th percentile.
    """

    elapsed_s: float
    stage: Stage
    workload: str | None
    iteration: int | None
    requested: int
    sent: int
    created: int
    ready: int
    failed: int
    deleted: int
    present_children: int
    in_flight: int
    rate: float
    target: float | None
    phases: Mapping[tuple[str, str], int]
    child_phases: Mapping[tuple[str, str], int]
    ready_p50_s: float | None = None
    ready_p99_s: float | None = None
    request_errors: int = 0
    throttled: int = 0
    remaining_s: float | None = None
    round: int | None = None
    operation: str = "create"
    open: int = 0
    effect_p50_s: float | None = None
    effect_p99_s: float | None = None


@dataclass(frozen=True, slots=True)
class GeneratorsProgress:
    """Where each generator stands, of a run over several; sent every second."""

    generators: tuple[GeneratorState, ...]


@dataclass(frozen=True, slots=True)
class SlowObject:
    """One of those that a wait is waiting for, or the target of an operation that is.

    Attributes:
        kind: CamelCase kind.
        namespace: None for a cluster-scoped object.
        name: Its name.
        phase: The phase it is in, if it has one; of an operation, its last milestone.
        waited_s: Since it was created, or its deletion or the operation was requested.
        in_phase_s: Since it has been seen in its phase; None where it has none.
        detail: Why it is not ready, if its status says so; of an object that
            is being deleted, the finalizers that hold it.
    """

    kind: str
    namespace: str | None
    name: str
    phase: str | None
    waited_s: float
    in_phase_s: float | None
    detail: str | None


@dataclass(frozen=True, slots=True)
class StillWaiting:
    """A wait goes on; sent after ten seconds, twenty, forty, eighty, then every minute.

    Attributes:
        stage: The wait.
        waited_s: Since it began.
        missing: Objects, children, namespaces and operations it waits for.
        phases: How many of them are in each phase, by ``(kind, phase)``; the
            phase is empty where there is none. Of an operation it is its last milestone.
        child_phases: The same of the children that are not ready, where it waits for readiness.
        slowest: The three that it has waited for the longest.
    """

    stage: Stage
    waited_s: float
    missing: int
    phases: Mapping[tuple[str, str], int]
    child_phases: Mapping[tuple[str, str], int]
    slowest: tuple[SlowObject, ...]


@dataclass(frozen=True, slots=True)
class IterationFinished:
    """An iteration is over; ``problems`` is empty if all went well."""

    workload: str
    iteration: int
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RunFinished:
    """The run is over; the last event."""

    result: RunResult


@dataclass(frozen=True, slots=True)
class EventsLost:
    """The consumer was too slow for this many events."""

    count: int


Event: TypeAlias = (
    RunStarted
    | WorkloadStarted
    | IterationStarted
    | RoundStarted
    | StageStarted
    | ObjectFailed
    | OperationFailed
    | HookStarted
    | HookFinished
    | Warned
    | Progress
    | GeneratorsProgress
    | StillWaiting
    | IterationFinished
    | RunFinished
    | EventsLost
)


class EventStream:
    """An async iterator over a run's events; ends after the last.

    Not for several consumers: ask the generator for one each.
    """

    def __init__(self, length: int = _QUEUE_LENGTH) -> None:
        self._events: deque[Event] = deque()
        self._length = length
        self._lost = 0
        self._closed = False
        self._arrived = asyncio.Event()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        """The next event.

        Cancellation loses no event.
        """
        while True:
            if self._lost:
                lost, self._lost = self._lost, 0
                return EventsLost(lost)
            if self._events:
                return self._events.popleft()
            if self._closed:
                raise StopAsyncIteration
            self._arrived.clear()
            await self._arrived.wait()

    def put(self, event: Event) -> None:
        """Add an event; drops the oldest when nobody reads."""
        if len(self._events) >= self._length:
            self._events.popleft()
            self._lost += 1
        self._events.append(event)
        self._arrived.set()

    def close(self) -> None:
        """No more events will come."""
        self._closed = True
        self._arrived.set()


class Broadcast:
    """Sends each event to every stream."""

    def __init__(self) -> None:
        self._streams: list[EventStream] = []
        self._closed = False

    @property
    def has_listeners(self) -> bool:
        """Whether it is worth making an event."""
        return bool(self._streams)

    def subscribe(self) -> EventStream:
        """A new stream, from now on."""
        stream = EventStream()
        if self._closed:
            stream.close()
        else:
            self._streams.append(stream)
        return stream

    def send(self, event: Event) -> None:
        """Put an event on every stream."""
        for stream in self._streams:
            stream.put(event)

    def close(self) -> None:
        """End every stream."""
        self._closed = True
        for stream in self._streams:
            stream.close()
        self._streams.clear()
