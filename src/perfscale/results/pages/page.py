"""``report.html``: a run on one page that needs nothing else, no network either."""

from __future__ import annotations

from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING, Final

from perfscale.errors import ResultsError
from perfscale.results.files import write_file
from perfscale.results.folder.reading import RunFiles, read_run_files
from perfscale.results.pages.audit import audit_section
from perfscale.results.pages.bands import bands_of, interruptions_of
from perfscale.results.pages.environment import cleanup_of, environment, is_simulated
from perfscale.results.pages.figures import (
    iteration_plot,
    load_plots,
    phase_plots,
)
from perfscale.results.pages.latencies import kind_sections
from perfscale.results.pages.palette import Palette, palette_of
from perfscale.results.pages.rendering import render
from perfscale.results.pages.slowest import REQUEST
from perfscale.results.pages.story import Story
from perfscale.results.pages.timeline import Timeline

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from perfscale.results.model.document import Iteration, Summary, Workload
    from perfscale.results.pages.plots import Plot
    from perfscale.results.pages.slowest import Slow

REPORT_FILE: Final = "report.html"
_MOST_ITERATIONS: Final = 100
"""Rows of the table of iterations."""


def write_page(folder: Path) -> Path:
    """Make ``report.html`` from the other files of a run; returns its path.

    Its size does not grow with the number of objects: plots have a bounded
    number of points, and tables a bounded number of rows.

    Raises:
        ResultsError: A file cannot be read, with its name and line; or the page
            cannot be written.
    """
    path = folder / REPORT_FILE
    page = run_page(read_run_files(folder))
    try:
        write_file(path, page)
    except OSError as error:
        raise ResultsError(f"{path}: it cannot be written: {error.strerror or error}") from error
    return path


def run_page(run: RunFiles) -> str:
    """The page as text."""
    story = Story(run)
    points = run.timeseries()
    timeline = Timeline(points) if points else None
    summary = run.summary
    bands = bands_of(summary)
    palette = palette_of(run.paths, summary)
    return render(
        "run.html",
        title=_title(run),
        summary=summary,
        workload_yaml=run.workload_yaml,
        has_records=run.has_records,
        load_plots=[] if timeline is None else list(load_plots(timeline, summary, bands)),
        phase_plots=[]
        if timeline is None
        else list(phase_plots(timeline, summary, bands, palette)),
        sections=list(kind_sections(run, story, palette)),
        iterations=list(_iterations(summary)),
        slowest=_slowest(story, palette),
        failures=story.failures.found(),
        audit=None if run.audit is None else audit_section(run.audit, bands),
        environment=environment(run),
        interruptions=interruptions_of(summary),
        simulated=is_simulated(run),
        cleanup=cleanup_of(run),
    )


def _title(run: RunFiles) -> str:
    return ", ".join(workload.name for workload in run.summary.workloads)


@dataclass(frozen=True, slots=True)
class SlowestSection:
    """The slowest objects.

    Attributes:
        objects: The slowest first.
        colours: Every phase that one of them was in, in the order in which they come, with
            the number of its colour.
    """

    objects: list[Slow]
    colours: dict[str, int]

    @property
    def longest_s(self) -> float:
        """How long the slowest took."""
        return self.objects[0].ready_after_s or 1.0


def _slowest(story: Story, palette: Palette) -> SlowestSection:
    found = story.slowest.found()
    seen = {stay.phase: palette.of(stay.phase) for slow in found for stay in slow.stays}
    request = {REQUEST: seen.pop(REQUEST)} if REQUEST in seen else {}
    # The palette has given its numbers in the order of the path to readiness.
    return SlowestSection(found, request | dict(sorted(seen.items(), key=itemgetter(1))))


@dataclass(frozen=True, slots=True)
class IterationSection:
    """The iterations of a workload that has more than one.

    Attributes:
        workload: The workload, as in the summary.
        plot: How readiness changed.
        shown: The iterations in the table, as in the summary.
    """

    workload: Workload
    plot: Plot
    shown: list[Iteration]


def _iterations(summary: Summary) -> Iterator[IterationSection]:
    for number, workload in enumerate(summary.workloads, start=1):
        plot = iteration_plot(f"iterations-{number}", workload)
        if plot is not None:
            yield IterationSection(workload, plot, workload.iterations[:_MOST_ITERATIONS])
