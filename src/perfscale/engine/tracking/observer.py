"""One watch per resource for the whole run, feeding the tracker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from perfscale.engine.tracking.evidence import NamespaceObject
from perfscale.engine.tracking.readiness import ACCEPTED
from perfscale.errors import NotServedError
from perfscale.kube.resources import NAMESPACES, Place
from perfscale.kube.watching.watch import Watch
from perfscale.results import WatchCounts

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterable, Sequence

    from perfscale.engine.context import RunContext
    from perfscale.engine.tracking.readiness import Reading
    from perfscale.kube.watching.watch import Listed
    from perfscale.templates import ObjectFactory


class NamespaceHandler(Protocol):
    """Takes what the watch on the run's namespaces sees."""

    def observe(self, event: str, obj: NamespaceObject) -> None:
        """Take one event."""

    def reconcile(
        self, state: Sequence[NamespaceObject], list_version: int, *, asked_s: float
    ) -> None:
        """Take a whole list, asked for then; what should be in it, and is not, is gone."""


class Observer:
    """Opens the watches, and keeps them for as long as the outer scope lives."""

    def __init__(self, context: RunContext, namespaces: NamespaceHandler) -> None:
        self._context = context
        self._namespaces = namespaces
        self._watches: list[Watch[Any]] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Open every watch, and wait until each has its first list.

        A watch that dies, now or later, aborts the run: nothing can be left
        waiting for events that will not come.
        """
        await self._open(self._context.places)

    async def open_watches(self, factories: Sequence[ObjectFactory]) -> None:
        """Open the watches of kinds that were not there when the run began.

        An API server takes a moment to serve a kind whose definition it has: a watch waits for
        that, and aborts the run where the kind does not come.

        Args:
            factories: What the workload makes that begins now.
        """
        context = self._context
        kinds = {context.plan.resources[key] for factory in factories for key in factory.kinds}
        coming = kinds & context.unserved
        if coming:
            context.unserved -= coming
            await self._open(place for place in context.places if place.resource in coming)

    async def _open(self, places: Iterable[Place]) -> None:
        shard = self._context.shard
        for place in places:
            are_namespaces = place == Place(NAMESPACES)
            if not shard.is_whole and are_namespaces is not shard.is_coordinator:
                continue  # the coordinator makes the namespaces, and nothing else
            watch = self._watch_namespaces() if are_namespaces else self._watch_objects(place)
            self._follow(watch, place)
        for watch in self._watches:
            await watch.synced.wait()

    def stop(self) -> None:
        """Close every watch."""
        for task in self._tasks:
            task.cancel()

    @property
    def counts(self) -> WatchCounts:
        """How often the watches had to be opened again."""
        return WatchCounts(
            reconnects=sum(watch.reconnects for watch in self._watches),
            relists=sum(watch.relists for watch in self._watches),
        )

    def _follow(self, watch: Watch[Any], place: Place) -> None:
        self._watches.append(watch)
        self._tasks.append(
            self._context.tasks.create_task(
                self._run(watch, place), name=f"perfscale-watch-{place}"
            )
        )

    async def _run(self, watch: Watch[Any], place: Place) -> None:
        try:
            await watch.run()
        except Exception as error:  # noqa: BLE001 -- reported at the end of the run
            if not self._is_gone(watch, place, error):
                self._context.abort(error)

    def _is_gone(self, watch: Watch[Any], place: Place, error: Exception) -> bool:
        """Whether a kind is served no more that the run brought, and its objects are gone with it.

        With its definition an API server deletes all its objects before it.
        """
        context = self._context
        ended = watch.synced.is_set() and isinstance(error.__cause__, NotServedError)
        if not ended or place.resource not in context.plan.later:
            return False
        context.unserved.add(place.resource)
        now = context.stopwatch.now()
        context.publish(context.tracker.reconcile(place, (), 0, now, asked_s=now))
        return True

    def _go_back(self, version: int, now: float) -> None:
        """Say it once: every watch finds it out by itself."""
        if not self._context.tracker.went_back:
            self._context.warn(
                "the cluster is in an older state than it was, as if its etcd had been restored "
                "from a backup: what was created since is lost, and what was deleted may be back"
            )
        self._context.tracker.go_back(version, now)

    def _watch_objects(self, place: Place) -> Watch[Any]:
        context = self._context
        resource = place.resource
        rule = context.rules.of(resource)
        reading = rule.read or _accept
        observe, publish, since_start = (
            context.tracker.observe,
            context.publish,
            context.stopwatch.since_start,
        )

        def on_event(
            event: str,
            obj: Any,  # noqa: ANN401 -- the struct that the rule names
            heard_s: float,
        ) -> None:
            publish(observe(resource, event, obj.metadata, reading(obj), since_start(heard_s)))

        def on_list(objects: Sequence[Any], listed: Listed) -> None:
            state = [(obj.metadata, reading(obj)) for obj in objects]
            now, asked_s = context.stopwatch.now(), since_start(listed.asked_s)
            if listed.went_back:
                self._go_back(listed.version, now)
            publish(context.tracker.reconcile(place, state, listed.version, now, asked_s=asked_s))

        return Watch(
            context.client,
            resource,
            decoder=rule.decoder,
            namespace=place.namespace,
            label_selector=context.selector,
            on_list=on_list,
            on_event=on_event,
            gaps=context.gaps.of(place),
        )

    def _watch_namespaces(self) -> Watch[NamespaceObject]:
        def on_list(objects: Sequence[NamespaceObject], listed: Listed) -> None:
            stopwatch = self._context.stopwatch
            if listed.went_back:
                self._go_back(listed.version, stopwatch.now())
            asked_s = stopwatch.since_start(listed.asked_s)
            self._namespaces.reconcile(objects, listed.version, asked_s=asked_s)

        def on_event(event: str, obj: NamespaceObject, _heard_s: float) -> None:
            self._namespaces.observe(event, obj)

        return Watch(
            self._context.client,
            NAMESPACES,
            decoder=NamespaceObject,
            label_selector=self._context.selector,
            on_list=on_list,
            on_event=on_event,
            gaps=self._context.gaps.of(Place(NAMESPACES)),
        )


def _accept(_: object) -> Reading:
    """What is read off an object of a kind without readiness."""
    return ACCEPTED
