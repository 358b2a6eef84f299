"""What Prometheus answered for each workload, series by series: ``audit-series.ndjson``."""

from __future__ import annotations

import msgspec


class ScrapedSeries(msgspec.Struct, frozen=True):
    """A series that a query of an audit gave for the time of a workload.

    Attributes:
        workload: Whose time it was.
        metric: The name of the query, or of its result where that is made of labels.
        query: PromQL, as it was sent.
        labels: Those of the series, without its name.
        points: Moment (Unix time in seconds) and value of each sample; only finite numbers.
    """

    workload: str
    metric: str
    query: str
    labels: dict[str, str]
    points: list[tuple[float, float]]
