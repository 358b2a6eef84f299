"""Series and their changes as JSON."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import Meta

from perfscale.results.comparison import Verdict
from perfscale.results.model.document import document_schema
from perfscale.results.model.document.measured import Count, Part
from perfscale.trend.analysis import verdict_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perfscale.trend.analysis import Trend
    from perfscale.trend.changes import Change
    from perfscale.trend.history import Collected


class MeasuredValue(Part, frozen=True):
    """One value."""

    at: str
    value: float
    path: Annotated[str, Meta(description="the folder of its run, or its file")]
    run_id: Annotated[str | None, Meta(description="null: no run of perfscale's")]
    mark: Annotated[str, Meta(description="uncertain or failed: what its run was; else empty")]


class ChangeOfLevel(Part, frozen=True):
    """A change: the first value of the other level is ``index``, counted from 0."""

    index: Count
    at: str
    first_index: Annotated[Count, Meta(description="it may have begun here at the earliest: 95 %")]
    last_index: Count
    first_at: str
    last_at: str
    before: Annotated[float, Meta(description="the median of the level before")]
    after: Annotated[float, Meta(description="the median of the level after")]
    change: Annotated[float | None, Meta(description="share of before; null: that is 0")]
    p_value: float
    worse: bool
    around: Annotated[
        list[str], Meta(description="what else was different, from firstIndex - 1 to lastIndex")
    ]


class MetricTrend(Part, frozen=True):
    """One metric of a workload on a cluster."""

    workload: str
    cluster: Annotated[str, Meta(description="its API server's address; empty: not known")]
    metric: str
    unit: str
    higher_is_better: bool
    verdict: Annotated[Verdict, Meta(description="empty: too few values to say")]
    changes: list[ChangeOfLevel]
    values: list[MeasuredValue]


class LeftOutResult(Part, frozen=True):
    """A run or a file that is in no series."""

    path: str
    why: str


class TrendDocument(Part, frozen=True):
    """Every metric over time, and what was left out."""

    verdict: Annotated[Verdict, Meta(description="empty: too few values of every metric to say")]
    trends: list[MetricTrend]
    left_out: list[LeftOutResult]
    foreign_files: Annotated[Count, Meta(description="that were no results")]
    not_reached: Annotated[Count, Meta(description="percentiles that are missing")]


def trend_document(collected: Collected, trends: Sequence[Trend]) -> dict[str, Any]:
    """The document."""
    document = TrendDocument(
        verdict=verdict_of(trends),
        trends=[_trend(each) for each in trends],
        left_out=[LeftOutResult(path=str(path), why=why) for path, why in collected.left_out],
        foreign_files=collected.foreign,
        not_reached=collected.not_reached,
    )
    built: dict[str, Any] = msgspec.to_builtins(document)
    return built


def trend_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the document."""
    return document_schema(TrendDocument, "perfscale trend")


def _trend(trend: Trend) -> MetricTrend:
    return MetricTrend(
        workload=trend.key.workload,
        cluster=trend.key.cluster,
        metric=trend.key.metric,
        unit=trend.unit,
        higher_is_better=trend.higher_is_better,
        verdict=trend.verdict,
        changes=[
            _change(trend, change, around)
            for change, around in zip(trend.changes or (), trend.around, strict=True)
        ],
        values=[
            MeasuredValue(
                at=source.at.isoformat(),
                value=value,
                path=str(source.path),
                run_id=source.run_id,
                mark=source.mark,
            )
            for source, value in zip(trend.sources, trend.values, strict=True)
        ],
    )


def _change(trend: Trend, change: Change, around: Sequence[str]) -> ChangeOfLevel:
    def at(index: int) -> str:
        return trend.sources[index].at.isoformat()

    return ChangeOfLevel(
        index=change.index,
        at=at(change.index),
        first_index=change.first,
        last_index=change.last,
        first_at=at(change.first),
        last_at=at(change.last),
        before=change.before,
        after=change.after,
        change=round(change.share, 6) if math.isfinite(change.share) else None,
        p_value=float(f"{change.p_value:.3g}"),
        worse=trend.is_worse(change),
        around=list(around),
    )
