"""Creates the objects of an iteration."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from perfscale.config.labels import carries
from perfscale.engine.tracking.lookup import find_by_name
from perfscale.engine.tracking.readiness import AnyObject, is_created_ready
from perfscale.errors import (
    AlreadyExistsError,
    ApiError,
    ClusterError,
    ForbiddenError,
    IllegibleError,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence

    from perfscale.engine.context import RunContext
    from perfscale.engine.iteration_context import IterationContext
    from perfscale.engine.load.dispatching import Dispatcher
    from perfscale.engine.load.pacing import Pacing
    from perfscale.engine.load.server_warnings import ServerWarnings
    from perfscale.engine.tracking.readiness import Expectation, Metadata
    from perfscale.engine.tracking.rows import TrackedObject
    from perfscale.errors import PerfscaleError
    from perfscale.kube.resources import Resource
    from perfscale.templates import ObjectRequest

_log = logging.getLogger(__name__)

_SETUP_S = 10.0
"""How long a new namespace may take to get its default service account."""
_SETUP_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class PlannedObject:
    """One object to create: where, what to send, and what is expected of it.

    ``entry`` is the position of its template in the iteration, ``round`` that of churn, if any.
    """

    resource: Resource
    namespace: str | None
    name: str
    replica: int
    body: bytes
    expected: Expectation | None = None
    entry: int = 0
    round: int | None = None


def planned_objects(
    default: str,
    entry: int,
    replica: int,
    resources: Sequence[Resource],
    requests: Sequence[ObjectRequest],
    expected: Expectation | None,
    round_number: int | None,
) -> list[PlannedObject]:
    """The objects of one replica of a template, which renders to ``requests``.

    ``default`` is the namespace of those that name none.
    """
    return [
        PlannedObject(
            resource,
            (request.namespace or default) if resource.namespaced else None,
            request.name,
            replica,
            request.body,
            expected,
            entry,
            round_number,
        )
        for resource, request in zip(resources, requests, strict=True)
    ]


class Creator:
    """Sends the creates of all iterations.

    Args:
        context: The run's.
        dispatcher: Which starts the requests.
        warnings: Of what the server warns in its answers.
        delete: Asks an object to go that no cleanup by label finds.
    """

    def __init__(
        self,
        context: RunContext,
        dispatcher: Dispatcher,
        warnings: ServerWarnings,
        delete: Callable[[TrackedObject], Awaitable[None]],
    ) -> None:
        self._context = context
        self._dispatcher = dispatcher
        self._warnings = warnings
        self._delete = delete
        self._decoder = msgspec.json.Decoder(AnyObject)

    async def create(
        self, objects: Iterable[PlannedObject], iteration: IterationContext, *, pacing: Pacing
    ) -> None:
        """Create every object that is due; returns when the last has been answered.

        Cancellation stops the dispatching; requests in flight go on until the dispatcher's
        `drain`.
        """
        await self._dispatcher.dispatch(
            objects,
            iteration,
            pacing=pacing,
            start=partial(self._start, iteration),
            missed=lambda planned: iteration.miss(planned.resource.kind_name),
        )

    def _start(
        self, iteration: IterationContext, planned: PlannedObject, due_s: float
    ) -> Coroutine[Any, Any, None]:
        # The row comes before the request: a watch may show the object before the answer
        # to its create has been read.
        return self._create(iteration, self._admit(planned, iteration, due_s), planned.body)

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
            expected=planned.expected,
            entry=planned.entry,
            round_number=planned.round,
        )
        iteration.in_flight += 1
        row.scheduled_s = round(due_s, 6)
        row.admitted_s = context.stopwatch.now()
        context.health.admitted(row.admitted_s - due_s)
        return row

    async def _create(self, iteration: IterationContext, row: TrackedObject, body: bytes) -> None:
        context = self._context
        try:
            metadata, answered = await self._request(iteration, row, body)
        except ApiError as error:
            if row.sent_s is not None:
                context.health.refused(row.scope.workload, context.stopwatch.now() - row.sent_s)
            context.publish(
                context.tracker.refuse(row, failure_text(error), certain=is_certain(error))
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
                    is_ready=is_created_ready(row.resource, row.expected),
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


def is_certain(error: ApiError) -> bool:
    """Whether nothing was changed: no earlier try can have done it, and nor has this one."""
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
