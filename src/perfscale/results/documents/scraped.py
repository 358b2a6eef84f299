"""What a Prometheus measured meanwhile: a document for each sample, and for each alert.

https://github.com/kube-burner/kube-burner/blob/main/pkg/prometheus/types.go and
https://github.com/kube-burner/kube-burner/blob/main/pkg/alerting/alert_manager.go
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from perfscale.results.documents.stamps import NamedDocument, Stamps

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from perfscale.results.documents.jobs import Jobs
    from perfscale.results.model.audit import AuditSummary
    from perfscale.results.model.scraped import ScrapedSeries

_ALERT: Final = "alert"
_NOT_IN_NAMES: Final = str.maketrans("/\\\0", "___")


def scraped_samples(
    series: Iterable[ScrapedSeries], stamps: Stamps, jobs: Jobs
) -> Iterator[NamedDocument]:
    """A document for each sample of each series."""
    for each in series:
        for moment, value in each.points:
            body = {
                "timestamp": stamps.moment(datetime.fromtimestamp(moment, UTC)),
                "labels": each.labels,
                "value": value,
                "query": each.query,
                **stamps.common(each.metric),
                "jobName": jobs.name(each.workload),
            }
            yield NamedDocument(each.metric.translate(_NOT_IN_NAMES), body)


def alerts(audit: AuditSummary, stamps: Stamps) -> Iterator[NamedDocument]:
    """A document for each alert that fired, and for each threshold that the run exceeded."""
    for alert in audit.alerts:
        body = {
            "timestamp": stamps.moment(stamps.instant(alert.timestamp)),
            "severity": alert.severity,
            "description": alert.description,
            **stamps.common(_ALERT),
        }
        yield NamedDocument(_ALERT, body)
    if audit.total is None:
        return
    ended = stamps.moment(stamps.instant(audit.total.end))
    for name, each in audit.total.values.items():
        if each.exceeded and each.limit is not None:
            measured = f"{each.value:.6g} {each.unit}".rstrip()
            body = {
                "timestamp": ended,
                "severity": "error",
                "description": f"{name} {measured}, above {each.limit:.6g}",
                **stamps.common(_ALERT),
            }
            yield NamedDocument(_ALERT, body)
