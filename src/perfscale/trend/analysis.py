"""What is to be said of each series: its levels, where it changed, and what else did there."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from statistics import median
from typing import TYPE_CHECKING, Final

from perfscale.errors import ResultsError, UsageError
from perfscale.results.comparison import Verdict, different_settings, worst
from perfscale.results.folder.reading import read_run_files

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from perfscale.trend.changes import Change, Limits
    from perfscale.trend.history import Collected, Key, Series, Source

_MOST_VALUES: Final = 5000
"""Of a longer series, the last are looked at: the search takes the square of their number."""
_FEWEST: Final = 6
"""Values of a series in which a change can be found: three of each level."""
_LEAST: Final = {"s": 0.020, "requests": 5.0}
"""By unit, what matters to nobody: 20 ms as in comparisons, and a handful of requests, of which
Prometheus estimates the number by rates."""


@dataclass(frozen=True, slots=True)
class Trend:
    """One metric over time.

    Attributes:
        sources: Where each value is from, in the order of time.
        changes: Those that are certain and large enough; None if there are too few values.
        around: For each change, what else was different from the last run that is surely before
            it to the first that is surely after it (95 %).
        verdict: Worse or better if the last values are, compared with those before them.
    """

    key: Key
    unit: str
    higher_is_better: bool
    sources: Sequence[Source]
    values: Sequence[float]
    changes: Sequence[Change] | None
    around: Sequence[Sequence[str]]
    verdict: Verdict

    @property
    def levels(self) -> list[float | None]:
        """The median of the level that each value is of."""
        if self.changes is None:
            return [None] * len(self.values)
        if not self.changes:
            return [median(self.values)] * len(self.values)
        borders = [0, *(each.index for each in self.changes), len(self.values)]
        medians = [self.changes[0].before, *(each.after for each in self.changes)]
        return [
            level
            for level, begin, end in zip(medians, borders, borders[1:], strict=False)
            for _ in range(begin, end)
        ]

    def is_worse(self, change: Change) -> bool:
        """Whether a change is to the worse."""
        return (change.share < 0) is self.higher_is_better


def analyse(
    collected: Collected, limits: Limits, *, recent: int, metrics: Sequence[str] = ()
) -> list[Trend]:
    """Every series over time: of each subject what has become worse first, steady ones last.

    Args:
        collected: What was measured.
        limits: From where on a change is one.
        recent: How many of the last values of a series are what is judged: an older change is
            what it was before.
        metrics: Patterns of the metrics to look at; without any, all.

    Raises:
        UsageError: The library that finds changes is not installed.
    """
    _require_library()
    differences = _Differences()
    trends = [
        _trend(series, collected.sources, limits, recent, differences)
        for series in collected.series.values()
        if not metrics or _matches(series.key.metric, metrics)
    ]
    return sorted(trends, key=_place)


def verdict_of(trends: Iterable[Trend]) -> Verdict:
    """What is to be said of all of them together."""
    verdicts = {each.verdict for each in trends}
    return Verdict.NONE if verdicts == {Verdict.NONE} else worst(verdicts)


def by_subject(trends: Iterable[Trend]) -> dict[tuple[str, str], list[Trend]]:
    """The trends of each workload and cluster."""
    found: defaultdict[tuple[str, str], list[Trend]] = defaultdict(list)
    for each in trends:
        found[each.key.workload, each.key.cluster].append(each)
    return dict(found)


def _matches(metric: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(metric.lower(), pattern.lower()) for pattern in patterns)


def _require_library() -> None:
    try:
        import perfscale.trend.detection  # noqa: F401, PLC0415 -- it takes half a second
    except ModuleNotFoundError as error:
        raise UsageError(
            f"changes are found by {error.name}, which is not installed",
            hint="pip install 'perfscale-load-generator[trend]'",
        ) from error


def _place(trend: Trend) -> tuple[object, ...]:
    """Where a trend stands: by subject, what is worse now, latencies, what has ever changed."""
    order = (Verdict.WORSE, Verdict.BETTER, Verdict.SAME, Verdict.NONE)
    changed = not trend.changes
    return (
        trend.key[:2], order.index(trend.verdict), changed, trend.unit != "s", trend.key.metric,
    )  # fmt: skip


def _trend(
    series: Series,
    sources: Sequence[Source],
    limits: Limits,
    recent: int,
    differences: _Differences,
) -> Trend:
    from perfscale.trend.detection import find_changes  # noqa: PLC0415

    ordered = _ordered(series, sources)
    of, values = [each[0] for each in ordered], [each[1] for each in ordered]
    limits = limits._replace(least=_LEAST.get(series.unit, 0.0))
    changes = find_changes(values, limits) if len(values) >= _FEWEST else None
    trend = Trend(
        series.key,
        series.unit,
        series.higher_is_better,
        of,
        values,
        changes,
        [differences.between(of[each.first - 1], of[each.last]) for each in changes or ()],
        Verdict.NONE if changes is None else Verdict.SAME,
    )
    if not changes or changes[-1].index < len(values) - recent:
        return trend
    return replace(trend, verdict=Verdict.WORSE if trend.is_worse(changes[-1]) else Verdict.BETTER)


def _ordered(series: Series, sources: Sequence[Source]) -> list[tuple[Source, float]]:
    """The values by time, each once: files may repeat what others have."""
    pairs = (
        (sources[number], value)
        for number, value in zip(series.sources, series.values, strict=True)
    )
    found: list[tuple[Source, float]] = []
    for source, value in sorted(pairs, key=lambda pair: pair[0].at):
        if not found or (source.at, value) != (found[-1][0].at, found[-1][1]):
            found.append((source, value))
    return found[-_MOST_VALUES:]


class _Differences:
    """What was different in two runs, read once for all metrics that changed between them."""

    def __init__(self) -> None:
        self._found: dict[tuple[Path, Path], list[str]] = {}

    def between(self, before: Source, after: Source) -> list[str]:
        """One sentence each; none for files that no run of ours wrote."""
        if before.run_id is None or after.run_id is None:
            return []
        paths = before.path, after.path
        if paths not in self._found:
            self._found[paths] = _read_differences(*paths)
        return self._found[paths]


def _read_differences(before: Path, after: Path) -> list[str]:
    try:
        base, new = read_run_files(before), read_run_files(after)
    except ResultsError as error:
        return [f"what else was different is not known: {error}"]
    tags = (
        f"tag {key}: {base.run.tags.get(key, 'not there')} before, "
        f"{new.run.tags.get(key, 'not there')} now"
        for key in dict.fromkeys((*base.run.tags, *new.run.tags))
        if base.run.tags.get(key) != new.run.tags.get(key)
    )
    return [*different_settings(base, new), *tags]
