"""Churn on the page: its rounds as a plot, and the last of them against the first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from perfscale.config.sections.metrics import Latency
from perfscale.results.pages.figures import whole_ticks
from perfscale.results.pages.plots import Plot, Series, highest
from perfscale.results.pages.scales import Axis, from_zero

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perfscale.results.model.document import ChurnedRound, Kind, Statistics, Summary


@dataclass(frozen=True, slots=True)
class ChurnSection:
    """The churn of one kind of one workload, or with ``children`` of what controllers made.

    Attributes:
        rows: Latencies to compare, each with what it is of; those of the last round at the end.
        plot: Round by round; None where there is but one.
    """

    workload: str
    kind: str
    children: bool
    rounds: int
    rows: list[tuple[str, Statistics]]
    plot: Plot | None


def churn_sections(summary: Summary) -> Iterator[ChurnSection]:
    """A section for each kind that churn replaced, in the order in which the workloads ran."""
    for number, workload in enumerate(summary.workloads, start=1):
        for children, kinds in ((False, workload.kinds), (True, workload.child_kinds)):
            for name, kind in kinds.items():
                if kind.churn is None or not kind.churn.rounds:
                    continue
                rounds = kind.churn.rounds
                key = f"churn-{number}-{name}{'-children' if children else ''}"
                yield ChurnSection(
                    workload=workload.name,
                    kind=name,
                    children=children,
                    rounds=rounds[-1].last,
                    rows=list(_rows(kind)),
                    plot=_plot(key, name, rounds) if len(rounds) > 1 else None,
                )


def _rows(kind: Kind) -> Iterator[tuple[str, Statistics]]:
    ready = kind.phases.get(Latency.READY)
    if ready is not None:
        yield "ready, of the first objects", ready
    if kind.churn is None:
        return
    rounds = kind.churn.rounds
    created = [each for each in rounds if each.ready.count + each.ready.missing]
    deleted = [each for each in rounds if each.deletion.count + each.deletion.missing]
    for each in dict.fromkeys((0, len(created) - 1) if created else ()):
        yield f"ready, {_named(created[each])}", created[each].ready
    for each in dict.fromkeys((0, len(deleted) - 1) if deleted else ()):
        yield f"gone, {_named(deleted[each])}", deleted[each].deletion


def _named(each: ChurnedRound) -> str:
    if each.first == each.last:
        return f"in round {each.first}"
    return f"in rounds {each.first} to {each.last}"


def _plot(key: str, kind: str, rounds: list[ChurnedRound]) -> Plot:
    numbers = [each.first for each in rounds]
    series = tuple(
        Series(
            f"{what} {statistic}",
            [latency(each).get(statistic) if latency(each).count else None for each in rounds],
        )
        for what, latency in (("ready", _ready), ("gone", _deletion))
        for statistic in ("p50", "p99")
    )
    together = rounds[0].last - rounds[0].first + 1
    return Plot(
        key=key,
        title=f"{kind} by round of churn",
        note="Until what a round created was ready, and what it deleted was gone. A line that "
        "climbs means that the cluster gets slower the longer the churn goes on."
        + (f" {together} rounds are drawn as one." if together > 1 else ""),
        x=Axis("round", 1.0, float(max(numbers[-1], 2)), whole_ticks(numbers[-1])),
        y=from_zero("seconds", highest(series), to_tick=True),
        at=numbers,
        series=series,
    )


def _ready(each: ChurnedRound) -> Statistics:
    return each.ready


def _deletion(each: ChurnedRound) -> Statistics:
    return each.deletion
