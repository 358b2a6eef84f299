"""What an audit has found, in lines that a person reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from perfscale.cli.output.console import print_wrapped

if TYPE_CHECKING:
    from rich.console import Console

    from perfscale.results import AuditedValue, AuditRecord

_WIDTH_FOR_UNITS = 72
"""Names say what is in seconds and MB, so that units can be left out of a narrow terminal."""


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
        print_wrapped(console, escape(note), indent=2)


def _limit(value: AuditedValue) -> str:
    if value.limit is None:
        return ""
    return f"{value.limit:.6g} {'[red]✗[/]' if value.exceeded else '[green]✓[/]'}"
