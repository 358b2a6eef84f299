"""Does operations when they are due, and takes what is answered."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from perfscale.config.operations import Request
from perfscale.engine.load.creation import failure_text, is_certain
from perfscale.engine.load.deletions import Deletions
from perfscale.engine.load.replacements import TargetLostError
from perfscale.engine.load.sending import Answer, OperationSender, Sending
from perfscale.engine.tracking.operations.judges import REPLACED
from perfscale.errors import (
    ApiError,
    ClusterError,
    ConflictError,
    NotFoundError,
    PerfscaleError,
    TemplateError,
    WatchError,
)

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable

    from perfscale.engine.context import RunContext
    from perfscale.engine.iteration_context import IterationContext
    from perfscale.engine.load.dispatching import Dispatcher
    from perfscale.engine.load.pacing import Pacing
    from perfscale.engine.load.sending import Work
    from perfscale.engine.load.targets import Target
    from perfscale.engine.tracking.operations.tracked import TrackedOperation

_OTHER_UID: Final = ("UID in precondition", "rejected our request due to an error in our request")
"""What an API server answers to a precondition, and to a failed test of a JSON patch."""
_NAME_UID: Final = frozenset({Request.DELETE, Request.SCALE})
"""Requests of which that can only be the UID."""


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
        self._sender = OperationSender(context, self.deletions)

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
        sending = Sending(iteration, work, targets)
        for target in targets:
            operation = sending.track(target)
            operation.scheduled_s = round(due_s, 6)
            operation.admitted_s = admitted_s
        context.operations += len(targets)
        iteration.in_flight += 1
        context.health.admitted(admitted_s - due_s)
        return self._send(sending)

    async def _send(self, sending: Sending) -> None:
        context, work = self._context, sending.work
        try:
            answer = await self._sender.send(sending)
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
            sending.note_deletions(self.deletions.accept)
            for operation in sending.operations:
                self._accept(sending, operation, answer)

    def _accept(self, sending: Sending, operation: TrackedOperation, answer: Answer) -> None:
        sending.iteration.scope.created += 1
        sending.work.effects.accept(operation, answer.answered_s, version=answer.version)
        self._context.operation_counter.accept(operation)
        self._context.journal.mark_operation_dirty(operation)

    def _refuse(self, sending: Sending, error: ApiError) -> None:
        deletions = self.deletions
        sending.note_deletions(deletions.refuse if is_certain(error) else deletions.accept)
        answered_s = error.answered_s
        if answered_s is not None:
            answered_s = self._context.stopwatch.since_start(answered_s)
        for operation in sending.operations:
            if operation.sent_s is None:  # it never left
                operation.sent_s = answered_s
            if isinstance(error, ConflictError) and error.attempts > 1 and operation.has_effect:
                # An earlier try has done it, whose answer was lost.
                self._accept(sending, operation, Answer(answered_s or 0.0))
                continue
            sending.work.effects.refuse(operation, _why_refused(sending.work, error))

    def close_streams(self, iteration: IterationContext, work: Work) -> None:
        """Close the streams of an iteration; what they have received is final."""
        self._sender.close_streams(iteration, work)


def _why_refused(work: Work, error: PerfscaleError) -> str:
    text = failure_text(error)
    if work.plan.operation.request in _NAME_UID and any(each in text for each in _OTHER_UID):
        return f"{REPLACED}: {text}"
    if not isinstance(error, NotFoundError):
        return text
    if work.plan.acts_on.plural != work.plan.target.plural:
        return f"it has no instance: {text}"
    return f"it was gone when its turn came: {text}"
