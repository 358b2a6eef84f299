"""The sections of the page, as far as the run has come."""

from __future__ import annotations

import asyncio
import shlex
import time
from importlib.resources import files
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from jinja2 import PackageLoader

from perfscale.config.sections.metrics import Latency
from perfscale.engine.events import (
    EventsLost,
    ObjectFailed,
    OperationFailed,
    RunFinished,
    RunStarted,
    Warned,
)
from perfscale.live.samples import UNKNOWN, Samples
from perfscale.live.summary import LiveSummary
from perfscale.live.thresholds import threshold_rows
from perfscale.results import Failures
from perfscale.results.model.records import Outcome
from perfscale.results.pages.attribution import attribution_section
from perfscale.results.pages.churn import churn_sections
from perfscale.results.pages.figures import Distributions, load_plots, palette_of, phase_plots
from perfscale.results.pages.loads import latency_plots
from perfscale.results.pages.marks import marks_of
from perfscale.results.pages.operations import operation_sections
from perfscale.results.pages.page import (
    facts_of,
    iteration_sections,
    kind_sections,
    words_of_interruptions,
)
from perfscale.results.pages.rendering import page_assets, page_environment
from perfscale.results.pages.slowest import slowest_section
from perfscale.results.pages.timeline import Timeline

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from jinja2.runtime import Macro

    from perfscale.config import Config
    from perfscale.engine.events import Event
    from perfscale.engine.snapshot import RunCourse, RunSnapshot
    from perfscale.preflight import Plan
    from perfscale.results import RunResult
    from perfscale.results.model.document import Kind, Operation, Statistics, Summary, Workload
    from perfscale.results.pages.figures import Palette
    from perfscale.results.pages.marks import Marks
    from perfscale.results.pages.page import KindPlace
    from perfscale.results.pages.plots import Plot

SECTIONS: Final = (
    "headline", "thresholds", "failures", "interruptions", "hooks", "load", "latencies", "churn",
    "iterations", "slowest", "attribution", "requests", "generator", "environment",
)  # fmt: skip
"""Those of the report that can be shown before the end of a run, in its order."""
_SCRIPT: Final = files("perfscale.live") / "assets" / "live.js"
_SO_FAR: Final = "The share of {what} that had got there after so many seconds, of those that have."
_POINTS: Final = 80
"""Of a distribution: a line that changes all the time has fewer than the report's."""
_OF_ONE_VALUE: Final = frozenset({"attribution", "churn", "slowest"})
"""Those that show nothing but the value of their own name, and are as they were where that is."""
_PIECE_S: Final = 0.001
"""The event loop goes on after so long: drawing the page must not hold up the run."""
_PIECES: Final = 50
"""Of a template, between two looks at the clock; they take a tenth of that time."""
_MOST_WARNINGS: Final = 20
_MOST_ROWS: Final = 500
"""Those that are known as they were drawn."""


