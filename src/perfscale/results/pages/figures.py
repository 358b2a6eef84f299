"""Which plots a run's page has, and what each of them shows."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from perfscale.config.sections.metrics import Latency
from perfscale.results.pages.loads import (
    MOST_SERIES,
    SINCE_START,
    named_rates,
    rate_plot,
    request_plots,
)
from perfscale.results.pages.marks import NONE
from perfscale.results.pages.plots import Plot, Series, Shape, highest
from perfscale.results.pages.scales import Axis, from_zero, of_latencies
from perfscale.results.pages.slowest import ANSWERED, REQUEST
from perfscale.results.pages.timeline import DUE, NO_PHASE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from perfscale.results.model.document import (
        Iteration,
        Operation,
        Statistics,
        Summary,
        Workload,
    )
    from perfscale.results.pages.marks import Marks
    from perfscale.results.pages.timeline import KindKey, Timeline

_MOST_ITERATIONS: Final = 300
COLOURS: Final = 12
"""Those that the style sheet has, from ``c0`` on."""
_REQUEST_COLOUR: Final = 7


class Palette:
    """Gives each name a number of a colour, in the order in which they first come.

    Args:
        names: Those that are known beforehand.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._numbers = {REQUEST: _REQUEST_COLOUR, Latency.CREATION: _REQUEST_COLOUR}
        self._next = 0
        for name in names:
            self.of(name)

    def of(self, name: str) -> int:
        """The colour of a phase, or of what stands among them."""
        if name not in self._numbers:
            if self._next == _REQUEST_COLOUR:
                self._next += 1
            self._numbers[name] = self._next % COLOURS
            self._next += 1
        return self._numbers[name]


def palette_of(paths: Mapping[str, Sequence[str]], summary: Summary) -> Palette:
    """Of the phases of a run: first those on the way to readiness, in their order."""
    seen = (
        phase
        for workload in summary.workloads
        for kinds in (workload.kinds, workload.child_kinds)
        for kind in kinds.values()
        for phase in kind.phases
    )
    return Palette([ANSWERED, *(phase for path in paths.values() for phase in path), *seen])


def load_plots(timeline: Timeline, summary: Summary, marks: Marks = NONE) -> Iterator[Plot]:
    """The rate, and how far objects had got, over the run."""
    width = f"in intervals of {timeline.width_s:g} s"
    creates = timeline.create_rates()
    if not any(each.rate.target_qps for each in summary.workloads):
        creates.pop(DUE, None)
    note = (
        f"Creates a second, {width}. "
        + ("Where fewer were sent than were due, the load was held back. " * (DUE in creates))
        + "Where fewer were accepted than were sent, the server was slow, gone, or refused some."
    )
    title = named_rates(creates)
    title = f"Creates: {title}" if len(summary.workloads) > 1 else title.capitalize()
    if summary.objects.requested or not timeline.loads:
        yield rate_plot(timeline, creates, marks, key="rate", title=title, note=note)
    yield from request_plots(timeline, summary, marks)
    if summary.objects.deleted:
        note = (
            f"Deletions a second, {width}. Many are asked for with one request; how fast they are "
            "seen gone is the cluster's doing."
        )
        rates = timeline.deletion_rates()
        title = "Rate of deletions"
        yield rate_plot(timeline, rates, marks, key="deletion-rate", title=title, note=note)
    if not summary.objects.requested and timeline.loads:
        return
    progress = tuple(Series(name, counts) for name, counts in timeline.progress().items())
    yield Plot(
        key="progress",
        title="Creations and deletions",
        note="How many objects had got so far. A steady gap between two lines is a steady delay; "
        "one that grows means that the cluster fell behind.",
        x=from_zero(SINCE_START, timeline.at_s[-1]),
        y=from_zero("objects", highest(progress), to_tick=True),
        at=timeline.at_s,
        series=progress,
        marks=marks,
    )


def phase_plots(
    timeline: Timeline, summary: Summary, marks: Marks, palette: Palette
) -> Iterator[Plot]:
    """The objects in the cluster by phase, over the run; a plot for each kind."""
    for key, counts in timeline.phases().items():
        order = [NO_PHASE, *_known_phases(summary, key), *counts]
        phases = [phase for phase in dict.fromkeys(order) if phase in counts]
        series = _at_most(Series(phase, counts[phase], palette.of(phase)) for phase in phases)
        yield Plot(
            key=f"phases-{key.kind}{'-children' if key.children else ''}",
            title=f"{key.kind}{' (children)' if key.children else ''} by phase",
            note="How many were in the cluster at each instant, by the phase in which each was "
            "last newly seen. Together the bands are all of them.",
            x=from_zero(SINCE_START, timeline.at_s[-1]),
            y=from_zero("objects", highest(series, stacked=True), to_tick=True),
            at=timeline.at_s,
            series=series,
            shape=Shape.STACK,
            marks=marks,
        )


def _known_phases(summary: Summary, key: KindKey) -> Iterator[str]:
    """Phases in the summary's order, which has those on the way to readiness first."""
    for workload in summary.workloads:
        kinds = workload.child_kinds if key.children else workload.kinds
        if key.kind in kinds:
            yield from kinds[key.kind].phases


