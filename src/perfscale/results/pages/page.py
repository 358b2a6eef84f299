"""``report.html``: a run on one page that needs nothing else, no network either."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from perfscale.errors import ResultsError
from perfscale.results.files import write_file
from perfscale.results.folder.reading import RunFiles, read_run_files
from perfscale.results.measure.failures import Failures
from perfscale.results.measure.operations.latencies import SamplesOfOperations
from perfscale.results.measure.operations.tally import count_failure
from perfscale.results.measure.samples import Samples
from perfscale.results.measure.slowest import Slowest
from perfscale.results.model.interruptions import BlindSpan, OutageRecord
from perfscale.results.model.run import RunOutcome, is_simulated
from perfscale.results.model.workload import say_iterations
from perfscale.results.pages.attribution import attribution_section
from perfscale.results.pages.audit import audit_section
from perfscale.results.pages.churn import churn_sections
from perfscale.results.pages.figures import (
    Distributions,
    Palette,
    distribution_plot,
    iteration_plot,
    load_plots,
    palette_of,
    phase_plots,
)
from perfscale.results.pages.loads import LatencyTimes
from perfscale.results.pages.marks import marks_of
from perfscale.results.pages.operations import LatencyTable, distributions_of, operation_sections
from perfscale.results.pages.rendering import render
from perfscale.results.pages.slowest import slowest_section
from perfscale.results.pages.timeline import Timeline
from perfscale.results.verdicts.interruptions import interruptions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from perfscale.results.model.document import (
        Cluster,
        Iteration,
        Kind,
        Statistics,
        Summary,
        Workload,
    )
    from perfscale.results.model.records import ObjectRecord
    from perfscale.results.pages.plots import Plot

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
    slowest: Slowest[ObjectRecord] = Slowest()
    failures = Failures()
    times = LatencyTimes(run.summary.duration_seconds)
    samples = Samples(run.paths, children=run.has_children)
    for record in run.records():
        slowest.add(record)
        failures.add(record)
        samples.add(record)
        times.add(record)
    operations = SamplesOfOperations()
    for operation in run.operations():
        count_failure(failures, operation)
        operations.add(operation)
        times.add_operation(operation)
    points = run.timeseries()
    timeline = Timeline(points) if points else None
    summary = run.summary
    marks = marks_of(summary)
    palette = palette_of(run.paths, summary)
    return render(
        "run.html",
        title=", ".join(workload.name for workload in summary.workloads),
        summary=summary,
        judged=True,
        tables=True,
        generators_now=(),
        workload_yaml=run.workload_yaml,
        has_records=run.has_records,
        load_plots=[
            *([] if timeline is None else load_plots(timeline, summary, marks)),
            *times.plots(summary, marks),
        ],
        phase_plots=[]
        if timeline is None
        else list(phase_plots(timeline, summary, marks, palette)),
        sections=list(
            kind_sections(summary, run.latencies, partial(_distributions, samples), palette)
        ),
        operations=list(operation_sections(summary, partial(distributions_of, operations))),
        churn=list(churn_sections(summary)),
        iterations=list(iteration_sections(summary)),
        thresholds=[
            ThresholdRow(*(("met", "met") if each.passed else ("bad", "missed")), each.text)
            for each in summary.thresholds
        ],
        slowest=slowest_section(slowest.found(), palette),
        attribution=attribution_section(summary.attribution, run.evidence),
        failures=failures.found(),
        audit=None if run.audit is None else audit_section(run.audit, marks),
        hooks=[(shlex.join(each.command), each) for each in summary.hooks],
        environment=_environment(run),
        interruptions=words_of_interruptions(summary),
        simulated=is_simulated(summary.cluster.version),
        cleanup=_cleanup(run),
    )


class ThresholdRow(NamedTuple):
    """A threshold: the class of how it stands in the style sheet, that as a word, and the rest."""

    style: str
    word: str
    text: str


class KindPlace(NamedTuple):
    """A kind of a workload, among the objects, or with ``children`` among what controllers made."""

    workload: str
    kind: str
    children: bool


@dataclass(frozen=True, slots=True)
class KindSection(LatencyTable):
    """One kind of one workload, or with ``children`` of what controllers made.

    Attributes:
        key: Its id on the page.
        path: Where the summary has it, as keys and indices with dots between.
        plot: The distributions of the latencies; None where there are no records.
    """

    key: str
    workload: str
    kind: str
    children: bool
    path: str
    measured: Kind
    plot: Plot | None


def kind_sections(
    summary: Summary,
    latencies_of: Callable[[str, Kind], Mapping[str, Statistics]],
    drawn_of: Callable[[KindPlace, Iterable[str]], Distributions],
    palette: Palette | None = None,
) -> Iterator[KindSection]:
    """The sections, in the order in which the workloads ran.

    Args:
        summary: Of the run.
        latencies_of: Which latencies of a kind to show, by its name and what was measured.
        drawn_of: The distributions to draw of a kind, of the latencies with these names.
        palette: The colours of phases.
    """
    for number, workload in enumerate(summary.workloads, start=1):
        for children in (False, True):
            kinds = workload.child_kinds if children else workload.kinds
            key_of = "childKinds" if children else "kinds"
            for kind, measured in kinds.items():
                key = f"latency-{number}-{kind}{'-children' if children else ''}"
                latencies = latencies_of(kind, measured)
                drawn = drawn_of(KindPlace(workload.name, kind, children), latencies)
                yield KindSection(
                    key=f"section-{key}",
                    workload=workload.name,
                    kind=kind,
                    children=children,
                    path=f"workloads.{number - 1}.{key_of}.{kind}",
                    measured=measured,
                    latencies=latencies,
                    plot=distribution_plot(key, drawn, palette=palette)
                    if drawn.latencies
                    else None,
                )


def _distributions(samples: Samples, place: KindPlace, latencies: Iterable[str]) -> Distributions:
    """What is drawn of the records of a kind; nothing where there are none."""
    tally = samples.of(place.workload, children=place.children).get(place.kind)
    found = {} if tally is None else {name: tally.latency(name) for name in latencies}
    return Distributions({name: each for name, each in found.items() if each is not None})


@dataclass(frozen=True, slots=True)
class IterationSection:
    """The iterations of a workload that has more than one; ``shown`` are those in the table."""

    workload: Workload
    plot: Plot
    shown: list[Iteration]

    @property
    def said(self) -> str:
        """How many there were, of how many."""
        numbers = [each.iteration for each in self.workload.iterations]
        return say_iterations(numbers, self.workload.iteration_count)


def iteration_sections(summary: Summary) -> Iterator[IterationSection]:
    """The sections of workloads with several iterations, in their order."""
    for number, workload in enumerate(summary.workloads, start=1):
        plot = iteration_plot(f"iterations-{number}", workload)
        if plot is not None:
            yield IterationSection(workload, plot, workload.iterations[:_MOST_ITERATIONS])


def _cleanup(run: RunFiles) -> str | None:
    """What to type to remove what is left, or may be; None where nothing can be."""
    summary = run.summary
    counts = (summary.objects, summary.children)
    left = any(each.created > each.deleted or each.unknown for each in counts)
    left = left or summary.namespaces.created > summary.namespaces.deleted
    return run.run.cleanup if left or summary.outcome is RunOutcome.KILLED else None


def _environment(run: RunFiles) -> dict[str, str]:
    """What to show, by its name."""
    cluster, client = run.summary.cluster, run.run.client
    kinds = (f"{each.kind} ({each.api_version})" for each in run.run.kinds)
    more = {
        **{f"KubeVirt's {name}": value for name, value in _settings_of(cluster)},
        "perfscale": client.version,
        "Python": client.python,
        "machine": client.platform,
        "CPUs": client.cpus,
        "workload file": run.run.source,
        "kinds": ", ".join(kinds),
        "seed": run.summary.seed,
        "tags": ", ".join(f"{key}={value}" for key, value in run.run.tags.items()),
        "note": run.run.note,
        "command": shlex.join(run.run.command),
        "folder": run.folder.name,
    }
    return facts_of(cluster, more)


def facts_of(cluster: Cluster, more: Mapping[str, object] | None = None) -> dict[str, str]:
    """What to show of a cluster, and ``more``, by its name; what is not known is left out."""
    facts = {
        "cluster": cluster.server,
        "context": cluster.context,
        "Kubernetes": cluster.version,
        "nodes": cluster.nodes,
        "KubeVirt": cluster.kubevirt,
        **(more or {}),
    }
    return {name: str(value) for name, value in facts.items() if value not in (None, "")}


def _settings_of(cluster: Cluster) -> Iterable[tuple[str, str]]:
    return () if cluster.kubevirt_config is None else cluster.kubevirt_config.described()


def words_of_interruptions(summary: Summary) -> list[str]:
    """Outages and blind spans in words."""
    # The summary has the fields of the two in their order.
    return interruptions(
        [OutageRecord(*msgspec.structs.astuple(each)) for each in summary.outages],
        [BlindSpan(*msgspec.structs.astuple(each)) for each in summary.blind_spans],
    )
