"""The workloads of a run beside each other, each in one colour in every plot."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, TypeAlias

from perfscale.results.measure.latencies import ready_s
from perfscale.results.measure.operations.latencies import done_s
from perfscale.results.measure.tallies.churn import SketchedLatency
from perfscale.results.pages.plots import Plot, Series, Shape, highest
from perfscale.results.pages.scales import from_zero, of_latencies
from perfscale.results.pages.timeline import DUE, SENT

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping, Sequence

    from perfscale.results.model.document import Summary, Workload
    from perfscale.results.model.operations import OperationRecord
    from perfscale.results.model.records import ObjectRecord
    from perfscale.results.pages.marks import Marks
    from perfscale.results.pages.timeline import Timeline

    Statistics: TypeAlias = Sequence[float | None]

SINCE_START: Final = "seconds since the run's start"
MOST_SERIES: Final = 8
"""Colours that everybody can distinguish."""
_SPANS: Final = 60
"""Points of a latency over time."""
STATISTICS: Final = {"p50": 0.5, "p99": 0.99}
"""What is drawn of a latency over time, and of which quantile it is."""


def request_plots(timeline: Timeline, summary: Summary, marks: Marks) -> Iterator[Plot]:
    """The rates, and how far each workload had got, of a run of several, or with operations."""
    workloads = _shown(summary, timeline.loads)
    if not workloads:
        return
    width = f"in intervals of {timeline.width_s:g} s"
    rates = {each.name: timeline.rates_of(each.name) for _, each in workloads}
    if len(workloads) > 1:
        yield rate_plot(
            timeline,
            {_title(each): rates[each.name][SENT] for _, each in workloads},
            marks,
            key="workload-rate",
            title="Rate of each workload",
            note=f"Requests that were sent, a second, {width}.",
            colours=[n for n, _ in workloads],
        )
    for number, each in workloads:
        if each.operation == "create":
            continue  # the creates of all have a plot
        found = rates[each.name]
        if not each.rate.target_qps:
            found.pop(DUE, None)
        yield rate_plot(
            timeline,
            found,
            marks,
            key=f"rate-{number + 1}",
            title=f"{_title(each)}: {named_rates(found)}",
            note=f"Requests a second, {width}.",
        )
    done = tuple(Series(_title(each), timeline.done_of(each.name), n) for n, each in workloads)
    yield Plot(
        key="workload-done",
        title="Done so far, of each workload",
        note="How many objects of each had been seen ready, or operations seen done.",
        x=from_zero(SINCE_START, timeline.at_s[-1]),
        y=from_zero("objects, or operations", highest(done), to_tick=True),
        at=timeline.at_s,
        series=done,
        marks=marks,
    )


def named_rates(rates: Container[str]) -> str:
    """What a plot of these rates is called: how many were due is known after the run alone."""
    return f"{'offered, ' if DUE in rates else ''}sent and accepted rate"


def rate_plot(
    timeline: Timeline,
    rates: Mapping[str, Sequence[float]],
    marks: Marks,
    *,
    key: str,
    title: str,
    note: str,
    colours: Sequence[int] | None = None,
) -> Plot:
    """Rates over the run: a line for each, by its name; see `Plot` for the others.

    ``colours`` are those of the lines; None takes one after the other.
    """
    given = [None] * len(rates) if colours is None else colours
    series = tuple(
        Series(name, values, colour)
        for (name, values), colour in zip(rates.items(), given, strict=True)
    )
    return Plot(
        key=key,
        title=title,
        note=note,
        x=from_zero(SINCE_START, timeline.at_s[-1]),
        y=from_zero("a second", highest(series), to_tick=True),
        at=timeline.rates_s,
        series=series,
        shape=Shape.STEPS,
        marks=marks,
    )


def _shown(summary: Summary, names: Sequence[str]) -> list[tuple[int, Workload]]:
    """As many as colours can tell apart, with the number of the colour."""
    numbered = enumerate(summary.workloads)
    return [(n, each) for n, each in numbered if each.name in names][:MOST_SERIES]


def _title(workload: Workload) -> str:
    """A workload as legends call it."""
    if workload.operation in {"create", workload.name}:
        return workload.name
    return f"{workload.name} ({workload.operation})"


class LatencyTimes:
    """How long requests took, by when they were sent: of creates until ready, of others until done.

    Args:
        duration_s: Of the run.
    """

    def __init__(self, duration_s: float) -> None:
        self._width_s = max(1.0, math.ceil(duration_s / _SPANS))
        self._latencies: dict[str, dict[int, SketchedLatency]] = {}

    def add(self, record: ObjectRecord) -> None:
        """Count one object; children were not requested."""
        if record.replica is not None and record.sent_s is not None:
            self._count(record.workload, record.sent_s, ready_s(record))

    def add_operation(self, record: OperationRecord) -> None:
        """Count one operation."""
        if record.sent_s is not None:
            self._count(record.workload, record.sent_s, done_s(record))

    def plots(self, summary: Summary, marks: Marks) -> Iterator[Plot]:
        """One for each statistic, with a line for each workload."""
        spans = [number for spans in self._latencies.values() for number in spans]
        if len(set(spans)) < 2:
            return
        numbers = range(max(*spans, int(summary.duration_seconds / self._width_s)) + 1)
        times = {
            name: [self._statistics(name, number) for number in numbers] for name in self._latencies
        }
        note = (
            "By when the request was sent: of creates until ready, of other operations until "
            f"done, in intervals of {self._width_s:g} s. A line that climbs means that the "
            "cluster falls behind; it is interrupted where nothing was sent, or where the "
            "percentile was not reached."
        )
        yield from latency_plots(times, self._width_s, note, summary, marks)

    def _count(self, workload: str, sent_s: float, reached_s: float | None) -> None:
        spans = self._latencies.setdefault(workload, {})
        number = int(sent_s / self._width_s)
        latency = spans.get(number)
        if latency is None:
            latency = spans[number] = SketchedLatency()
        latency.add(None if reached_s is None else reached_s - sent_s)

    def _statistics(self, workload: str, number: int) -> Statistics:
        """The percentiles of one interval."""
        latency = self._latencies[workload].get(number)
        if latency is None:
            return [None] * len(STATISTICS)
        summary = latency.summarize()
        return [getattr(summary, name) for name in STATISTICS]


def latency_plots(
    times: Mapping[str, Sequence[Statistics]],
    width_s: float,
    note: str,
    summary: Summary,
    marks: Marks,
) -> Iterator[Plot]:
    """Latencies over time: a plot for each statistic, with a line for each workload.

    Args:
        times: By workload, what `STATISTICS` were in each interval; None where there is none.
        width_s: Of an interval, in seconds.
        note: How to read it.
        summary: Of the run.
        marks: What is marked on them.
    """
    workloads = _shown(summary, list(times))
    lines = {
        statistic: tuple(
            Series(_title(each), [values[place] for values in times[each.name]], n)
            for n, each in workloads
        )
        for place, statistic in enumerate(STATISTICS)
    }
    if len(workloads) == 1:
        of_one = tuple(Series(name, each.values) for name, (each,) in lines.items())
        lines = {"": of_one}
    for statistic, series in lines.items():
        # What was reached nowhere has no line.
        drawn = tuple(each for each in series if any(value is not None for value in each.values))
        if not drawn:
            continue
        reached = [value for each in drawn for value in each.values if value is not None]
        yield Plot(
            key=f"latency-over-time-{statistic}".rstrip("-"),
            title=f"Latency over time, {statistic}".rstrip(", "),
            note=note,
            x=from_zero(SINCE_START, summary.duration_seconds),
            y=of_latencies(reached, margin=1.5, to_tick=True),
            at=[number * width_s for number in range(len(drawn[0].values))],
            series=drawn,
            shape=Shape.STEPS,
            marks=marks,
        )
