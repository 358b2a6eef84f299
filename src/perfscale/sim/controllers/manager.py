"""Runs the controllers: all the waiting, writing and trying again, and no rule of any kind.

Events of the watches go into the cache and, where a rule says that something is to be done,
into one queue, at once or when a timer rings. A fixed number of workers take items from
it, ask the item's controller what to write, and write it.
"""

from __future__ import annotations

import asyncio
import logging
import random
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Final, NoReturn

from perfscale.errors import ConflictError, CredentialsError, NotFoundError, PerfscaleError
from perfscale.sim.controllers.actions import (
    Action,
    Bind,
    Create,
    Delaying,
    Delete,
    Follower,
    Revise,
    Update,
    UpdateStatus,
)
from perfscale.sim.controllers.cache import Cache
from perfscale.sim.controllers.concerns import Concerns
from perfscale.sim.controllers.contention import Bottleneck
from perfscale.sim.controllers.objects import (
    controller_of,
    gist_of,
    is_deleting,
    key_of,
    uid_of,
)
from perfscale.sim.controllers.schedule import Item, Schedule
from perfscale.sim.controllers.standard import is_required, standard_controllers
from perfscale.sim.controllers.workqueue import WorkQueue
from perfscale.sim.latency import Latencies

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from perfscale.kube.resources import Resource
    from perfscale.sim.controllers.actions import Controller
    from perfscale.sim.controllers.contention import Capacity
    from perfscale.sim.controllers.store import JSON, ObjectStore
    from perfscale.sim.controllers.workqueue import Meter
    from perfscale.sim.latency import Stage

logger = logging.getLogger(__name__)

_WORKERS: Final = 16
"""How many objects are written at a time."""
_RETRY_FIRST_S: Final = 0.02
_RETRY_MOST_S: Final = 5.0


class ControllerManager:
    """KubeVirt's controllers, and one for pods, over whatever store.

    Args:
        store: Where the objects are.
        speed: Divides every latency.
        seed: Makes latencies and generated names repeatable.
        skip_missing: Leave out kinds of KubeVirt, and pods, where the API server does not
            have them. Otherwise they are waited for, by asking again and again. Kinds of
            others are left out where they are missing.
        wrap: Puts other rules in the place of a controller's.
        meter: Follows the work queue.
        now: The controllers' clock.
        capacities: What they can do in a second, where there is a bound to it.
    """

    def __init__(
        self,
        store: ObjectStore,
        *,
        speed: float = 1.0,
        seed: int | None = None,
        skip_missing: bool = False,
        wrap: Callable[[Controller], Controller] = lambda controller: controller,
        meter: Meter | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        capacities: Sequence[Capacity] = (),
    ) -> None:
        self._store = store
        self._now = now
        self._capacities = capacities
        self._skip_missing = skip_missing
        self._meter = meter
        self._latencies = Latencies(speed=speed, seed=seed)
        names = random.Random(seed)  # noqa: S311 - names, not secrets
        controllers = standard_controllers(names)
        self._controllers = tuple(wrap(each) for each in controllers)
        self._follows = {
            each.resource.kind: each.follows for each in controllers if isinstance(each, Follower)
        }

    async def run(self) -> NoReturn:
        """Look after every object until cancelled.

        May be called again after it was cancelled, and takes up what is there: an object
        in the middle of its life begins its current stage anew.

        Raises:
            ExceptionGroup: A `CredentialsError`, or a bug. Errors of the API server, and
                its absence, are ridden out.
        """
        controllers = tuple([each for each in self._controllers if await self._is_run(each)])
        concerns = Concerns(controllers, self._follows)
        loop = asyncio.get_running_loop()
        bottlenecks = {each.stage: Bottleneck(loop, each) for each in self._capacities}
        queue = WorkQueue(self._meter)
        schedule = Schedule(loop, self._latencies, queue.add, bottlenecks)
        await _Run(self._store, controllers, concerns, queue, schedule, self._now).run()

    async def _is_run(self, controller: Controller) -> bool:
        if is_required(controller.resource) and not self._skip_missing:
            return True
        return await self._store.serves(controller.resource)


