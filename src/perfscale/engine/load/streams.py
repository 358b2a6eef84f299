"""Watches that are a load: opened at a rate, and kept open until their workload ends."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from perfscale.engine.tracking.readiness import IdentifiedObject
from perfscale.errors import PerfscaleError
from perfscale.kube.watching.metered import MeteredWatch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perfscale.engine.context import RunContext
    from perfscale.engine.tracking.operations.tracked import TrackedOperation
    from perfscale.kube.client import Client
    from perfscale.kube.watching.watch import Listed
    from perfscale.preflight import OperationPlan


class LoadStream:
    """One watch, and the operation that it is.

    Args:
        context: The run's.
        client: The way to the cluster.
        plan: What is watched.
        operation: The operation, whose ``counts`` say what was received when it is closed.
    """

    def __init__(
        self,
        context: RunContext,
        client: Client,
        plan: OperationPlan,
        operation: TrackedOperation,
    ) -> None:
        self.operation = operation
        self._context = context
        self._events = 0
        self._watch: MeteredWatch[Any] = MeteredWatch(
            client,
            plan.target,
            decoder=IdentifiedObject,
            namespace=operation.namespace,
            label_selector=plan.selector,
            on_list=self._on_list,
            on_event=self._on_event,
        )
        self._task: asyncio.Task[None] | None = None
        self._failure: PerfscaleError | None = None

    async def open(self) -> None:
        """Open it, and wait until its first state is complete; cancelled if it is closed before.

        Raises:
            PerfscaleError: The server refuses it, or is gone.
        """
        self._task = self._context.tasks.create_task(
            self._run(), name=f"perfscale-stream-{self.operation.scope.workload}"
        )
        synced = asyncio.ensure_future(self._watch.synced.wait())
        try:
            await asyncio.wait({synced, self._task}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            synced.cancel()
        if self._failure is not None:
            raise self._failure
        if not self._watch.synced.is_set():
            await self._task  # which was cancelled, so that nothing was answered

    def close(self) -> None:
        """Close it; what it has received is final. One that has ended before has failed."""
        if self._task is not None:
            self._watch.take_rest()
            self._task.cancel()
        if self._failure is not None and self._watch.synced.is_set():
            self.operation.failure = f"the stream ended before the load did: {self._failure}"
        self.operation.counts = {"events": self._events, "bytes": self._watch.received}

    async def _run(self) -> None:
        try:
            await self._watch.run()
        except PerfscaleError as error:
            self._failure = error
            if self._watch.synced.is_set():
                self._context.warn(f"a watch of the load has ended: {error}")
        except Exception as error:  # noqa: BLE001 -- a bug of ours ends the run, and says so
            self._context.abort(error)

    def _on_list(self, objects: Sequence[Any], _: Listed) -> None:
        self._events += len(objects)

    def _on_event(self, _event: str, _object: object, _heard_s: float) -> None:
        self._events += 1
