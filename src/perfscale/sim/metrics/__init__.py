"""What the simulated cluster shows a Prometheus: the series that KubeVirt and Kubernetes have.

Counting happens while requests are served, so it is plain integers; the text is only made
when it is scraped.
"""

from perfscale.sim.metrics.clients import CountedStore
from perfscale.sim.metrics.exposition import METRICS_PATH, Metrics

__all__ = ["METRICS_PATH", "CountedStore", "Metrics"]