class _Run:
    """One call of `ControllerManager.run`: everything that ends with it."""

    def __init__(
        self,
        store: ObjectStore,
        controllers: tuple[Controller, ...],
        concerns: Concerns,
        queue: WorkQueue,
        schedule: Schedule,
        now: Callable[[], datetime],
    ) -> None:
        self._now = now
        self._loop = asyncio.get_running_loop()
        self._store = store
        self._controllers = {each.resource.kind: each for each in controllers}
        self._delaying = {
            each.resource.kind: each for each in controllers if isinstance(each, Delaying)
        }
        self._concerns = concerns
        self._cache = Cache(self._loop.time)
        self._queue = queue
        self._schedule = schedule
        self._failures: dict[Item, int] = {}
        self._unsynced: set[str] = set()
        self._synced = asyncio.Event()

    async def run(self) -> NoReturn:
        resources = {kind: each.resource for kind, each in self._controllers.items()}
        self._unsynced = set(resources)
        try:
            async with asyncio.TaskGroup() as tasks:
                for kind, resource in resources.items():
                    on_event = partial(self._on_event, resource)
                    on_synced = partial(self._on_synced, kind)
                    watch = self._store.watch(resource, on_event, on_synced)
                    tasks.create_task(watch, name=f"controllers: watch {resource.plural}")
                # A replica set whose VMIs are not known yet would make them once more.
                await self._synced.wait()
                for number in range(_WORKERS):
                    tasks.create_task(self._work(), name=f"controllers: worker {number}")
        finally:
            self._schedule.close()
        raise AssertionError("watches and workers only end by an exception")

    def _on_synced(self, kind: str) -> None:
        self._unsynced.discard(kind)
        if not self._unsynced:
            self._synced.set()

    def _on_event(self, resource: Resource, event: str, obj: JSON) -> None:
        key = key_of(obj)
        item = Item(resource.kind, key)
        is_gone = event == "DELETED"
        controller = self._controllers[resource.kind]
        stage = None if is_gone else controller.stage(obj)
        is_done_with = stage is None
        self._cache.facts.apply(resource, event, obj)
        if is_done_with and not self._concerns.has_interest(resource, obj):
            # At 50 000 pods of instances, even the gist would be a lot.
            event = "DELETED"
        self._cache.apply(resource, event, gist_of(obj) if is_done_with else obj)
        if is_gone:
            self._failures.pop(item, None)
        if stage is None:
            self._schedule.forget(item)
        elif self._has_waited(item, obj, stage):
            self._queue.add(item)
        for concerned in self._concerns.of(resource, key, obj, self._cache):
            self._queue.add(concerned)

    def _is_due(self, controller: Controller, item: Item, obj: JSON) -> bool:
        stage = controller.stage(obj)
        return stage is not None and self._has_waited(item, obj, stage)

    def _has_waited(self, item: Item, obj: JSON, stage: Stage) -> bool:
        delaying = self._delaying.get(item.kind)
        more_s = 0.0 if delaying is None else delaying.delay_s(obj, stage)
        return self._schedule.is_due(item, uid_of(obj), stage, more_s)

    async def _work(self) -> NoReturn:
        while True:
            item = await self._queue.get()
            try:
                await self._process(item)
            except CredentialsError:
                raise
            except NotFoundError:
                # It went in the meantime, of which the watch is about to send the event.
                self._failures.pop(item, None)
            except PerfscaleError as error:
                self._try_again(item, error)
            else:
                self._failures.pop(item, None)
            finally:
                self._queue.done(item)
            # A store in memory never suspends: without this, a long queue would keep
            # everybody else off the loop.
            await asyncio.sleep(0)

    async def _process(self, item: Item) -> None:
        controller = self._controllers[item.kind]
        obj = self._cache.find(controller.resource, item.key)
        if obj is None or not self._is_due(controller, item, obj):
            return
        for action in controller.act(obj, self._cache, self._now()):
            current = self._cache.find(controller.resource, item.key)
            if (
                current is None
                or uid_of(current) != uid_of(obj)
                or is_deleting(current) != is_deleting(obj)
            ):
                # Decided for an object that is not there like that any more. The event
                # that says so has put the item back into the queue.
                return
            await self._perform(action, obj)

    async def _perform(self, action: Action, decided_for: JSON) -> None:
        match action:
            case Update():
                await self._store.update(action.resource, action.obj)
            case UpdateStatus():
                await self._store.update_status(action.resource, action.obj)
            case Delete():
                await self._delete(action)
            case Revise():
                await self._revise(action)
            case Bind():
                await self._store.bind(action.obj, action.node)
            case Create():
                await self._create(action, uid_of(decided_for))

    async def _create(self, action: Create, owner_uid: str) -> None:
        key, owner = key_of(action.obj), controller_of(action.obj)
        if owner is None or owner.get("uid") != owner_uid:
            # The watch will not show it as the owner's, who looks for it by its name.
            await self._store.create(action.resource, action.obj)
            return
        self._cache.creating(owner_uid, key)
        try:
            await self._store.create(action.resource, action.obj)
        except PerfscaleError:
            self._cache.created_or_not(owner_uid, key)
            raise

    async def _delete(self, action: Delete) -> None:
        key = key_of(action.obj)
        with suppress(NotFoundError):  # gone already, as it should be
            await self._store.delete(
                action.resource,
                key.namespace or None,
                key.name,
                uid=uid_of(action.obj),
                grace_period_s=action.grace_period_s,
            )

    async def _revise(self, action: Revise) -> None:
        key = key_of(action.obj)
        current = await self._store.get(action.resource, key.namespace or None, key.name)
        if uid_of(current) != uid_of(action.obj):
            return  # another object of that name
        changed = action.change(current)
        if changed is None or changed == current:
            return
        write = self._store.update_status if action.status else self._store.update
        await write(action.resource, changed)

    def _try_again(self, item: Item, error: PerfscaleError) -> None:
        failures = self._failures[item] = self._failures.get(item, 0) + 1
        delay_s = min(_RETRY_FIRST_S * 2 ** (failures - 1), _RETRY_MOST_S)
        # A conflict is everyday life: the watch brings the newer version, and the next
        # look decides again.
        level = logging.DEBUG if isinstance(error, ConflictError) else logging.WARNING
        logger.log(level, "%s %s/%s, again in %.2f s: %s", item.kind, *item.key, delay_s, error)
        self._loop.call_later(delay_s, self._queue.add, item)
