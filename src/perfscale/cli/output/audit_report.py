"""What an audit has found, in lines that a person reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from perfscale.config import format_duration

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from rich.console import Console

    from perfscale.audit import Audit, Window
    from perfscale.results import AuditedValue, AuditRecord

_WIDTH_FOR_UNITS = 72
"""Names say what is in seconds and MB, so that units can be left out of a narrow terminal."""


def reach_warnings(window: Window, reached: datetime | None, hint: str) -> Iterator[str]:
    """What is missing from an audit, or in it too much, because of when Prometheus scrapes.

    Args:
        window: The time of the audit.
        reached: How far the data of Prometheus reaches; None if it cannot say.
        hint: What to do where it does not reach far enough.
    """
    if reached is None:
        yield "warning: Prometheus knows no scrape (up): how far its data reaches is not known"
    elif reached <= window.end:
        short = format_duration(round((window.end - reached).total_seconds(), 1))
        yield (
            f"warning: the data of Prometheus reaches until {reached:%H:%M:%S} UTC, {short} before "
            f"the end of the test: what came later is not counted{hint}"
        )
    if window.before_s:
        before = format_duration(round(window.before_s, 1))
        yield (
            f"note: the test was shorter than 10 scrapes: rates and counts are taken over "
            f"{format_duration(window.range_s)}, and {before} before the test are in them"
        )


def notes(audit: Audit, most: int | None = None) -> Iterator[str]:
    """What there was nothing of, with so many names at most."""
    for what, names in (
        ("no data", audit.empty),
        ("not a number, as of no observation, and counted as 0", audit.not_numbers),
        ("no result to judge by the threshold of", audit.unjudged),
    ):
        if names:
            more = f" and {len(names) - most} more" if most and len(names) > most else ""
            yield f"note: {what}: {', '.join(names[:most])}{more}"


def verdicts(audit: Audit) -> Iterator[tuple[bool, str]]:
    """How the results compare with their thresholds: whether they keep them, and a sentence."""
    for name, each in audit.values.items():
        verdict = each.verdict
        if verdict is None:
            continue
        how = "above" if verdict.exceeded else "at most"
        by = f", by the ratio to {verdict.metric}" if verdict.metric else ""
        told = f"{name} {_number(each.value, each.unit)}, {how} {verdict.limit:.6g}{by}"
        yield not verdict.exceeded, told


def exceeded(audit: Audit) -> Iterator[str]:
    """The thresholds that are exceeded."""
    return (told for kept, told in verdicts(audit) if not kept)


def print_audit(console: Console, record: AuditRecord) -> None:
    """Print the audit of a run: its values as a table, then the notes."""
    console.print(f"\n[bold]audit[/] by {escape(record.prometheus)}", soft_wrap=True)
    if record.total is not None:
        table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 1), header_style="dim")
        table.add_column("result", overflow="fold")
        table.add_column("value", justify="right", no_wrap=True)
        if console.width >= _WIDTH_FOR_UNITS:
            table.add_column("unit")
        table.add_column("at most", justify="right", no_wrap=True)
        for name, each in record.total.values.items():
            unit = [escape(each.unit)] if console.width >= _WIDTH_FOR_UNITS else []
            table.add_row(escape(name), f"{each.value:.6g}", *unit, _limit(each))
        if table.row_count:
            console.print(table)
    for note in record.notes:
        if console.is_terminal:
            console.print(Padding(escape(note), (0, 0, 0, 2)))
        else:
            console.print(f"  {escape(note)}", soft_wrap=True)


def _limit(value: AuditedValue) -> str:
    if value.limit is None:
        return ""
    return f"{value.limit:.6g} {'[red]✗[/]' if value.exceeded else '[green]✓[/]'}"


def _number(value: float, unit: str) -> str:
    return f"{value:.6g} {unit}".rstrip()
