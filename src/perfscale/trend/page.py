"""Series and their changes on one page."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Final

from perfscale.errors import ResultsError
from perfscale.results.comparison import Verdict
from perfscale.results.files import write_file
from perfscale.results.pages.marks import Lines, Marks
from perfscale.results.pages.plots import Plot, Series, highest
from perfscale.results.pages.rendering import render
from perfscale.results.pages.scales import from_zero, over_days
from perfscale.trend.analysis import by_subject, verdict_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from perfscale.trend.analysis import Trend
    from perfscale.trend.changes import Change
    from perfscale.trend.history import Collected

_MOST_PLOTS: Final = 40
_MOST_LEFT_OUT: Final = 50
_GAP: Final = 20
"""So many times as long as between most values, and so many days, is a gap."""
_SHORTEST_GAP: Final = 7.0
_FEW_DAYS: Final = timedelta(days=10)


@dataclass(frozen=True, slots=True)
class ShownChange:
    """A change as a row of a table."""

    change: Change
    number: int
    at: str
    between: str
    worse: bool
    around: Sequence[str]


@dataclass(frozen=True, slots=True)
class ShownTrend:
    """A metric with its changes; without a plot where there are many others."""

    trend: Trend
    changes: Sequence[ShownChange]
    plot: Plot | None


def said_of(verdict: Verdict) -> str:
    """A verdict on all metrics, for a person."""
    words = {Verdict.SAME: "no difference", Verdict.NONE: "too few runs to say"}
    return words.get(verdict, verdict.value)


def write_trend(path: Path, collected: Collected, trends: Sequence[Trend]) -> None:
    """Write a page about series, which is replaced if it is there.

    At most 40 metrics are drawn, those with changes first; all are in tables.

    Raises:
        ResultsError: It cannot be written.
    """
    drawn = sorted(trends, key=lambda each: (each.verdict is not Verdict.WORSE, not each.changes))
    keys = {each.key: f"trend-{number}" for number, each in enumerate(drawn[:_MOST_PLOTS], 1)}
    page = render(
        "trend.html",
        verdict=verdict_of(trends),
        said=said_of(verdict_of(trends)),
        subjects=[
            (
                workload,
                collected.cluster_name(cluster),
                [_shown(each, keys.get(each.key)) for each in members],
            )
            for (workload, cluster), members in by_subject(trends).items()
        ],
        collected=collected,
        left_out=collected.left_out[:_MOST_LEFT_OUT],
    )
    try:
        write_file(path, page)
    except OSError as error:
        raise ResultsError(
            f"{path}: the page cannot be written: {error.strerror or error}"
        ) from error


def _shown(trend: Trend, key: str | None) -> ShownTrend:
    changes = [
        ShownChange(
            change,
            number,
            day(trend, change.index),
            between(trend, change),
            trend.is_worse(change),
            around,
        )
        for number, (change, around) in enumerate(
            zip(trend.changes or (), trend.around, strict=True), start=1
        )
    ]
    return ShownTrend(trend, changes, None if key is None else _plot(key, trend))


def day(trend: Trend, index: int) -> str:
    """When a value was measured: to the day, or the minute where days tell nothing apart."""
    short = trend.sources[-1].at - trend.sources[0].at < _FEW_DAYS
    return f"{trend.sources[index].at:{'%m-%d %H:%M' if short else '%Y-%m-%d'}}"


def between(trend: Trend, change: Change) -> str:
    """The moments between which a change was, with 95 %."""
    return f"{day(trend, change.first - 1)} to {day(trend, change.last)}"


def _plot(key: str, trend: Trend) -> Plot:
    begin = trend.sources[0].at
    days = [(each.at - begin) / timedelta(days=1) for each in trend.sources]
    at, measured, levels = _with_gaps(days, trend)
    series = (Series("measured", measured), Series("level", levels))
    numbered = [(days[each.index], str(n)) for n, each in enumerate(trend.changes or (), 1)]
    lines = Lines("a change of level", "change", tuple(numbered))
    better = "Higher is better." if trend.higher_is_better else "Lower is better."
    return Plot(
        key=key,
        title=trend.key.metric,
        note=f"{len(trend.values)} values{_doubts(trend)}. {better}",
        x=over_days("date (UTC)", begin, at[-1]),
        y=from_zero(trend.unit or "value", highest(series), to_tick=True),
        at=at,
        series=series,
        marks=Marks(lines=(lines,) if numbered else ()),
    )


def _doubts(trend: Trend) -> str:
    """How many values are of runs that a reader should know something of."""
    marks = Counter(each.mark for each in trend.sources if each.mark)
    return "".join(f", {count} of {mark} runs" for mark, count in marks.items())


def _with_gaps(
    days: Sequence[float], trend: Trend
) -> tuple[list[float], list[float | None], list[float | None]]:
    """Places, values and levels; where nothing was measured for long, the lines are interrupted."""
    usual = median(b - a for a, b in pairwise(days)) if len(days) > 1 else 0.0
    longest = max(_GAP * usual, _SHORTEST_GAP)
    at: list[float] = []
    measured: list[float | None] = []
    levels: list[float | None] = []
    for place, value, level in zip(days, trend.values, trend.levels, strict=True):
        if at and place - at[-1] > longest:
            at.append((at[-1] + place) / 2)
            measured.append(None)
            levels.append(None)
        at.append(place)
        measured.append(value)
        levels.append(level)
    return at, measured, levels
