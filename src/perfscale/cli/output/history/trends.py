"""Series over time on standard output: what changed when, and how sure that is."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

from rich.markup import escape
from rich.table import Table

from perfscale.cli.output.console import open_console, print_point
from perfscale.config import counted
from perfscale.results.comparison import Verdict
from perfscale.results.pages.rendering import chance, short
from perfscale.trend import by_subject, verdict_of
from perfscale.trend.page import between, day, said_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from rich.console import Console, JustifyMethod

    from perfscale.trend import Change, Collected, Trend

_STYLES: Final = {Verdict.WORSE: "bold red", Verdict.BETTER: "bold green"}
_MOST_CHANGES: Final = 3
"""Of one metric, the last; all of them are on the page."""
_MOST_METRICS: Final = 25
"""Of one workload on one cluster."""
_MOST_REASONS: Final = 8


def print_trends(collected: Collected, trends: Sequence[Trend], page: Path | None) -> None:
    """Print a table for each workload and cluster, what else changed there, and the verdict."""
    console = open_console()
    for (workload, cluster), members in by_subject(trends).items():
        where = f" on {collected.cluster_name(cluster)}" if cluster else ""
        console.print(f"\n[bold]{escape(workload + where)}[/]", soft_wrap=True)
        changed = [each for each in members if each.changes]
        if changed:
            console.print(_table(changed[:_MOST_METRICS], console.width))
            _print_around(console, changed[:_MOST_METRICS])
        _print_others(console, members, changed)
    _print_left_out(console, collected)
    _print_verdict(console, trends)
    if page is not None:
        console.print(f"\npage: {escape(str(page))}", soft_wrap=True)


class _Column(NamedTuple):
    """A column of the table, and from how wide a terminal on there is room for it."""

    title: str
    text: Callable[[Trend, Change], str]
    width: int = 0
    number: bool = True


def _table(trends: Sequence[Trend], width: int) -> Table:
    columns = [column for column in _COLUMNS if width >= column.width]
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 1), header_style="dim")
    table.add_column("", overflow="fold")
    for column in columns:
        side: JustifyMethod = "right" if column.number else "left"
        table.add_column(column.title, justify=side, no_wrap=True)
    table.add_column("", no_wrap=True)
    for trend in trends:
        changes = list(trend.changes or ())
        name = escape(trend.key.metric)
        for change in changes[-_MOST_CHANGES:]:
            verdict = trend.verdict if change is changes[-1] else Verdict.SAME
            direction = "worse" if trend.is_worse(change) else "better"
            cells = [escape(column.text(trend, change)) for column in columns]
            word = verdict.value if verdict in _STYLES else direction
            table.add_row(name, *cells, word, style=_STYLES.get(verdict, ""))
            name = ""
    return table


def _level(trend: Trend, level: float) -> str:
    space = "" if trend.unit in {"", "%", "/s"} else " "
    return f"{short(level)}{space}{trend.unit}"


_COLUMNS: Final = (
    _Column("before", lambda trend, change: _level(trend, change.before), width=90),
    _Column("after", lambda trend, change: _level(trend, change.after)),
    _Column("change", lambda _, change: change.difference),
    _Column("since", lambda trend, change: day(trend, change.index), number=False),
    _Column("p", lambda _, change: chance(change.p_value), width=90),
    _Column("begun between (95 %)", between, width=130, number=False),
)


def _print_around(console: Console, trends: Sequence[Trend]) -> None:
    """What else was different, once for all metrics that changed with the same run."""
    found: dict[tuple[str, ...], str] = {}
    for trend in trends:
        for change, around in zip(trend.changes or (), trend.around, strict=True):
            if around:
                found.setdefault(tuple(around), between(trend, change))
    for sentences, when in found.items():
        console.print(f"what else was different, {when}:", soft_wrap=True)
        for sentence in sentences:
            print_point(console, "[yellow]![/]", sentence)


def _print_others(console: Console, trends: Sequence[Trend], changed: Sequence[Trend]) -> None:
    shown = changed[:_MOST_METRICS]
    earlier = [each for each in shown if len(each.changes or ()) > _MOST_CHANGES]
    more = len(changed) - len(shown)
    steady = sum(each.changes is not None and not each.changes for each in trends)
    few = sum(each.changes is None for each in trends)
    sentences = (
        (more, f"{counted(more, 'more metric')} changed earlier: see --metric or --html"),
        (len(earlier), f"{counted(len(earlier), 'metric')} changed more often: see --html"),
        (steady, f"{counted(steady, 'metric')} without a change"),
        (few, f"{counted(few, 'metric')} with fewer than 6 values, too few to say"),
    )
    for count, sentence in sentences:
        if count:
            console.print(f"[dim]{sentence}[/]", soft_wrap=True)


def _print_left_out(console: Console, collected: Collected) -> None:
    by_reason: defaultdict[str, list[Path]] = defaultdict(list)
    for path, why in collected.left_out:
        by_reason[why].append(path)
    for why, paths in list(by_reason.items())[:_MOST_REASONS]:
        more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
        print_point(console, "[yellow]![/]", f"left out: {paths[0]}{more}: {why}")
    if len(by_reason) > _MOST_REASONS:
        rest = counted(len(by_reason) - _MOST_REASONS, "other reason")
        print_point(console, "[yellow]![/]", f"left out for {rest}: see --html")
    if collected.foreign:
        files = counted(collected.foreign, "file")
        print_point(console, "[yellow]![/]", f"passed over: {files} that are no results")
    if collected.not_reached:
        missing = counted(collected.not_reached, "percentile")
        print_point(console, "[yellow]![/]", f"missing: {missing} that were not reached")


def _print_verdict(console: Console, trends: Sequence[Trend]) -> None:
    if not trends:
        console.print("no results", soft_wrap=True)
        return
    verdict = verdict_of(trends)
    worse = sum(each.verdict is Verdict.WORSE for each in trends)
    better = sum(each.verdict is Verdict.BETTER for each in trends)
    style, word = _STYLES.get(verdict, "bold"), said_of(verdict).upper()
    text = f"of {counted(len(trends), 'metric')}, the last runs are worse in {worse}"
    text = "" if verdict is Verdict.NONE else f": {text} and better in {better}"
    console.print(f"\n[{style}]{word}[/]{text}", soft_wrap=True)
