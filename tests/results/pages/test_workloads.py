"""Plots of a run of several workloads."""

from __future__ import annotations

from perfscale.results.measure.timeseries import LoadPoint, Population, TimePoint
from perfscale.results.pages.timeline import Timeline


def point(index: int, **sent: int) -> TimePoint:
    population = Population(0, sum(sent.values()), 0, 0, 0, 0, 0.0, 0.0, 0, {})
    loads = {name: LoadPoint(0, count, count, count) for name, count in sent.items()}
    return TimePoint(index * 0.5, 0.5, population, population, loads)


def test_each_workload_has_a_rate_and_a_line_of_its_own() -> None:
    timeline = Timeline([point(1, a=1, b=0), point(2, a=2, b=4), point(3, a=0, b=2)])
    assert timeline.loads == ["a", "b"]
    assert [timeline.rates_of(name)["sent"] for name in "ab"] == [[3.0, 0.0], [4.0, 2.0]]
    assert [timeline.done_of(name) for name in "ab"] == [[0, 1, 3, 3], [0, 0, 4, 6]]


def test_a_single_workload_has_none_beside_that_of_the_run() -> None:
    assert Timeline([point(1)]).loads == []
