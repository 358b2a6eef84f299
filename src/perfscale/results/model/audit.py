"""What an audit of a run has found: ``audit.json``, and its part of the summary.

The audit comes after the run, and so after its journal. A report that is made again from the
journal takes it from its file.
"""

from __future__ import annotations

from typing import Any

import msgspec


class AuditedValue(msgspec.Struct, frozen=True, omit_defaults=True):
    """A result of an audit.

    Attributes:
        value: A finite number.
        unit: Of the value; empty if unknown.
        limit: What it must not be above; None without a threshold.
        exceeded: Whether it is above that.
    """

    value: float
    unit: str = ""
    limit: float | None = None
    exceeded: bool = False


class AuditedTime(msgspec.Struct, frozen=True, rename="camel"):
    """The results of an audit for one span of time.

    Attributes:
        start: When it began, RFC 3339.
        end: When it was over, RFC 3339.
        range_seconds: How far back the rates and counts reach, from one scrape after its end.
        values: The results by name.
        without_data: The queries that there was no data for.
        name: The workload; empty for the whole run.
    """

    start: str
    end: str
    range_seconds: int
    values: dict[str, AuditedValue]
    without_data: list[str]
    name: str = ""


class AuditedSeries(msgspec.Struct, frozen=True):
    """A result over the time of the run.

    Attributes:
        name: What it is called.
        unit: Of its values; empty if unknown.
        points: Seconds since the run's start, and the value; None where it was no number.
    """

    name: str
    unit: str
    points: list[tuple[float, float | None]]


class AuditSummary(msgspec.Struct, frozen=True, rename="camel"):
    """What an audit of a run has found, its series over time apart.

    Attributes:
        prometheus: Who was asked; without credentials.
        profile: What was asked.
        scrape_interval_seconds: How often Prometheus scrapes.
        data_until: How far its data reached, RFC 3339; None if it did not say.
        exit_code: 4 if it could not be asked, 1 if some queries failed, 3 if a threshold was
            exceeded, else 0.
        problems: What failed or was exceeded, one sentence each.
        notes: What else there is to know, one sentence each.
        total: Of the whole run; None if Prometheus could not be asked.
        workloads: Of each workload that began.
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


class AuditRecord(AuditSummary, frozen=True, rename="camel"):
    """The document ``audit.json``.

    Attributes:
        series: Over the time of the run.
    """

    series: tuple[AuditedSeries, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The document."""
        document: dict[str, Any] = msgspec.to_builtins(self)
        return document

    def without_series(self) -> AuditSummary:
        """Its part of the run's summary."""
        fields = {name: getattr(self, name) for name in AuditSummary.__struct_fields__}
        return AuditSummary(**fields)
