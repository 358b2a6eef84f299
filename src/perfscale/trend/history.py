"""What was measured when: one series for each workload, cluster and metric.

Thousands of files have hundreds of numbers each, so a value is no object: it takes 12 bytes, in
arrays, and shares with all others of its file what is known of that.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from pathlib import Path


class Key(NamedTuple):
    """What a series is about.

    The cluster is the address of its API server; empty where a file does not say.
    """

    workload: str
    cluster: str
    metric: str


class Measured(NamedTuple):
    """One number of a file: whether higher ones are better; None for one that was not reached."""

    key: Key
    value: float | None
    unit: str
    higher_is_better: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """A run, or a file of results.

    Attributes:
        path: The run's folder, or the file.
        run_id: None of a file that no run of ours wrote.
        mark: What a reader of its values should know, in a word; empty if nothing.
    """

    path: Path
    at: datetime
    run_id: str | None = None
    mark: str = ""


@dataclass(slots=True)
class Series:
    """The values of one metric, each with the number of its source."""

    key: Key
    unit: str
    higher_is_better: bool
    values: array[float] = field(default_factory=lambda: array("d"))
    sources: array[int] = field(default_factory=lambda: array("L"))


class LeftOut(NamedTuple):
    """A run or a file of which nothing is in the series, and why."""

    path: Path
    why: str


@dataclass(slots=True)
class Collected:
    """Everything that was read.

    Attributes:
        clusters: What a person calls each cluster.
        left_out: Runs and files whose numbers are not to be compared with others.
        foreign: How many files were no results at all; they are passed over.
        not_reached: How many values are missing since a percentile was not reached.
    """

    sources: list[Source] = field(default_factory=list)
    series: dict[Key, Series] = field(default_factory=dict)
    clusters: dict[str, str] = field(default_factory=dict)
    left_out: list[LeftOut] = field(default_factory=list)
    foreign: int = 0
    not_reached: int = 0

    def cluster_name(self, cluster: str) -> str:
        """What to call a cluster, with its address where another one is called the same."""
        name = self.clusters.get(cluster, cluster)
        alone = list(self.clusters.values()).count(name) <= 1
        return name if alone else f"{name} ({cluster})"

    def add(self, source: Source, measured: Iterable[Measured]) -> None:
        """Take the numbers of a run or a file."""
        number = len(self.sources)
        self.sources.append(source)
        for each in measured:
            if each.value is None:
                self.not_reached += 1
                continue
            series = self.series.get(each.key)
            if series is None:
                series = Series(each.key, each.unit, each.higher_is_better)
                self.series[each.key] = series
            series.values.append(each.value)
            series.sources.append(number)
