"""Sends the requests of operations: once, again where a race was lost, or in several parts."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from perfscale.config.operations import Request
from perfscale.engine.load.replacements import check_after, check_before
from perfscale.engine.load.streams import LoadStream
from perfscale.engine.tracking.lookup import find_by_name
from perfscale.engine.tracking.operations.tracked import TrackedOperation
from perfscale.engine.tracking.readiness import AnyObject
from perfscale.errors import (
    AlreadyExistsError,
    ConflictError,
    IllegibleError,
    NotFoundError,
    ServerError,
)
from perfscale.kube.decoding import UNREADABLE, version_number
from perfscale.kube.listing import DEFAULT_PAGE, page_decoder
from perfscale.kube.retrying.retry import Backoff

if TYPE_CHECKING:
    from collections.abc import Callable

    from perfscale.config import Workload
    from perfscale.engine.context import RunContext
    from perfscale.engine.iteration_context import IterationContext
    from perfscale.engine.load.deletions import Deletions
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


class Answer(NamedTuple):
    """When a request was answered, and the version that it has led to, if the answer says."""

    answered_s: float
    version: int = 0


@dataclass(slots=True, eq=False)
class Sending:
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

    def note_deletions(self, note: Callable[[Target], None]) -> None:
        """Note something of each of its targets, where it has been sent to delete them."""
        if self.work.plan.operation.request is Request.DELETE and self.is_sent:
            for target in self.targets:
                note(target)


class OperationSender:
    """Sends the requests of operations, each until it is answered.

    Args:
        context: The run's.
        deletions: What its deletes are about.
    """

    def __init__(self, context: RunContext, deletions: Deletions) -> None:
        self._context = context
        self._deletions = deletions
        self._streams: dict[IterationScope, list[LoadStream]] = {}

    async def send(self, sending: Sending) -> Answer:
        """Send it, and again for as long as it loses races.

        Raises:
            PerfscaleError: It was refused, or not answered.
        """
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

    def _retry(self, sending: Sending, refused: bool) -> None:
        """What follows is not the effect of a request that was refused; of a lost one it may be."""
        if refused:
            for operation in sending.operations:
                sending.work.effects.retry(operation)

    async def _request(self, sending: Sending) -> Answer:
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
            return Answer(self._context.stopwatch.since_start(error.answered_s))
        if names_alone:
            await check_after(work.plan, sending.iteration.client, target)
        version = 0
        if kind in {Request.SCALE, Request.PATCH}:
            version = _version_in(response.body)
        return Answer(self._context.stopwatch.since_start(response.answered_s), version)

    async def _migrate(self, sending: Sending, target: Target, outgoing: Outgoing) -> Answer:
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
            return Answer(context.stopwatch.now())
        operation.made_uid = made.metadata.uid
        return Answer(context.stopwatch.since_start(response.answered_s))

    async def _list(self, sending: Sending, target: Target) -> Answer:
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
                return Answer(self._context.stopwatch.since_start(response.answered_s))
            params["continue"] = page.metadata.continue_

    async def _watch(self, sending: Sending) -> Answer:
        """Open a stream, which stays open until `close_streams`."""
        context = self._context
        (operation,) = sending.operations
        stream = LoadStream(context, sending.iteration.client, sending.work.plan, operation)
        self._note_sent(sending, context.stopwatch.clock())
        self._streams.setdefault(sending.iteration.scope, []).append(stream)
        await stream.open()
        return Answer(context.stopwatch.now())

    def close_streams(self, iteration: IterationContext, work: Work) -> None:
        """Close the streams of an iteration; what they have received is final."""
        for stream in self._streams.pop(iteration.scope, ()):
            stream.close()
            work.effects.finish(stream.operation)

    def _on_sent(self, sending: Sending) -> Callable[[float], None] | None:
        """What notes that the request leaves; None once it has."""
        return None if sending.is_sent else partial(self._note_sent, sending)

    def _note_sent(self, sending: Sending, instant: float) -> None:
        """Before the watches can show anything of what it brings about."""
        context = self._context
        sending.is_sent = True
        now = context.stopwatch.since_start(instant)
        sending.note_deletions(self._deletions.send)
        makes = sending.work.plan.operation.makes
        for operation in sending.operations:
            if makes and operation.row is not None:
                context.tracker.operate(operation.row, operation.operation)
            sending.iteration.scope.sent += 1
            sending.work.effects.send(operation, now)
            context.operation_counter.send(operation)
            context.journal.mark_operation_dirty(operation)


def _version_in(body: bytes) -> int:
    """The resourceVersion of the object in an answer, as a number; 0 where there is none."""
    try:
        return version_number(_OBJECT.decode(body).metadata.resource_version)
    except UNREADABLE:
        return 0
