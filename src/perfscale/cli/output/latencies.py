"""A table of latencies, as wide as the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rich.table import Table

from perfscale.cli.output.console import print_wrapped

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

    from perfscale.results import LatencySummary


class _Column(NamedTuple):
    """A statistic, the width of terminal from which on it is shown, and its heading."""

    name: str
    from_width: int = 0
    heading: str = ""


_COLUMNS = (
    _Column("count"),
    _Column("missing"),
    _Column("min", 72),
    _Column("p50"),
    _Column("p90", 80),
    _Column("p95", 60),
    _Column("p99"),
    _Column("p999", 92, "p99.9"),
    _Column("max", 50),
    _Column("mean", 100),
)


def print_latencies(console: Console, latencies: Iterable[tuple[str, LatencySummary]]) -> None:
    """Print a row for each, by its name; nothing where there are none."""
    columns = [column for column in _COLUMNS if console.width >= column.from_width]
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 1), header_style="dim")
    table.add_column("seconds", overflow="fold")
    for column in columns:
        table.add_column(column.heading or column.name, justify="right", no_wrap=True)
    latencies = list(latencies)
    for name, latency in latencies:
        table.add_row(name, *(_statistic(latency, column.name) for column in columns))
    if table.row_count:
        console.print(table)
    left_out = [
        f"{name} of {each.not_waited_for}" for name, each in latencies if each.not_waited_for
    ]
    if left_out:
        text = f"not waited for, and in no figure: {', '.join(left_out)}"
        print_wrapped(console, f"[dim]{text}[/]")


def _statistic(latency: LatencySummary, name: str) -> str:
    value = getattr(latency, name)
    if value is None:
        return "-"
    if name == "missing" and value:
        return f"[bold red]{value}[/]"
    return str(value) if isinstance(value, int) else f"{value:.3f}"
