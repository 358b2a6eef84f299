"""Tables of latencies, as wide as the terminal: of what was measured, and by iteration."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rich.markup import escape
from rich.table import Table

from perfscale.cli.output.console import print_wrapped

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rich.console import Console

    from perfscale.results import IterationResult, LatencySummary, WorkloadResult

_MOST_ITERATIONS = 10
"""Rows of the table by iteration: of more, the first and the last ones."""
_READY = "Ready"


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
    _Column("p95", 66),
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
        table.add_row(escape(name), *(_statistic(latency, column.name) for column in columns))
    if table.row_count:
        console.print(table)
    for name, latency in latencies:
        if latency.not_waited_for is not None:
            print_wrapped(console, f"[dim]{escape(f'{name}: {latency.not_waited_for}')}[/]")


def _statistic(latency: LatencySummary, name: str) -> str:
    value = getattr(latency, name)
    if value is None:
        return "-"
    if name == "missing" and value:
        return f"[bold red]{value}[/]"
    return str(value) if isinstance(value, int) else f"{value:.3f}"


def print_iterations(console: Console, workload: WorkloadResult) -> None:
    """Print a row for each iteration, or for the first and the last of many; none for one."""
    iterations = workload.iterations
    if len(iterations) < 2:
        return
    names = [name for name, _ in _measured(workload, iterations[0])]
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 1), header_style="dim")
    what = "done" if workload.operations else "ready"
    for heading in ("iteration", "seconds", what, f"not {what}"):
        table.add_column(heading, justify="right", no_wrap=True)
    for name in names:
        prefix = f"{escape(name)} " if len(names) > 1 else ""
        table.add_column(f"{prefix}p50", justify="right")
        table.add_column(f"{prefix}p99", justify="right")
    half = _MOST_ITERATIONS // 2
    left_out = max(0, len(iterations) - _MOST_ITERATIONS)
    for index, each in enumerate(iterations):
        if left_out and index == half:
            table.add_row("...")
        if not left_out or index < half or index >= len(iterations) - half:
            table.add_row(*_cells(workload, each, names))
    console.print()
    console.print(table)
    if left_out:
        print_wrapped(console, f"[dim]{left_out} more iterations are in the summary[/]")


def _cells(
    workload: WorkloadResult, iteration: IterationResult, names: Iterable[str]
) -> Iterator[str]:
    """Of an iteration: its number, how long it took, what went well, and its percentiles."""
    operations = [each.accounts for each in iteration.operations]
    if workload.operations:
        requested = sum(each.requested for each in operations)
        good = sum(each.done for each in operations)
    else:
        requested, good = iteration.accounts.requested, iteration.accounts.ready
    yield str(iteration.iteration)
    yield f"{iteration.finished_s - iteration.started_s:.1f}"
    yield str(good)
    yield f"[bold red]{requested - good}[/]" if requested > good else "0"
    found = dict(_measured(workload, iteration))
    for name in names:
        for statistic in ("p50", "p99"):
            latency = found.get(name)
            yield "-" if latency is None else _statistic(latency, statistic)


def _measured(
    workload: WorkloadResult, iteration: IterationResult
) -> Iterator[tuple[str, LatencySummary]]:
    """Readiness of each kind, or the effect of each operation."""
    if workload.operations:
        yield from ((f"{each.operation} {each.kind}", each.effect) for each in iteration.operations)
        return
    for kind, result in iteration.kinds.items():
        if _READY in result.phases:
            yield kind, result.phases[_READY]
