"""The watches by which the effects of a workload's operations are seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perfscale.engine.tracking.operations.views import viewer_for
from perfscale.kube.watching.watch import Watch

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Sequence

    from perfscale.config.sections.readiness import WaitFor
    from perfscale.engine.context import RunContext
    from perfscale.engine.tracking.operations.effects import Effects, Key
    from perfscale.engine.tracking.operations.tracked import TrackedOperation
    from perfscale.engine.tracking.operations.views import View
    from perfscale.kube.resources import Place
    from perfscale.kube.watching.watch import Listed
    from perfscale.preflight import OperationPlan


class EffectWatches:
    """Watches of one workload, beside the run's own.

    They are opened for as long as operations wait for what they show, so that a run without
    operations, and an event of another time, costs nothing more.

    Args:
        context: The run's.
        effects: What is given all that they see.
        plan: Where to watch.
        done_when: What the workload file says of when they are done.
    """

    def __init__(
        self,
        context: RunContext,
        effects: Effects,
        plan: OperationPlan,
        done_when: Sequence[WaitFor] | None = None,
    ) -> None:
        self._done_when = done_when
        self._context = context
        self._effects = effects
        self._plan = plan
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Open them, and wait until each has its first list; one that dies ends the run."""
        watches = [self._watch(place, selector) for place, selector in self._plan.watched]
        for watch, (place, _) in zip(watches, self._plan.watched, strict=True):
            self._tasks.append(
                self._context.tasks.create_task(self._run(watch), name=f"perfscale-effects-{place}")
            )
        for watch in watches:
            await watch.synced.wait()

    def stop(self) -> None:
        """Close them."""
        for task in self._tasks:
            task.cancel()
        self._tasks.clear()

    def unfinished(self) -> list[TrackedOperation]:
        """The operations that still wait, each with what is missing of it."""
        return self._effects.describe_waiting()

    async def _run(self, watch: Watch[Any]) -> None:
        try:
            await watch.run()
        except Exception as error:  # noqa: BLE001 -- raised at the end of the run, after its cleanup
            self._context.abort(error)

    def _watch(self, place: Place, selector: str | None) -> Watch[Any]:
        context, effects = self._context, self._effects
        viewer = viewer_for(place.resource.name, self._plan.operation.effect, self._done_when)
        resource, view_of = place.resource.name, viewer.view
        since_start = context.stopwatch.since_start

        def on_event(
            event: str,
            obj: Any,  # noqa: ANN401 -- the struct that the viewer names
            heard_s: float,
        ) -> None:
            metadata = obj.metadata
            key = (resource, metadata.namespace, metadata.name)
            if effects.follows(key):
                deleted = event == "DELETED"
                effects.observe(key, view_of(obj), since_start(heard_s), deleted=deleted)

        def on_list(objects: Sequence[Any], listed: Listed) -> None:
            state: dict[Key, View] = {}
            for obj in objects:
                key = (resource, obj.metadata.namespace, obj.metadata.name)
                if effects.follows(key):
                    state[key] = view_of(obj)
            where = (resource, place.namespace)
            asked_s = since_start(listed.asked_s)
            effects.reconcile(where, state, context.stopwatch.now(), asked_s=asked_s)

        return Watch(
            context.client,
            place.resource,
            decoder=viewer.decoder,
            namespace=place.namespace,
            label_selector=selector,
            on_list=on_list,
            on_event=on_event,
            gaps=context.gaps.of(place),
        )