class LiveView:
    """What is known of a run for its page.

    Args:
        config: The workload file.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self._environment = page_environment(PackageLoader("perfscale.live", "assets"))
        self._plan: Plan | None = None
        self._summaries: LiveSummary | None = None
        self._failures = Failures()
        self._warnings: list[str] = []
        self._lost = 0
        self._result: RunResult | None = None
        self._drawn: dict[str, tuple[object, str]] = {}
        self._rows = _Rows()
        # Before the run begins; the report of its end compiles none of them again.
        self._templates = {
            name: self._environment.get_template(f"sections/{name}.html") for name in SECTIONS
        } | {"head": self._environment.get_template("head.html")}
        for shared in ("bars.html", "plot.html", "sections/details.html"):
            self._environment.get_template(shared)
        self.samples = Samples()

    def take(self, event: Event) -> None:
        """Take an event of the run, but for its progress, which is in the snapshots."""
        match event:
            case RunStarted(plan=plan):
                self._plan, self._summaries = plan, LiveSummary(plan)
            case ObjectFailed():
                self._count(event, event.kind, event.name)
            case OperationFailed():
                self._count(event, f"{event.kind} ({event.operation})", event.name or "")
            case Warned(message=message):
                self._warnings = [*self._warnings, message][-_MOST_WARNINGS:]
            case EventsLost(count=count):
                self._lost += count
            case RunFinished(result=result):
                self._result = result

    def _count(self, event: ObjectFailed | OperationFailed, kind: str, name: str) -> None:
        self._failures.count(kind, Outcome.FAILED, event.error, name=name, where=event.namespace)

    def shell(self, title: str) -> tuple[str, str]:
        """The page without its parts, which come as updates, and the digest of its script."""
        assets = page_assets(_SCRIPT.read_text(encoding="utf-8"))
        parts = ("head", *SECTIONS)
        template = self._environment.get_template("live.html")
        return template.render(title=title, parts=parts, **assets), assets["script_digest"]

    def form(self) -> str:
        """The page that asks for the token."""
        return self._environment.get_template("token.html").render(**page_assets())

    def waiting(self) -> dict[str, str]:
        """The parts before the run has begun."""
        return {"head": self._environment.get_template("waiting.html").render()}

    async def parts(self, snapshot: RunSnapshot, course: RunCourse) -> tuple[dict[str, str], float]:
        """Every part as it is now, and the processor time that it took, in seconds."""
        if self._summaries is None or self._plan is None:
            return self.waiting(), 0.0
        work = _Work()
        content = self._content(self._summaries.of(snapshot, course), snapshot, course)
        await work.pause()
        parts: dict[str, str] = {}
        for name in ("head", *SECTIONS):
            drawn_from = content.get(name)
            known = self._drawn.get(name)
            if known is not None and known[0] == drawn_from:
                parts[name] = known[1]
                continue
            parts[name] = await _joined(self._templates[name].generate(content), work)
            if name in _OF_ONE_VALUE:
                self._drawn[name] = (drawn_from, parts[name])
        return parts, work.cost_s

    def _content(
        self, summary: Summary, snapshot: RunSnapshot, course: RunCourse
    ) -> Mapping[str, Any]:
        marks = marks_of(summary, [(each.began_s, each.number) for each in course.iterations])
        palette = palette_of({}, summary)
        drawn = _Drawn(snapshot)
        return {
            "summary": summary,
            "judged": False,
            "tables": False,
            "row_of": self._rows.row_of,
            "generators_now": snapshot.generators,
            "stages": dict(snapshot.stages) or {"": snapshot.stage},
            "warnings": self._warnings,
            "lost": self._lost,
            "result": self._result,
            "has_records": True,
            "thresholds": list(threshold_rows(self._config, snapshot, course)),
            **_plots_of(self.samples, summary, marks, palette),
            "sections": list(kind_sections(summary, _reached, drawn.of_kind, palette)),
            "operations": list(operation_sections(summary, drawn.of_operation)),
            "churn": list(churn_sections(summary)),
            "slowest": slowest_section(course.slowest, palette),
            "iterations": list(iteration_sections(summary)),
            "attribution": attribution_section(summary.attribution, course.attribution),
            "failures": self._failures.found(),
            "hooks": [(shlex.join(each.command), each) for each in summary.hooks],
            "interruptions": words_of_interruptions(summary),
            "environment": facts_of(summary.cluster),
            "workload_yaml": None,
        }


class _Rows:
    """Rows of tables as they were drawn: they are drawn again only where they have changed."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], tuple[tuple[object, ...], str]] = {}

    def row_of(self, row: Macro, key: str, *values: object) -> str:
        """A row: as it was where its values are, and as its macro draws it otherwise."""
        place = row.name, key
        known = self._rows.get(place)
        if known is not None and known[0] == values:
            return known[1]
        drawn = row(*values)
        self._rows.pop(place, None)
        self._rows[place] = values, drawn
        if len(self._rows) > _MOST_ROWS:
            del self._rows[next(iter(self._rows))]
        return drawn


class _Drawn:
    """The latencies that a snapshot has, which are drawn as distributions."""

    def __init__(self, snapshot: RunSnapshot) -> None:
        self._objects = {(each.workload, each.kind): each for each in snapshot.objects}
        self._operations = {each.workload: each for each in snapshot.operations}

    def of_kind(self, place: KindPlace, latencies: Iterable[str]) -> Distributions:
        counts = self._objects.get((place.workload, place.kind))
        if counts is None or place.children or Latency.READY not in latencies:
            return Distributions({}, _SO_FAR, _POINTS)
        return Distributions({Latency.READY.value: counts.first_ready_latency}, _SO_FAR, _POINTS)

    def of_operation(self, workload: Workload, _: Operation) -> Distributions:
        counts = self._operations[workload.name]
        found = {"response": counts.response, "effect": counts.effect}
        return Distributions(
            {name: each for name, each in found.items() if each.ends()}, _SO_FAR, _POINTS
        )


def _plots_of(
    samples: Samples, summary: Summary, marks: Marks, palette: Palette
) -> dict[str, list[Plot]]:
    """The plots over time; none before there is anything to draw."""
    points = samples.points()
    if not points:
        return {"load_plots": [], "phase_plots": []}
    timeline = Timeline(points, UNKNOWN)
    note = (
        "By when it got there: of creates until ready, of other operations until done, in "
        f"intervals of {samples.interval_s:g} s. A line that climbs means that the cluster falls "
        "behind; it is interrupted where nothing got there."
    )
    times = samples.latencies()
    return {
        "load_plots": [
            *load_plots(timeline, summary, marks),
            *latency_plots(times, samples.interval_s, note, summary, marks),
        ],
        "phase_plots": list(phase_plots(timeline, summary, marks, palette)),
    }


class _Work:
    """Measures the processor time of the page, between pauses in which the event loop goes on.

    Attributes:
        cost_s: Until the last look at the clock.
    """

    def __init__(self) -> None:
        self.cost_s = 0.0
        self._began_s = self._paused_s = time.thread_time()

    async def pause(self) -> None:
        """Let the event loop go on, if it has waited for long."""
        now_s = time.thread_time()
        self.cost_s += now_s - self._began_s
        self._began_s = now_s
        if now_s - self._paused_s >= _PIECE_S:
            await asyncio.sleep(0)
            self._began_s = self._paused_s = time.thread_time()


async def _joined(pieces: Iterator[str], work: _Work) -> str:
    """The pieces of a part."""
    found: list[str] = []
    while piece := "".join(islice(pieces, _PIECES)):
        found.append(piece)
        await work.pause()
    return "".join(found)


def _reached(_: str, measured: Kind) -> dict[str, Statistics]:
    """Of the latencies of a kind, those that something has."""
    return {name: each for name, each in measured.phases.items() if each.count}
