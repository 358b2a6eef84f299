"""Puts the faults of a file where they happen; where there are none of a sort, nothing."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from aiohttp import web

from perfscale.kube.resources import NAMESPACES
from perfscale.sim.controllers.contention import Capacity
from perfscale.sim.faults.http.requests import RequestFaults, Uptime
from perfscale.sim.faults.http.watches import WatchFaults
from perfscale.sim.faults.model import DELAYED, PHASED, UNPHASED
from perfscale.sim.faults.objects.admission import ADMITTED, Admission
from perfscale.sim.faults.objects.controllers import FaultyController
from perfscale.sim.faults.objects.delayed_pods import DelayedPods
from perfscale.sim.faults.objects.delays import DelayedController
from perfscale.sim.faults.objects.interference import INTERFERENCES, Interference
from perfscale.sim.faults.objects.namespaces import NamespaceFaults
from perfscale.sim.faults.objects.selection import FaultSelection
from perfscale.sim.faults.outages import Moments, Outages

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttp.typedefs import Middleware

    from perfscale.sim.apiserver.listening import Listener
    from perfscale.sim.controllers.actions import Controller
    from perfscale.sim.faults.model import Faults
    from perfscale.sim.ground_truth import GroundTruth
    from perfscale.sim.storage.store import Store


class FaultInjection:
    """The faults of one simulated cluster.

    Its `middlewares`, `disturb` and `blocker_of` are for the server's `Attachments`.
    """

    def __init__(self, faults: Faults, store: Store, truth: GroundTruth) -> None:
        self._faults = faults
        self._store = store
        self._truth = truth
        self._selection = FaultSelection(faults.objects, faults.seed)
        self._kinds = {fault.fault for fault in faults.objects}
        self._uptime = Uptime()
        self._clock_offset = timedelta(seconds=faults.cluster.clock_offset)
        moments = Moments()
        self._outages = Outages(
            faults.outages, faults.cluster.restored, store, moments, truth.injected
        )
        self.middlewares: list[Middleware] = []
        if self._outages.count_requests:
            self.middlewares.append(web.middleware(moments))
        if faults.requests:
            requests = RequestFaults(
                faults.requests, faults.seed, store.catalogue, self._uptime, truth.injected
            )
            self.middlewares.append(web.middleware(requests))
        self.disturb = (
            WatchFaults(faults.watches, faults.seed, store, truth.injected)
            if faults.watches
            else None
        )
        self.blocker_of = NamespaceFaults(faults.namespaces, faults.seed, truth.injected)
        if faults.namespaces:
            store.listen(self.blocker_of.on_change, NAMESPACES)
        if self._kinds.intersection(ADMITTED):
            store.admissions.append(Admission(self._selection, truth))

    def wrap(self, controller: Controller) -> Controller:
        """The controller, made to let objects fail, be stuck or wait, if it is to do so."""
        plural = controller.resource.plural
        if plural in (*PHASED, *UNPHASED) and self._kinds & {"fails", "ends", "stuck"}:
            controller = FaultyController(controller, self._selection)
        if plural in DELAYED and "delayed" in self._kinds:
            controller = DelayedController(controller, self._selection)
        return controller

    @property
    def capacities(self) -> tuple[Capacity, ...]:
        """What controllers can do in a second, where there is a bound to it."""
        found = self._faults.cluster.contention
        if found is None:
            return ()
        return (
            Capacity(
                found.stage,
                per_second=found.per_second,
                in_flight=found.in_flight,
                growth=found.growth,
                jitter=found.jitter,
                seed=self._faults.seed,
            ),
        )

    def controllers_now(self) -> datetime:
        """What the controllers' clock shows."""
        return datetime.now(UTC) + self._clock_offset

    @asynccontextmanager
    async def running(self, listener: Listener) -> AsyncIterator[None]:
        """Let happen what happens by itself: outages, and what others do."""
        self._uptime.begin()
        async with AsyncExitStack() as stack:
            if self._kinds.intersection(INTERFERENCES):
                stack.callback(Interference(self._store, self._selection, self._truth).close)
            if "delayed" in self._kinds:
                delayed = DelayedPods(self._store, self._selection, self.controllers_now)
                stack.callback(delayed.close)
            if self._outages:
                tasks = await stack.enter_async_context(asyncio.TaskGroup())
                task = tasks.create_task(self._outages.run(listener), name="simulated outages")
                stack.callback(task.cancel)
            yield
