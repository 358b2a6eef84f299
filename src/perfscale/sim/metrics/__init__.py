"""What the simulated cluster shows a Prometheus: the series that KubeVirt and Kubernetes have.

Counting happens while requests are served, so it is plain integers; the text is only made
when it is scraped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.registry import Collector

from perfscale.sim.metrics.clients import CountedStore
from perfscale.sim.metrics.phases import PhaseMeter
from perfscale.sim.metrics.queues import QueueMeter
from perfscale.sim.metrics.requests import RequestMeter
from perfscale.sim.metrics.usage import UsageMeter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.core import Metric

    from perfscale.sim.storage.store import Store

__all__ = ["METRICS_PATH", "CountedStore", "Metrics"]

METRICS_PATH: Final = "/metrics"


class Metrics(Collector):
    """The meters of one simulated cluster, from the moment they are made.

    Attributes:
        requests: Counts requests, as a middleware.
        queue: Follows the controllers' work queue.
    """

    def __init__(self, store: Store, controllers: CountedStore) -> None:
        self.requests = RequestMeter(store.catalogue)
        self.queue = QueueMeter()
        self._meters = (self.requests, PhaseMeter(store), controllers, self.queue, UsageMeter())
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def collect(self) -> Iterator[Metric]:
        """Every series there is."""
        for meter in self._meters:
            yield from meter.families()

    def page(self) -> tuple[bytes, str]:
        """The series in Prometheus' text format, and its media type."""
        return generate_latest(self._registry), CONTENT_TYPE_LATEST
