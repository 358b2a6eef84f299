"""A list of runs on standard output.

Lines of text and no more: a table of rich's takes most of a second for a thousand rows.
"""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING, Final, NamedTuple

import typer

from perfscale.results.model.client.health import Validity
from perfscale.visible import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from perfscale.results.history import RunHead

_ID: Final = 8
"""Characters of an id: as many as tell runs apart."""
_GAP: Final = "  "


class _Column(NamedTuple):
    """One column: its title, what it shows of a run, and whether it is of numbers."""

    title: str
    text: Callable[[RunHead], str]
    number: bool = False


def print_runs(folder: Path, runs: Sequence[RunHead]) -> None:
    """A line for each run; on a narrow terminal without the columns that matter least."""
    if not runs:
        typer.echo(f"no runs in {folder}")
        return
    every = ((column, [visible(column.text(run)) for run in runs]) for column in _COLUMNS)
    columns = [(column, cells) for column, cells in every if any(cells)]
    room = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    while room is not None and len(columns) > 1 and _width(columns) > room:
        least = max(range(len(columns)), key=lambda place: _LEAST.index(columns[place][0].title))
        del columns[least]
    for line in _lines(columns, len(runs)):
        typer.echo(line)


def _width(columns: Sequence[tuple[_Column, list[str]]]) -> int:
    widths = (max(len(column.title), *map(len, cells)) for column, cells in columns)
    return sum(widths) + len(_GAP) * (len(columns) - 1)


def _lines(columns: Sequence[tuple[_Column, list[str]]], count: int) -> list[str]:
    padded = []
    for column, cells in columns:
        width = max(len(column.title), *map(len, cells))
        place = str.rjust if column.number else str.ljust
        padded.append([place(text, width) for text in (column.title, *cells)])
    return [_GAP.join(column[row] for column in padded).rstrip() for row in range(count + 1)]


def _workload(run: RunHead) -> str:
    if not run.workloads:
        return f"({run.source})" if run.source else ""
    more = len(run.workloads) - 1
    return f"{run.workloads[0].name} (+{more})" if more else run.workloads[0].name


def _verdict(run: RunHead) -> str:
    if run.outcome is None:
        return "unfinished"
    doubt = run.generator not in {None, Validity.VALID}
    return f"{run.outcome}, {run.generator}" if doubt else run.outcome.value


def _accepted(run: RunHead) -> str:
    accepted = run.workloads[0].accepted_qps if run.workloads else None
    return "" if accepted is None else f"{accepted:.1f}/s"


def _ready(run: RunHead) -> str:
    if not run.workloads:
        return ""
    first = run.workloads[0]
    latencies = list((first.ready_p99_s or first.done_p99_s).values())
    if not latencies:
        return ""
    reached = [each for each in latencies if each is not None]
    return f"{max(reached):.3f} s" if len(reached) == len(latencies) else "not reached"


_COLUMNS: Final = (
    _Column("RUN", lambda run: run.run_id[:_ID]),
    _Column("WHEN (UTC)", lambda run: f"{run.started_at:%Y-%m-%d %H:%M}"),
    _Column("WORKLOAD", _workload),
    _Column("CLUSTER", lambda run: run.cluster.name),
    _Column("VERDICT", _verdict),
    _Column("ACCEPTED", _accepted, number=True),
    _Column("READY P99", _ready, number=True),
    _Column("TAGS", lambda run: ",".join(f"{key}={value}" for key, value in run.tags.items())),
    _Column("NOTE", lambda run: run.note or ""),
)
_LEAST: Final = (
    "RUN", "WHEN (UTC)", "VERDICT", "WORKLOAD", "READY P99", "ACCEPTED", "TAGS", "CLUSTER", "NOTE",
)  # fmt: skip
"""The columns, those first that matter most."""
