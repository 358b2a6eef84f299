"""Runs against another one, on one page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from perfscale.errors import ResultsError
from perfscale.results.comparison import Verdict, by_subject, worst
from perfscale.results.files import write_file
from perfscale.results.pages.figures import Distributions, distribution_plot
from perfscale.results.pages.loads import MOST_SERIES
from perfscale.results.pages.rendering import render

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from perfscale.results.comparison import ComparedRun, Comparison, Subject
    from perfscale.results.measure.statistics.percentiles import LatencySamples
    from perfscale.results.pages.plots import Plot

_BASE: Final = "base"


def write_comparison(path: Path, comparisons: Sequence[Comparison]) -> None:
    """Write a page about runs that were compared with one and the same other run.

    Args:
        path: The file, which is replaced if it is there.
        comparisons: One for each run, at least one.

    Raises:
        ResultsError: It cannot be written.
    """
    named = {
        "new" if len(comparisons) == 1 else f"new {number}": comparison
        for number, comparison in enumerate(comparisons, start=1)
    }
    runs = {_BASE: comparisons[0].base, **{name: each.new for name, each in named.items()}}
    page = render(
        "comparison.html",
        verdict=worst(each.verdict for each in comparisons).value,
        runs=runs,
        comparisons=named,
        by_subject=by_subject,
        plots=list(_plots(runs, comparisons)),
    )
    try:
        write_file(path, page)
    except OSError as error:
        raise ResultsError(
            f"{path}: the comparison cannot be written: {error.strerror or error}"
        ) from error


def _plots(runs: Mapping[str, ComparedRun], comparisons: Sequence[Comparison]) -> Iterator[Plot]:
    """The latencies that are judged, of all runs in one plot."""
    judged = dict.fromkeys(
        (row.subject, row.measure)
        for comparison in comparisons
        for row in comparison.rows
        if row.subject.kind and row.verdict is not Verdict.NONE and row.statistic
    )
    for number, (subject, measure) in enumerate(judged, start=1):
        found = {name: _samples(run, subject, measure) for name, run in runs.items()}
        samples = {name: each for name, each in found.items() if each is not None and each.values}
        if len(samples) > 1:
            shown = dict(list(samples.items())[:MOST_SERIES])
            title = f"{subject}, {measure}"
            yield distribution_plot(f"distribution-{number}", Distributions(shown), title)


def _samples(run: ComparedRun, subject: Subject, measure: str) -> LatencySamples | None:
    if subject.operation is not None:
        done = run.operations.of(subject.workload, subject.operation, subject.kind or "")
        return None if done is None else done.named(measure)
    kinds = run.samples.of(subject.workload, children=subject.children)
    tally = kinds.get(subject.kind or "")
    return None if tally is None else tally.latency(measure)
