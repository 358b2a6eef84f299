"""Progress on standard error: a live display on a terminal, plain lines elsewhere.

Written on the events that `LoadGenerator.events` gives to anybody, and on
nothing else.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, NamedTuple

from rich.console import Group
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from perfscale.cli.output.console import open_console, print_wrapped
from perfscale.cli.output.generators import generators_line, generators_table
from perfscale.cli.output.live import LiveLines
from perfscale.cli.output.loads import Loads
from perfscale.cli.output.streams import ignoring_closed_output
from perfscale.config import counted, format_duration
from perfscale.config.operations import CREATE
from perfscale.engine.events import (
    EventsLost,
    GeneratorsProgress,
    IterationFinished,
    IterationStarted,
    ObjectFailed,
    OperationFailed,
    Progress,
    RoundStarted,
    SlowObject,
    Stage,
    StageStarted,
    StillWaiting,
    Warned,
)
from perfscale.errors import ObjectReference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult

    from perfscale.engine.events import Event, EventStream

_MOST_FAILURES = 10
"""Failures that are listed; the rest are counted."""
_WIDEST = 80
"""Columns for bars."""
_ALARMING = frozenset({"red", "yellow"})
_BESIDE_LOADS = frozenset({Stage.PULLING_IMAGES, Stage.RUNNING_HOOK})
"""What is done outside of iterations too, when no load has a progress."""
_MILLISECONDS_BELOW_S = 0.1
_LINE_EVERY_S = 5.0
"""Seconds between two plain lines of one stage."""


async def follow(events: EventStream, *, quiet: bool = False) -> None:
    """Show a run's progress until it ends, or only what is wrong if it is to be quiet.

    Log lines would break up a live display, so there is none beside them. A run goes on when the
    terminal of its progress is closed.
    """
    with ignoring_closed_output():
        await _follow(events, quiet=quiet)


async def _follow(events: EventStream, *, quiet: bool) -> None:
    console = open_console(stderr=True)
    logging_too = logging.getLogger("perfscale").isEnabledFor(logging.INFO)
    if quiet:
        await _show_events(events, _QuietView(console))
    elif sys.stderr.isatty() and not console.is_dumb_terminal and not logging_too:
        with LiveLines(console) as lines:
            await _show_events(events, _LiveView(lines))
    else:
        await _show_events(events, _LineView(console))


async def _show_events(events: EventStream, view: _LineView | _LiveView) -> None:
    failures = 0
    lost = 0
    loads = Loads()
    async for event in events:
        match event:
            case Progress() | GeneratorsProgress():
                _show_progress(event, loads, view)
            case StageStarted():
                loads.enter(event)
                if event.stage in _BESIDE_LOADS and event.iteration is None:
                    view.say(_bounded(event))
            case ObjectFailed() | OperationFailed():
                failures += 1
                _show_failure(event, failures, view)
            case EventsLost():
                lost += event.count
            case _:
                if isinstance(event, IterationFinished):
                    loads.leave(event.workload)
                text, style = _sentence(event)
                if text:
                    view.say(text, style=style)
    if lost:
        view.say(f"the display missed {lost} progress events; the results did not")


def _show_progress(
    event: Progress | GeneratorsProgress, loads: Loads, view: _LineView | _LiveView
) -> None:
    if isinstance(event, GeneratorsProgress):
        loads.generators = event.generators  # shown with the next progress of the whole
    else:
        loads.take(event)
        view.show(event, loads)


def _bounded(event: StageStarted) -> str:
    bound = "" if event.deadline_s is None else f", up to {format_duration(event.deadline_s)}"
    return f"{event.stage}{bound}"


def _show_failure(
    event: ObjectFailed | OperationFailed, number: int, view: _LineView | _LiveView
) -> None:
    if number <= _MOST_FAILURES:
        what = f"{event.operation} of " if isinstance(event, OperationFailed) else ""
        view.say(f"failed: {what}{_object(event)}: {event.error}", style="red")
    elif number == _MOST_FAILURES + 1:
        view.say("more failures are counted, not listed", style="red")


def _object(event: ObjectFailed | OperationFailed | SlowObject) -> str:
    return str(ObjectReference(event.kind, event.namespace, event.name or ""))


def _sentence(event: Event) -> tuple[str, str]:
    """The line for an event, and its style; most have none."""
    match event:
        case IterationStarted():
            what = "object" if event.operation == "create" else f"{event.operation} operation"
            requested = counted(event.requested, what)
            return f"{event.workload}, iteration {event.iteration}: {requested}", "bold"
        case RoundStarted():
            total = "" if event.rounds is None else f" of {event.rounds}"
            where = f"{event.workload}, churn round {event.round}{total}"
            return f"{where}: {event.replaced} to replace", ""
        case IterationFinished(problems=(first, *_)):
            return f"{event.workload}, iteration {event.iteration}: {first}", "red"
        case StillWaiting():
            return _waiting(event), "dim"
        case Warned():
            return f"warning: {event.message}", "yellow"
        case _:
            return "", ""


def _waiting(event: StillWaiting) -> str:
    """How many are missing, in which phases, and a line for each of the slowest."""
    waited = format_duration(round(event.waited_s))
    lines = [f"still {event.stage.value} after {waited}: {event.missing} to go{_brackets(event)}"]
    for slow in event.slowest:
        phase = f", {_whole_seconds(slow.in_phase_s or 0.0)} of it in {slow.phase}"
        detail = f": {slow.detail}" if slow.detail else ""
        lines.append(
            f"  {_object(slow)}, {_whole_seconds(slow.waited_s)}"
            f"{phase if slow.phase else ''}{detail}"
        )
    return "\n".join(lines)


def _whole_seconds(seconds: float) -> str:
    return format_duration(round(seconds))


def _brackets(event: Progress | StillWaiting) -> str:
    """`` (Scheduling=12 Running=81)``, with the kinds where there are several."""
    texts = [
        " ".join([*([kind] if kind else []), *(f"{phase}={count}" for phase, count in counts)])
        for kind, counts in _by_kind(event)
    ]
    return f" ({'; '.join(texts)})" if texts else ""


def _by_kind(event: Progress | StillWaiting) -> list[tuple[str, list[tuple[str, int]]]]:
    """The phases of each kind, children's last; a kind that is the only one needs no name."""
    kinds: dict[str, list[tuple[str, int]]] = {}
    for (kind, phase), count in event.phases.items():
        kinds.setdefault(kind, []).append((phase or "without", count))
    for (kind, phase), count in event.child_phases.items():
        kinds.setdefault(f"{kind} (children)", []).append((phase or "without", count))
    if len(kinds) == 1 and not event.child_phases:
        return [("", counts) for counts in kinds.values()]
    return list(kinds.items())


