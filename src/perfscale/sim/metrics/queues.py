"""virt-controller's metrics of its work queues."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

from perfscale.sim.controllers.kinds import VM, VMI, VMIM, VMIRS
from perfscale.sim.metrics.clients import POD
from perfscale.sim.metrics.histogram import Histogram

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from prometheus_client.core import Metric

    from perfscale.sim.controllers.schedule import Item

# client-go's: ten powers of ten from 10 ns (util/workqueue/metrics.go), with Kubernetes' names
_BOUNDS_S: Final = tuple(10.0**exponent for exponent in range(-8, 2))
# KubeVirt's names of the queues, by the kind that is in them.
_NAMES: Final = {
    VMI.kind: "virt-controller-vmi",
    VM.kind: "virt-controller-vm",
    VMIRS.kind: "virt-controller-replicaset",
    VMIM.kind: "virt-controller-migration",
}
_CONTAINER: Final = "virt-controller"


class _Queue:
    """What is known of the items of one kind."""

    __slots__ = ("adds", "waits")

    def __init__(self) -> None:
        self.adds = 0
        self.waits = Histogram(_BOUNDS_S)


class QueueMeter:
    """Counts what is put into the controllers' work queue, and how long it waits there."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._queues = {kind: _Queue() for kind in _NAMES}
        self._waiting: dict[Item, float] = {}

    def added(self, item: Item) -> None:
        """An item was put into the queue."""
        if item.kind in _NAMES:
            self._queues[item.kind].adds += 1
            self._waiting[item] = self._clock()

    def taken(self, item: Item) -> None:
        """A worker has taken an item."""
        since_s = self._waiting.pop(item, None)
        if since_s is not None:
            self._queues[item.kind].waits.observe(self._clock() - since_s)

    def families(self) -> Iterator[Metric]:
        """The series, under the names that KubeVirt gives them."""
        labels = ["name", "container", "pod"]
        adds = CounterMetricFamily("kubevirt_workqueue_adds", "Items added.", labels=labels)
        depth = GaugeMetricFamily("kubevirt_workqueue_depth", "Items that wait.", labels=labels)
        waits = HistogramMetricFamily(
            "kubevirt_workqueue_queue_duration_seconds", "How long items waited.", labels=labels
        )
        for kind, queue in self._queues.items():
            of = [_NAMES[kind], _CONTAINER, POD]
            adds.add_metric(of, queue.adds)
            depth.add_metric(of, sum(item.kind == kind for item in self._waiting))
            waits.add_metric(of, queue.waits.buckets(), queue.waits.sum)
        yield adds
        yield depth
        yield waits
