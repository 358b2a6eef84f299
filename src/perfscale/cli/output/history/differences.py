"""Runs against another one on standard output: what changed, and whether it matters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.markup import escape
from rich.table import Table

from perfscale.cli.output.console import open_console, print_point
from perfscale.results.comparison import Verdict, by_subject

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from perfscale.results.comparison import ComparedRun, Comparison, Row

_STYLES: Final = {
    Verdict.WORSE: "bold red",
    Verdict.BETTER: "bold green",
    Verdict.SAME: "bold",
    Verdict.NONE: "",
}
_UNJUDGED: Final = ("", "p50", "p99", "offered", "sent")
"""Of what only shows where the time went, these are enough."""


def print_differences(
    base: ComparedRun, comparisons: Sequence[Comparison], page: Path | None
) -> None:
    """Print a table for each run, with its verdict, and where the page is if there is one."""
    console = open_console()
    console.print(f"base: {_run(base)}", soft_wrap=True)
    for comparison in comparisons:
        console.print(f"\nnew:  {_run(comparison.new)}", soft_wrap=True)
        for note in comparison.notes:
            print_point(console, "[yellow]![/]", note)
        for subject, rows in by_subject(comparison.rows):
            console.print(f"\n[bold]{escape(str(subject))}[/]", soft_wrap=True)
            console.print(_table(rows))
        same = comparison.verdict is Verdict.SAME
        verdict = "no difference" if same else comparison.verdict.value
        style = _STYLES[comparison.verdict]
        console.print(f"\n[{style}]{verdict.upper()}[/]{_count(comparison)}", soft_wrap=True)
    if page is not None:
        console.print(f"\npage: {escape(str(page))}", soft_wrap=True)


def _run(run: ComparedRun) -> str:
    return f"{escape(str(run.files.folder))} ({run.files.summary.outcome})"


def _table(rows: Iterable[Row]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 1), header_style="dim")
    table.add_column("")
    for name in ("base", "new", "change", "p"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("")
    for row in rows:
        if row.verdict is Verdict.NONE and row.statistic not in _UNJUDGED:
            continue
        changed = row.verdict in {Verdict.WORSE, Verdict.BETTER}
        table.add_row(
            escape(f"{row.measure} {row.statistic}"),
            _number(row.base),
            _number(row.new),
            _change(row.change),
            "" if row.p_value is None else f"{row.p_value:.2g}",
            row.verdict.value if changed else "",
            style=_STYLES[row.verdict] if changed else "",
        )
    return table


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _change(change: float | None) -> str:
    if change is None:
        return ""
    return f"{change:+.1%}" if change else "="


def _count(comparison: Comparison) -> str:
    judged = [row for row in comparison.rows if row.verdict is not Verdict.NONE]
    worse = sum(row.verdict is Verdict.WORSE for row in judged)
    better = sum(row.verdict is Verdict.BETTER for row in judged)
    failed = "the run did not pass, " if comparison.failed else ""
    return f": {failed}{worse} worse and {better} better of {len(judged)} numbers"
