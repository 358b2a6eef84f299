"""``report.html``: a run on one page that needs nothing else, no network either."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING, Final

from perfscale.errors import ResultsError
from perfscale.results.files import write_file
from perfscale.results.folder.reading import RunFiles, read_run_files
from perfscale.results.measure.failures import Failures
from perfscale.results.measure.samples import Samples
from perfscale.results.model.run import RunOutcome
from perfscale.results.pages.audit import audit_section
from perfscale.results.pages.bands import bands_of, interruptions_of
from perfscale.results.pages.figures import (
    iteration_plot,
    load_plots,
    phase_plots,
)
from perfscale.results.pages.latencies import kind_sections
from perfscale.results.pages.palette import Palette, palette_of
from perfscale.results.pages.rendering import render
from perfscale.results.pages.slowest import REQUEST, Slowest
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
_SIMULATED: Final = "+perfscale"
"""How the version of a simulated cluster ends."""


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
    slowest, failures = Slowest(), Failures()
    samples = Samples(run.paths, children=run.has_children)
    for record in run.records():
        slowest.add(record)
        failures.add(record)
        samples.add(record)
    points = run.timeseries()
    timeline = Timeline(points) if points else None
    summary = run.summary
    bands = bands_of(summary)
    palette = palette_of(run.paths, summary)
    return render(
        "run.html",
        title=", ".join(workload.name for workload in summary.workloads),
        summary=summary,
        workload_yaml=run.workload_yaml,
        has_records=run.has_records,
        load_plots=[] if timeline is None else list(load_plots(timeline, summary, bands)),
        phase_plots=[]
        if timeline is None
        else list(phase_plots(timeline, summary, bands, palette)),
        sections=list(kind_sections(run, samples, palette)),
        iterations=list(_iterations(summary)),
        slowest=_slowest(slowest.found(), palette),
        failures=failures.found(),
        audit=None if run.audit is None else audit_section(run.audit, bands),
        environment=_environment(run),
        interruptions=interruptions_of(summary),
        simulated=_is_simulated(run),
        cleanup=_cleanup(run),
    )


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


def _slowest(found: list[Slow], palette: Palette) -> SlowestSection:
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


def _is_simulated(run: RunFiles) -> bool:
    """Whether the cluster was a simulated one."""
    return (run.summary.cluster.version or "").endswith(_SIMULATED)


def _cleanup(run: RunFiles) -> str | None:
    """What to type to remove what is left, or may be; None where nothing can be."""
    summary = run.summary
    counts = (summary.objects, summary.children)
    left = any(each.created > each.deleted or each.unknown for each in counts)
    left = left or summary.namespaces.created > summary.namespaces.deleted
    return run.run.cleanup if left or summary.outcome is RunOutcome.KILLED else None


def _environment(run: RunFiles) -> dict[str, str]:
    """What to show, by its name; what is not known is left out."""
    cluster, client = run.summary.cluster, run.run.client
    kinds = (f"{each.kind} ({each.api_version})" for each in run.run.kinds)
    facts = {
        "cluster": cluster.server,
        "context": cluster.context,
        "Kubernetes": cluster.version,
        "nodes": cluster.nodes,
        "KubeVirt": cluster.kubevirt,
        "perfscale": client.version,
        "Python": client.python,
        "machine": client.platform,
        "CPUs": client.cpus,
        "workload file": run.run.source,
        "kinds": ", ".join(kinds),
        "command": shlex.join(run.run.command),
        "folder": run.folder.name,
    }
    return {name: str(value) for name, value in facts.items() if value}
