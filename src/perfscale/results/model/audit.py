"""What an audit of a run has found: ``audit.json``, and its part of the summary.

The audit comes after the run, and so after its journal. A report that is made again from the
journal takes it from its file.
"""

from __future__ import annotations

from typing import Any

import msgspec

from perfscale.results.model.scraped import ScrapedSeries


class AuditedValue(msgspec.Struct, frozen=True, omit_defaults=True):
    """A result: a finite number, its unit if known, and its limit (`None` without a threshold)."""

    value: float
    unit: str = ""
    limit: float | None = None
    exceeded: bool = False


class AuditedTime(msgspec.Struct, frozen=True, rename="camel"):
    """The results by name for one span of time: a workload, or without a name the whole run.

    Start and end are RFC 3339. Rates and counts reach ``range_seconds`` back, from one scrape
    after the end.
    """

    start: str
    end: str
    range_seconds: int
    values: dict[str, AuditedValue]
    without_data: list[str]
    name: str = ""


class AuditedSeries(msgspec.Struct, frozen=True):
    """A result over time: seconds since the run's start, and the value; None for no number."""

    name: str
    unit: str
    points: list[tuple[float, float | None]]


class FiredAlert(msgspec.Struct, frozen=True, rename="camel"):
    """An alert that fired in the time of a workload, once for each series.

    ``timestamp`` is that of the first sample, RFC 3339. Of severity ``error`` and ``critical``
    it fails the run.
    """

    workload: str
    severity: str
    description: str
    timestamp: str

    @property
    def fails(self) -> bool:
        """Whether the run has not passed."""
        return self.severity in ("error", "critical")


class AuditSummary(msgspec.Struct, frozen=True, rename="camel"):
    """What an audit of a run has found, its series over time apart.

    Attributes:
        prometheus: The URL, without credentials.
        profile: The queries.
        scrape_interval_seconds: How often Prometheus scrapes.
        data_until: How far its data reached, RFC 3339; None if it did not say.
        exit_code: 4 if it could not be queried, 1 if some queries failed, 3 if a threshold was
            exceeded, else 0.
        problems: What failed or was exceeded, one sentence each.
        notes: What else there is to know, one sentence each.
        total: Of the whole run; None if Prometheus could not be queried.
        workloads: Of each workload that began.
        alerts: Those that fired.
    """

    prometheus: str
    profile: str
    scrape_interval_seconds: float
    data_until: str | None
    exit_code: int
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    total: AuditedTime | None = None
    workloads: tuple[AuditedTime, ...] = ()
    alerts: tuple[FiredAlert, ...] = ()


class AuditRecord(AuditSummary, frozen=True, rename="camel"):
    """The document ``audit.json``, and what Prometheus answered, which has a file of its own."""

    series: tuple[AuditedSeries, ...] = ()
    scraped: tuple[ScrapedSeries, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The document."""
        document: dict[str, Any] = msgspec.to_builtins(msgspec.structs.replace(self, scraped=()))
        del document["scraped"]
        return document

    def without_series(self) -> AuditSummary:
        """Its part of the run's summary."""
        fields = {name: getattr(self, name) for name in AuditSummary.__struct_fields__}
        return AuditSummary(**fields)
