"""The latencies of a run as its page shows them: a section for each workload and kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from perfscale.results.pages.figures import distribution_plot

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from perfscale.results.folder.reading import RunFiles
    from perfscale.results.measure.samples import LifeSamples, Samples
    from perfscale.results.model.document import Kind, Statistics
    from perfscale.results.pages.palette import Palette
    from perfscale.results.pages.plots import Plot

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
        measured: All that the summary has of it.
        latencies: The statistics of each latency, as in the summary.
        plot: Their distributions; None where there are no records.
    """

    key: str
    workload: str
    kind: str
    children: bool
    path: str
    measured: Kind
    latencies: Mapping[str, Statistics]
    plot: Plot | None

    @property
    def longest(self) -> float:
        """The longest time in the table, which has the longest bar."""
        return max(
            (each.get(name) or 0.0 for each in self.latencies.values() for name in _BARS),
            default=0.0,
        )

    def bar(self, latency: str, statistic: str) -> float | None:
        """Length of a bar in percent; None for a statistic that has none."""
        value = self.latencies[latency].get(statistic) if statistic in _BARS else None
        if value is None or not self.longest:
            return None
        return round(100 * value / self.longest, 2)


def kind_sections(run: RunFiles, samples: Samples, palette: Palette) -> Iterator[KindSection]:
    """The sections, in the order in which the workloads ran."""
    for number, workload in enumerate(run.summary.workloads, start=1):
        for children in (False, True):
            tallied = samples.of(workload.name, children=children)
            kinds = workload.child_kinds if children else workload.kinds
            key_of = "childKinds" if children else "kinds"
            for kind, measured in kinds.items():
                key = f"latency-{number}-{kind}{'-children' if children else ''}"
                latencies = run.latencies(kind, measured)
                yield KindSection(
                    key=f"section-{key}",
                    workload=workload.name,
                    kind=kind,
                    children=children,
                    path=f"workloads.{number - 1}.{key_of}.{kind}",
                    measured=measured,
                    latencies=latencies,
                    plot=_plot(key, latencies, tallied[kind], palette) if kind in tallied else None,
                )


def _plot(key: str, latencies: Iterable[str], tally: LifeSamples, palette: Palette) -> Plot | None:
    samples = {name: tally.latency(name) for name in latencies}
    drawn = {name: each for name, each in samples.items() if each is not None}
    return distribution_plot(key, drawn, palette=palette) if drawn else None
