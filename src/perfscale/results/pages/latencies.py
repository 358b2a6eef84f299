"""The latencies of a run as its page shows them: a section for each workload and kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from perfscale.results.pages.figures import distribution_plot

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from perfscale.results.folder.reading import RunFiles
    from perfscale.results.measure.samples import LifeSamples
    from perfscale.results.pages.palette import Palette
    from perfscale.results.pages.plots import Plot
    from perfscale.results.pages.story import Story

_EARLIEST: Final = "earliest"
"""What of a latency is no statistic, but how much shorter they all may be."""
_BARS: Final = ("p50", "p90", "p95", "p99", "p99.9", "max")
"""The statistics that are compared by eye, and so have bars."""


@dataclass(frozen=True, slots=True)
class KindSection:
    """One kind of one workload.

    Attributes:
        key: Its id on the page.
        workload: Name of the workload.
        kind: The kind.
        children: Whether controllers made the objects.
        path: Where the summary has it, as keys and indices with dots between.
        told: All that the summary has of it.
        latencies: The statistics of each latency, as in the summary.
        plot: Their distributions; None where there are no records.
    """

    key: str
    workload: str
    kind: str
    children: bool
    path: str
    told: Mapping[str, Any]
    latencies: Mapping[str, Mapping[str, Any]]
    plot: Plot | None

    @property
    def statistics(self) -> list[str]:
        """Names of the statistics, in the summary's order."""
        return [name for name in next(iter(self.latencies.values()), {}) if name != _EARLIEST]

    @property
    def longest(self) -> float:
        """The longest time in the table, which has the longest bar."""
        return max(
            (each.get(name) or 0.0 for each in self.latencies.values() for name in _BARS),
            default=0.0,
        )

    def bar(self, latency: str, statistic: str) -> float | None:
        """Length of a bar in percent; None for a statistic that has none."""
        value: float | None = self.latencies[latency].get(statistic)
        if statistic not in _BARS or value is None or not self.longest:
            return None
        return round(100 * value / self.longest, 2)


def kind_sections(run: RunFiles, story: Story, palette: Palette) -> Iterator[KindSection]:
    """The sections, in the order in which the workloads ran."""
    for number, workload in enumerate(run.summary["workloads"], start=1):
        for children in (False, True):
            tallied = story.samples.of(workload["name"], children=children)
            kinds = "childKinds" if children else "kinds"
            for kind, told in workload[kinds].items():
                key = f"latency-{number}-{kind}{'-children' if children else ''}"
                latencies = run.latencies(kind, told)
                yield KindSection(
                    key=f"section-{key}",
                    workload=workload["name"],
                    kind=kind,
                    children=children,
                    path=f"workloads.{number - 1}.{kinds}.{kind}",
                    told=told,
                    latencies=latencies,
                    plot=_plot(key, latencies, tallied[kind], palette) if kind in tallied else None,
                )


def _plot(key: str, latencies: Iterable[str], tally: LifeSamples, palette: Palette) -> Plot | None:
    samples = {name: tally.latency(name) for name in latencies}
    drawn = {name: each for name, each in samples.items() if each is not None}
    return distribution_plot(key, drawn, palette=palette) if drawn else None