class _LineView:
    """For pipes and logs: a line when something begins, and one every few seconds."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._last: dict[str | None, tuple[object, float]] = {}

    def show(self, progress: Progress, loads: Loads) -> None:
        stage, last_s = self._last.get(progress.workload, (None, float("-inf")))
        # Rounds of churn may be short, and come without end.
        known = progress.stage == stage or progress.round is not None
        if known and progress.elapsed_s - last_s < _LINE_EVERY_S:
            return
        self._last[progress.workload] = (progress.stage, progress.elapsed_s)
        remaining = progress.remaining_s
        (first, first_count, _), *others = _rows(progress, always=True)
        self.say(
            f"[{progress.elapsed_s:7.1f}s] {loads.title(progress)}: "
            f"{first} {_of(first_count, progress)}"
            + "".join(f" {name} {count}" for name, count, _ in others)
            + (f" {_rate(progress)}" if progress.rate else "")
            + _brackets(progress)
            + "".join(f", {text}" for text in (_latency(progress), _troubles(progress)) if text)
            + ("" if remaining is None else f", {_remaining(remaining)}")
        )
        if loads.generators:
            self.say(f"            {generators_line(loads.generators)}", style="dim")

    def say(self, text: str, *, style: str = "") -> None:
        self._console.print(escape(text), style=style or None, soft_wrap=True)


class _QuietView(_LineView):
    """For those who want to know only what is wrong."""

    def show(self, progress: Progress, loads: Loads) -> None:
        pass

    def say(self, text: str, *, style: str = "") -> None:
        if style in _ALARMING:
            super().say(text, style=style)


class _LiveView:
    """For terminals: lines scroll above a few that stay."""

    def __init__(self, lines: LiveLines) -> None:
        self._lines = lines

    def show(self, progress: Progress, loads: Loads) -> None:  # noqa: ARG002 -- as in every view
        self._lines.show(_panels(loads))

    def say(self, text: str, *, style: str = "") -> None:
        for line in text.splitlines():
            words = line.lstrip()
            indent = len(line) - len(words)
            print_wrapped(self._lines.console, escape(words), indent=indent, style=style or None)


def _panels(loads: Loads) -> RenderableType:
    """A part for each workload that goes on; what is about the whole run is in the last."""
    *others, last = loads.going_on
    parts = [*(_panel(each, loads) for each in others), _panel(last, loads, of_run=True)]
    if loads.generators:
        parts.append(generators_table(loads.generators))
    return Group(*parts)


def _panel(progress: Progress, loads: Loads, *, of_run: bool = False) -> RenderableType:
    title = Text()
    title.append(format_duration(round(progress.elapsed_s)), style="bold")
    title.append(f"  {loads.title(progress)}")
    if progress.remaining_s is not None:
        title.append(f"  {_remaining(progress.remaining_s)}", style="bold")
    bars = Table.grid(padding=(0, 1))
    bars.add_column(no_wrap=True, overflow="ellipsis", max_width=24)
    bars.add_column(ratio=1)
    bars.add_column(justify="right", no_wrap=True)
    for name, count, style in _rows(progress):
        bars.add_row(name, _bar(count, progress.requested, style), _of(count, progress))
    if not of_run:
        facts = [Text(_rate(progress), style="cyan")]
        if _operates(progress) and (latency := _latency(progress)):
            facts.append(Text(latency))
        return Group(title, _Narrow(bars), Text("  ").join(facts))
    for kind, counts in _by_kind(progress):
        if kind:  # not beside each bar, of which it would take half
            bars.add_row("", Text(kind, style="dim", no_wrap=True, overflow="ellipsis"), "")
        total = sum(count for _, count in counts)
        for phase, count in counts:
            bars.add_row(Text(phase, style="dim"), _bar(count, total, "cyan"), str(count))
    if progress.present_children:
        bars.add_row(Text("children", style="dim"), "", str(progress.present_children))
    return Group(title, _Narrow(bars), Text("  ").join(_facts(progress)))


class _Narrow(NamedTuple):
    """As wide as the terminal, but not wider than the eye follows."""

    table: Table

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        self.table.width = min(options.max_width, _WIDEST)
        yield self.table


def _bar(count: int, total: int, style: str) -> ProgressBar:
    return ProgressBar(
        total=max(1, total), completed=count, complete_style=style, finished_style=style
    )


def _facts(progress: Progress) -> Iterator[Text]:
    """What else is to be known, for one line that wraps between its parts."""
    if progress.stage is Stage.CREATING or progress.rate:
        yield Text(_rate(progress), style="cyan")
    if latency := _latency(progress):
        yield Text(latency)
    if progress.in_flight:
        yield Text(f"{progress.in_flight} in flight")
    if troubles := _troubles(progress):
        yield Text(troubles, style="red")


def _rows(progress: Progress, *, always: bool = False) -> list[tuple[str, int, str]]:
    """What is counted of objects, or of operations; with ``always``, also where there is none."""
    if _operates(progress):
        rows = [("sent", progress.sent, "blue"), ("done", progress.ready, "green")]
        rest = [("failed", progress.failed, "red"), ("open", progress.open, "yellow")]
    else:
        rows = [("created", progress.created, "blue"), ("ready", progress.ready, "green")]
        rest = [("failed", progress.failed, "red")]
    rows += [row for row in rest if always or row[1]]
    if not _operates(progress):
        rows.append(("deleted", progress.deleted, "magenta"))
    return rows


def _operates(progress: Progress) -> bool:
    """Whether something is done to objects that are there; then their readiness is not counted."""
    return progress.operation != CREATE.name


def _of(count: int, progress: Progress) -> str:
    """So many of those that are requested; of a load that goes round nobody knows the total."""
    return f"{count}/{progress.requested}" if count <= progress.requested else str(count)


def _rate(progress: Progress) -> str:
    target = f" of {round(progress.target, 1):g}/s" if progress.target else "/s"
    return f"sent {progress.rate:.1f}{target}"


def _remaining(seconds: float) -> str:
    return f"about {format_duration(max(1, round(seconds)))} to go"


def _latency(progress: Progress) -> str:
    """How long it took so far: of objects until they were ready, of operations until their effect.

    As in ``done so far p50 1.2s p99 3.4s``.
    """
    name, p50_s, p99_s = "ready so far", progress.ready_p50_s, progress.ready_p99_s
    if _operates(progress):
        name, p50_s, p99_s = "done so far", progress.effect_p50_s, progress.effect_p99_s
    if p50_s is None or p99_s is None:
        return ""
    return f"{name} p50 {_short(p50_s)} p99 {_short(p99_s)}"


def _short(seconds: float) -> str:
    return f"{seconds:.3g}s" if seconds >= _MILLISECONDS_BELOW_S else f"{seconds * 1e3:.3g}ms"


def _troubles(progress: Progress) -> str:
    counts = ((progress.request_errors, "request errors"), (progress.throttled, "throttled (429)"))
    return "  ".join(f"{count} {name}" for count, name in counts if count)
