"""Creates the objects of an iteration, at the workload's rate.

The dispatcher takes a place among the requests in flight, then a token of the
rate limit, and only then starts a task: there are as many tasks as requests in
flight, however many objects there are.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from perfscale.config.labels import carries
from perfscale.engine.load.slots import Slots
from perfscale.engine.tracking.lookup import find_by_name
from perfscale.engine.tracking.readiness import AnyObject, rule_for
from perfscale.errors import (
    AlreadyExistsError,
    ApiError,
    ClusterError,
    ForbiddenError,
    IllegibleError,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from perfscale.engine.context import IterationContext, RunContext
    from perfscale.engine.load.pacing import Pacing
    from perfscale.engine.load.server_warnings import ServerWarnings
    from perfscale.engine.tracking.readiness import Metadata
    from perfscale.engine.tracking.rows import TrackedObject
    from perfscale.errors import PerfscaleError
    from perfscale.kube.resources import Resource

_log = logging.getLogger(__name__)

_SETUP_S = 10.0
"""How long a new namespace may take to get its default service account."""
_SETUP_POLL_S = 0.1
_AT_ONCE = 16
"""Requests that start together where the rate allows: to be woken for each costs the server, and
the kernel that does it, more than the request itself."""


@dataclass(frozen=True, slots=True)
class PlannedObject:
    """One object to create: where, and what to send."""

    resource: Resource
    namespace: str | None
    name: str
    replica: int
    body: bytes


class Creator:
    """Sends the creates of all iterations, which share the bound on requests in flight.

    Args:
        context: The run's.
        warnings: Of what the server warns in its answers.
        delete: Asks an object to go that no cleanup by label finds.
    """

    def __init__(
        self,
        context: RunContext,
        warnings: ServerWarnings,
        delete: Callable[[TrackedObject], Awaitable[None]],
    ) -> None:
        self._context = context
        self._warnings = warnings
        self._delete = delete
        self._slots = asyncio.Semaphore(context.config.global_config.max_in_flight)
        self._decoder = msgspec.json.Decoder(AnyObject)
        self._tasks: set[asyncio.Task[None]] = set()

    async def create(
        self,
        objects: Iterable[PlannedObject],
        iteration: IterationContext,
        *,
        pacing: Pacing,
    ) -> None:
        """Create every object that is due; returns when the last has been answered.

        ``objects`` is consumed as the rate allows, so that a large iteration
        is rendered while it runs. Cancellation stops the dispatching; requests
        in flight go on until `drain`.
        """
        context = self._context
        slots = Slots(*pacing.bounds, self._slots)
        finished = partial(self._finished, iteration, slots)
        due = pacing.due(
            objects,
            context.stopwatch.now,
            lambda planned: iteration.miss(planned.resource.kind_name),
        )
        with context.health.creating(iteration.scope.workload, context.client.stats):
            for number, (planned, due_s) in enumerate(due, start=1):
                # The place comes before the token: one that had to wait for a place would be spent
                # late, and together with those that the limiter gives by then.
                await self._take_slot(iteration, slots, due_s)
                try:
                    await pacing.admit(due_s)
                except BaseException:
                    slots.release()
                    raise
                # The row comes before the request: a watch may show the object before the answer
                # to its create has been read.
                row = self._admit(planned, iteration, due_s)
                task = context.tasks.create_task(
                    self._create(iteration, row, planned.body),
                    name=f"perfscale-create-{planned.name}",
                )
                self._tasks.add(task)
                # Not at the end of the task itself: one that is cancelled before its first step
                # never runs, and would keep its place.
                task.add_done_callback(finished)
                if number % _AT_ONCE == 0:
                    await asyncio.sleep(0)  # let the requests start, and the watches be read
            # Its own alone: another iteration may go on creating for as long as it likes.
            await context.changed.wait_until(lambda: iteration.in_flight == 0)

    def _admit(
        self, planned: PlannedObject, iteration: IterationContext, due_s: float
    ) -> TrackedObject:
        context = self._context
        row = context.tracker.schedule(
            iteration.scope,
            planned.resource,
            planned.namespace,
            planned.name,
            replica=planned.replica,
        )
        iteration.in_flight += 1
        row.scheduled_s = round(due_s, 6)
        row.admitted_s = context.stopwatch.now()
        context.health.admitted(row.admitted_s - due_s)
        return row

    async def _take_slot(self, iteration: IterationContext, slots: Slots, due_s: float) -> None:
        if not slots.are_taken():
            await slots.acquire()
            return
        await slots.acquire()
        iteration.held_back_s += max(0.0, self._context.stopwatch.now() - due_s)

    def _finished(
        self, iteration: IterationContext, slots: Slots, task: asyncio.Task[None]
    ) -> None:
        self._tasks.discard(task)
        slots.release()
        iteration.in_flight -= 1
        self._context.health.finished()
        self._context.changed.notify()

    async def drain(self, grace_s: float) -> None:
        """Let the requests in flight be answered, then give up on the rest.

        A create whose answer nobody waited for might still happen; waiting for
        it is the surest way to know what there is to clean up.
        """
        await self._context.changed.wait_until(lambda: not self._tasks, timeout_s=grace_s)
        self.cancel()
        await self._context.changed.wait_until(lambda: not self._tasks)

    def cancel(self) -> None:
        """Cancel what is still in flight."""
        for task in self._tasks:
            task.cancel()

    async def _create(self, iteration: IterationContext, row: TrackedObject, body: bytes) -> None:
        context = self._context
        rule = rule_for(row.resource)
        try:
            metadata, answered = await self._request(iteration, row, body)
        except ApiError as error:
            context.publish(
                context.tracker.refuse(row, failure_text(error), certain=_is_certain(error))
            )
        except ClusterError as error:
            context.publish(context.tracker.refuse(row, failure_text(error), certain=False))
            context.abort(error)
        except Exception as error:  # noqa: BLE001 -- a bug of ours ends the run, and says so
            context.abort(error)
        else:
            sent_s = row.sent_s or 0.0
            answered_s = context.stopwatch.since_start(answered)
            context.health.answered(
                row.scope.workload, sent_s - (row.admitted_s or sent_s), answered_s - sent_s
            )
            is_labelled = carries(metadata.labels, iteration.labels)  # admission may take them
            context.publish(
                context.tracker.accept(
                    row,
                    metadata,
                    answered_s,
                    is_ready=rule.read is None,
                    is_labelled=is_labelled,
                )
            )
            if not is_labelled:
                await self._delete_unlabelled(row)

    async def _delete_unlabelled(self, row: TrackedObject) -> None:
        try:
            await self._delete(row)
        except ClusterError as error:
            self._context.abort(error)

    async def _request(
        self, iteration: IterationContext, row: TrackedObject, body: bytes
    ) -> tuple[Metadata, float]:
        """The created object's metadata, and when its create was answered."""
        # Stamped where the request leaves, and before the watch can show the object.
        on_sent: Callable[[float], None] | None = partial(self._context.send, row)
        give_up_s = self._context.stopwatch.now() + _SETUP_S
        while True:
            try:
                created, response = await iteration.client.create_and_read(
                    self._decoder, row.resource, row.namespace, body, on_sent=on_sent
                )
            except IllegibleError as error:
                # As after an answer that was lost.
                return await self._look_up(iteration, row, error)
            except AlreadyExistsError as error:
                if error.attempts < 2:
                    raise
                # A create that is sent again may find the object that its first try made.
                return await self._look_up(iteration, row, error)
            except ForbiddenError as error:
                if not _is_being_set_up(error) or self._context.stopwatch.now() > give_up_s:
                    raise
                on_sent = None
                await asyncio.sleep(_SETUP_POLL_S)
            else:
                if response.warning:
                    self._warnings.publish(row, response.warning)
                return created.metadata, response.answered_s

    async def _look_up(
        self, iteration: IterationContext, row: TrackedObject, error: ApiError
    ) -> tuple[Metadata, float]:
        """The object, if it is this run's, although no answer has shown it; else the error."""
        context = self._context
        answered = context.stopwatch.clock()
        metadata = await find_by_name(iteration.client, row.resource, row.namespace, row.name)
        if metadata is None or not carries(metadata.labels, iteration.labels):
            raise error
        return metadata, answered


def _is_certain(error: ApiError) -> bool:
    """Whether the object was not created: no earlier try can have, and nor has this one."""
    return error.attempts == 1 and error.status is not None and 400 <= error.status < 500


def _is_being_set_up(error: ForbiddenError) -> bool:
    """Whether a pod was refused because its namespace is only just being set up.

    The service account admission refuses pods until the namespace's default
    account exists: https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/
    """
    return "error looking up service account" in str(error)


def failure_text(error: PerfscaleError) -> str:
    """One line for a record: the reason, if there is one, and the message."""
    text = " ".join(str(error).split())
    if error.reason and error.reason not in text:
        return f"{error.reason}: {text}"
    return text
