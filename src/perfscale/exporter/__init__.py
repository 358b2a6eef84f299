"""The metrics of a run for a Prometheus, for the command line and for embedding programs.

They are served, or joined to the program's own. See docs/metrics.md.
"""

from perfscale.exporter.metrics import RunMetrics
from perfscale.exporter.server import serve_metrics

__all__ = ["RunMetrics", "serve_metrics"]