def _at_most(series: Iterable[Series]) -> tuple[Series, ...]:
    """The same stack; the bands for which there is no colour are one."""
    every = list(series)
    if len(every) <= MOST_SERIES:
        return tuple(every)
    kept, rest = every[: MOST_SERIES - 1], every[MOST_SERIES - 1 :]
    values = [
        sum(value or 0 for value in column)
        for column in zip(*(each.values for each in rest), strict=True)
    ]
    return (*kept, Series("other phases", values, COLOURS - 1))


class Latencies(Protocol):
    """Any number of latencies of one sort."""

    def ends(self) -> tuple[float, ...]:
        """The shortest and the longest; nothing where there is none."""

    def cumulate(self, bounds_s: Sequence[float]) -> list[int]:
        """How many are not longer than each bound, in ascending order; at the end, all."""


class Distributions(NamedTuple):
    """Latencies to draw, each a line of so many ``points``, and what is said beneath."""

    latencies: Mapping[str, Latencies]
    note: str = (
        "The share of {what} that had got there after so many seconds. What never got there "
        "counts: a line that ends below 100 % is missing {what}."
    )
    points: int = 240


def distribution_plot(
    key: str,
    drawn: Distributions,
    title: str = "Cumulative distribution",
    *,
    palette: Palette | None = None,
    what: str = "objects",
) -> Plot:
    """How many objects had got how far after how long, as a share of all that should.

    Args:
        key: The plot's id.
        drawn: The lines, one or more.
        title: The plot's.
        palette: The colours of phases, where it is phases.
        what: Whose latencies they are.
    """
    axis = of_latencies([end for each in drawn.latencies.values() for end in each.ends()])
    places = _places(axis, drawn.points)
    return Plot(
        key=key,
        title=title,
        note=drawn.note.format(what=what),
        x=axis,
        y=Axis(f"% of {what}", 0.0, 100.0, (0.0, 25.0, 50.0, 75.0, 100.0)),
        at=places,
        series=tuple(
            Series(name, _shares(each, places), None if palette is None else palette.of(name))
            for name, each in list(drawn.latencies.items())[:MOST_SERIES]
        ),
    )


def _places(axis: Axis, points: int) -> list[float]:
    steps = (index / points for index in range(points + 1))
    if axis.logarithmic:
        return [axis.low * (axis.high / axis.low) ** step for step in steps]
    return [axis.low + (axis.high - axis.low) * step for step in steps]


def _shares(latencies: Latencies, places: Sequence[float]) -> list[float]:
    *counts, everything = latencies.cumulate(places)
    return [100.0 * count / (everything or 1) for count in counts]


def iteration_plot(key: str, workload: Workload) -> Plot | None:
    """Readiness, or the effect, iteration by iteration; None for a single one."""
    every = -(-len(workload.iterations) // _MOST_ITERATIONS)
    iterations = workload.iterations[:: every or 1]
    if len(iterations) < 2:
        return None
    measured = _measured(workload)[: MOST_SERIES // 2]
    series = tuple(
        Series(
            f"{name}, {statistic}" if len(measured) > 1 else statistic,
            [_statistic(latency(each), statistic) for each in iterations],
        )
        for name, latency in measured
        for statistic in ("p50", "p99")
    )
    numbers = [each.iteration for each in iterations]
    return Plot(
        key=key,
        title="Readiness by iteration" if workload.kinds else "Until done, by iteration",
        note="A line that climbs means that an iteration left something behind for the next. "
        "Where a percentile was not reached, the line is interrupted."
        + (f" One iteration in {every} is drawn." if every > 1 else ""),
        x=Axis("iteration", 1.0, float(numbers[-1]), whole_ticks(numbers[-1])),
        y=from_zero("seconds", highest(series), to_tick=True),
        at=numbers,
        series=series,
    )


def _measured(
    workload: Workload,
) -> list[tuple[str, Callable[[Iteration], Statistics | None]]]:
    """What is drawn of a workload: readiness of each kind, or the effect of each operation."""
    return [
        *((kind, partial(_readiness, kind)) for kind in workload.kinds),
        *((each.operation, partial(_effect, each)) for each in workload.operations),
    ]


def _readiness(kind: str, iteration: Iteration) -> Statistics | None:
    found = iteration.kinds.get(kind)
    return None if found is None else found.phases.get(Latency.READY)


def _effect(wanted: Operation, iteration: Iteration) -> Statistics | None:
    keys = wanted.operation, wanted.kind
    found = (each for each in iteration.operations if (each.operation, each.kind) == keys)
    return next((each.effect for each in found), None)


def _statistic(latency: Statistics | None, name: str) -> float | None:
    return None if latency is None else latency.get(name)


def whole_ticks(last: int) -> tuple[float, ...]:
    """What to write beside an axis of whole numbers, from 1 on."""
    ticks = from_zero("", float(last)).ticks
    return tuple(dict.fromkeys((1.0, *(tick for tick in ticks if tick > 1 and tick == int(tick)))))
