"""Sends operations, and takes what is answered."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from perfscale.config.operations import Request
from perfscale.engine.load.creation import failure_text, is_certain
from perfscale.engine.load.deletions import Deletions
from perfscale.engine.load.replacements import TargetLostError, check_after, check_before
from perfscale.engine.load.streams import LoadStream
from perfscale.engine.tracking.lookup import find_by_name
from perfscale.engine.tracking.operations.judges import REPLACED
from perfscale.engine.tracking.operations.tracked import TrackedOperation
from perfscale.engine.tracking.readiness import AnyObject
from perfscale.errors import (
    AlreadyExistsError,
    ApiError,
    ClusterError,
    ConflictError,
    IllegibleError,
    NotFoundError,
    PerfscaleError,
    ServerError,
    TemplateError,
    WatchError,
)
from perfscale.kube.decoding import UNREADABLE, version_number
from perfscale.kube.listing import DEFAULT_PAGE, page_decoder
from perfscale.kube.retrying.retry import Backoff

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable

    from perfscale.config import Workload
    from perfscale.engine.context import IterationContext, RunContext
    from perfscale.engine.load.dispatching import Dispatcher
    from perfscale.engine.load.pacing import Pacing
    from perfscale.engine.load.requests import Outgoing, RequestBuilder
    from perfscale.engine.load.targets import Target
    from perfscale.engine.tracking.operations.effects import Effects
    from perfscale.engine.tracking.rows import IterationScope
    from perfscale.preflight import OperationPlan

_LOST_RACE: Final = re.compile(
    r"already underway"
    r"|rejected our request due to an error in our request"
    r"|test(ing value)? .*fail"
    r"|test operation does not apply"
    r"|the object has been modified",
    re.IGNORECASE,
)
"""What virt-api answers where another change came between its look at a VM and its JSON patch of
it, or is not through yet; and what an API server answers where an object changed meanwhile. Any
other 409 says that the object is in no state for it."""
_OTHER_UID: Final = ("UID in precondition", "rejected our request due to an error in our request")
"""What an API server answers to a precondition, and to a failed test of a JSON patch."""
_NAME_UID: Final = frozenset({Request.DELETE, Request.SCALE})
"""Requests of which that can only be the UID."""
_RACE_S: Final = 30.0
"""How long a request is sent again that has lost such a race."""
_OBJECT: Final = msgspec.json.Decoder(AnyObject)
_PAGE: Final = page_decoder(msgspec.Raw)


@dataclass(frozen=True, slots=True)
class Work:
    """What is done to what, by one workload.

    Attributes:
        workload: The workload.
        plan: What the preflight found out about it.
        targets: What it is done to, each time that it is its turn: one object, or, with
            ``deleteCollection``, all of a namespace.
        requests: Makes the requests.
        effects: Judges when they are done.
        total: Operations of one pass over the targets, of all shards together.
    """

    workload: Workload
    plan: OperationPlan
    targets: list[tuple[Target, ...]]
    requests: RequestBuilder
    effects: Effects
    total: int

    @property
    def count(self) -> int:
        """Operations of one pass over the targets."""
        return sum(map(len, self.targets))


class _Answer(NamedTuple):
    """When a request was answered, and the version that it has led to, if the answer says."""

    answered_s: float
    version: int = 0


@dataclass(slots=True, eq=False)
class _Sending:
    """One request, and the operations that it is for."""

    iteration: IterationContext
    work: Work
    targets: tuple[Target, ...]
    operations: list[TrackedOperation] = field(default_factory=list)
    is_sent: bool = False

    def track(self, target: Target) -> TrackedOperation:
        """Begin to follow an operation on a target."""
        plan, workload, iteration = self.work.plan, self.work.workload, self.iteration
        operation = TrackedOperation(
            iteration.scope,
            plan.operation.name,
            plan.target,
            target.namespace,
            target.name,
            target.uid,
            row=target.row,
            index=target.index,
            wanted=workload.to,
            volume="" if workload.volume is None else str(workload.volume.get("name", "")),
            collective=workload.delete_collection,
        )
        if plan.operation.request is Request.MIGRATE:
            operation.made_name = self.work.requests.migration_name(target, iteration.number)
        iteration.attempted[plan.target.kind_name] += 1
        iteration.open_operations.add(operation)
        self.operations.append(operation)
        return operation


class Operator:
    """Sends the operations of all iterations.

    Args:
        context: The run's.
        dispatcher: Which starts the requests.

    Attributes:
        deletions: What its deletes are about.
    """

    def __init__(self, context: RunContext, dispatcher: Dispatcher) -> None:
        self._context = context
        self._dispatcher = dispatcher
        self.deletions = Deletions(context)
        self._streams: dict[IterationScope, list[LoadStream]] = {}

    async def operate(
        self,
        targets: Iterable[tuple[Target, ...]],
        work: Work,
        iteration: IterationContext,
        *,
        pacing: Pacing,
    ) -> None:
        """Do it to every target that is due; returns when the last request has been answered.

        Cancellation stops the dispatching; requests in flight go on until the dispatcher's
        `drain`.
        """
        kind = work.plan.target.kind_name
        await self._dispatcher.dispatch(
            targets,
            iteration,
            pacing=pacing,
            start=partial(self._start, iteration, work),
            missed=lambda missed: iteration.missed.update({kind: len(missed)}),
        )

    def _start(
        self, iteration: IterationContext, work: Work, targets: tuple[Target, ...], due_s: float
    ) -> Coroutine[Any, Any, None]:
        context = self._context
        admitted_s = context.stopwatch.now()
        sending = _Sending(iteration, work, targets)
        for target in targets:
            operation = sending.track(target)
            operation.scheduled_s = round(due_s, 6)
            operation.admitted_s = admitted_s
        context.operations += len(targets)
        iteration.in_flight += 1
        context.health.admitted(admitted_s - due_s)
        return self._send(sending)

    async def _send(self, sending: _Sending) -> None:
        context, work = self._context, sending.work
        try:
            answer = await self._answered(sending)
        except ApiError as error:
            sent_s = sending.operations[0].sent_s
            if sent_s is not None:
                context.health.refused(work.workload.name, context.stopwatch.now() - sent_s)
            self._refuse(sending, error)
        except (TargetLostError, TemplateError, WatchError) as error:
            # Of a patch that one target has none of, or of a stream that is the load itself.
            for operation in sending.operations:
                work.effects.refuse(operation, failure_text(error))
        except ClusterError as error:
            context.abort(error)  # whether it was carried out nobody knows: it is unfinished
        except Exception as error:  # noqa: BLE001 -- a bug of ours ends the run, and says so
            context.abort(error)
        else:
            first = sending.operations[0]
            sent_s = first.sent_s or 0.0
            context.health.answered(
                work.workload.name,
                sent_s - (first.admitted_s or sent_s),
                answer.answered_s - sent_s,
            )
            self._note_deletions(sending, self.deletions.accept)
            for operation in sending.operations:
                self._accept(sending, operation, answer)

    def _accept(self, sending: _Sending, operation: TrackedOperation, answer: _Answer) -> None:
        sending.iteration.scope.created += 1
        sending.work.effects.accept(operation, answer.answered_s, version=answer.version)
        self._context.operation_counter.accept(operation)
        self._context.journal.mark_operation_dirty(operation)

    def _refuse(self, sending: _Sending, error: ApiError) -> None:
        deletions = self.deletions
        self._note_deletions(sending, deletions.refuse if is_certain(error) else deletions.accept)
        answered_s = error.answered_s
        if answered_s is not None:
            answered_s = self._context.stopwatch.since_start(answered_s)
        for operation in sending.operations:
            if operation.sent_s is None:  # it never left
                operation.sent_s = answered_s
            if isinstance(error, ConflictError) and error.attempts > 1 and operation.has_effect:
                # An earlier try has done it, whose answer was lost.
                self._accept(sending, operation, _Answer(answered_s or 0.0))
                continue
            sending.work.effects.refuse(operation, _why_refused(sending.work, error))

    async def _answered(self, sending: _Sending) -> _Answer:
        """Send it, and again for as long as it loses races."""
        timing = self._context.client.timing
        until_s = timing.clock() + _RACE_S
        backoff = Backoff(timing.random)
        while True:
            try:
                return await self._request(sending)
            except (ConflictError, ServerError) as error:
                delay_s = min(1.0, backoff.next_s())
                lost = _LOST_RACE.search(str(error)) is not None
                if not lost or timing.clock() + delay_s > until_s:
                    raise
                await timing.sleep(delay_s)
                self._retry(sending, True)

    def _retry(self, sending: _Sending, refused: bool) -> None:
        """What follows is not the effect of a request that was refused; of a lost one it may be."""
        if refused:
            for operation in sending.operations:
                sending.work.effects.retry(operation)

    async def _request(self, sending: _Sending) -> _Answer:
        work, target = sending.work, sending.targets[0]
        kind = work.plan.operation.request
        names_alone = work.plan.operation.names_alone
        if names_alone:
            check_before(work.effects, sending.operations)
        if kind is Request.LIST:
            return await self._list(sending, target)
        if kind is Request.WATCH:
            return await self._watch(sending)
        if kind is Request.DELETE and work.workload.delete_collection:
            outgoing = work.requests.collection(target.namespace)
        else:
            outgoing = work.requests.request(target, sending.iteration.number)
        if kind is Request.MIGRATE:
            return await self._migrate(sending, target, outgoing)
        try:
            response = await sending.iteration.client.send(
                outgoing.method,
                outgoing.path,
                params=outgoing.params,
                body=outgoing.body,
                content_type=outgoing.content_type,
                on_sent=self._on_sent(sending),
                on_retry=partial(self._retry, sending),
            )
        except NotFoundError as error:
            # A delete that is sent again may find that its first try has done it.
            if kind is not Request.DELETE or error.attempts < 2 or error.answered_s is None:
                raise
            return _Answer(self._context.stopwatch.since_start(error.answered_s))
        if names_alone:
            await check_after(work.plan, sending.iteration.client, target)
        version = 0
        if kind in {Request.SCALE, Request.PATCH}:
            version = _version_in(response.body)
        return _Answer(self._context.stopwatch.since_start(response.answered_s), version)

    async def _migrate(self, sending: _Sending, target: Target, outgoing: Outgoing) -> _Answer:
        context, work = self._context, sending.work
        resource, client = work.plan.acts_on, sending.iteration.client
        (operation,) = sending.operations
        try:
            made, response = await client.create_and_read(
                _OBJECT,
                resource,
                target.namespace,
                outgoing.body or b"",
                on_sent=self._on_sent(sending),
            )
        except (AlreadyExistsError, IllegibleError) as error:
            if isinstance(error, AlreadyExistsError) and error.attempts < 2:
                raise
            # A create that is sent again may find the migration that its first try made; and one
            # whose answer cannot be read may have made it.
            name = work.requests.migration_name(target, sending.iteration.number)
            found = await find_by_name(client, resource, target.namespace, name)
            if found is None:
                raise
            operation.made_uid = found.uid
            return _Answer(context.stopwatch.now())
        operation.made_uid = made.metadata.uid
        return _Answer(context.stopwatch.since_start(response.answered_s))

    async def _list(self, sending: _Sending, target: Target) -> _Answer:
        """Read a whole collection, in pages as clients do."""
        plan, client = sending.work.plan, sending.iteration.client
        params: dict[str, str | int] = {"limit": DEFAULT_PAGE}
        if plan.selector:
            params["labelSelector"] = plan.selector
        path = plan.acts_on.path(target.namespace)
        while True:
            page, response = await client.list_and_read(
                _PAGE, path, params, on_sent=self._on_sent(sending)
            )
            if not page.metadata.continue_:
                return _Answer(self._context.stopwatch.since_start(response.answered_s))
            params["continue"] = page.metadata.continue_

    async def _watch(self, sending: _Sending) -> _Answer:
        """Open a stream, which stays open until `close_streams`."""
        context = self._context
        (operation,) = sending.operations
        stream = LoadStream(context, sending.iteration.client, sending.work.plan, operation)
        self._note_sent(sending, context.stopwatch.clock())
        self._streams.setdefault(sending.iteration.scope, []).append(stream)
        await stream.open()
        return _Answer(context.stopwatch.now())

    def close_streams(self, iteration: IterationContext, work: Work) -> None:
        """Close the streams of an iteration; what they have received is final."""
        for stream in self._streams.pop(iteration.scope, ()):
            stream.close()
            work.effects.finish(stream.operation)

    def _on_sent(self, sending: _Sending) -> Callable[[float], None] | None:
        """What notes that the request leaves; None once it has."""
        return None if sending.is_sent else partial(self._note_sent, sending)

    def _note_sent(self, sending: _Sending, instant: float) -> None:
        """Before the watches can show anything of what it brings about."""
        context = self._context
        sending.is_sent = True
        now = context.stopwatch.since_start(instant)
        self._note_deletions(sending, self.deletions.send)
        makes = sending.work.plan.operation.makes
        for operation in sending.operations:
            if makes and operation.row is not None:
                context.tracker.operate(operation.row, operation.operation)
            sending.iteration.scope.sent += 1
            sending.work.effects.send(operation, now)
            context.operation_counter.send(operation)
            context.journal.mark_operation_dirty(operation)

    @staticmethod
    def _note_deletions(sending: _Sending, note: Callable[[Target], None]) -> None:
        if sending.work.plan.operation.request is Request.DELETE and sending.is_sent:
            for target in sending.targets:
                note(target)


def _why_refused(work: Work, error: PerfscaleError) -> str:
    text = failure_text(error)
    if work.plan.operation.request in _NAME_UID and any(each in text for each in _OTHER_UID):
        return f"{REPLACED}: {text}"
    if not isinstance(error, NotFoundError):
        return text
    if work.plan.acts_on.plural != work.plan.target.plural:
        return f"it has no instance: {text}"
    return f"it was gone when its turn came: {text}"


def _version_in(body: bytes) -> int:
    """The resourceVersion of the object in an answer, as a number; 0 where there is none."""
    try:
        return version_number(_OBJECT.decode(body).metadata.resource_version)
    except UNREADABLE:
        return 0
