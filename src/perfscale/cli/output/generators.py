"""Where each of several generators stands, beside the progress of the whole run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from perfscale.engine.snapshot import GeneratorState

_MOST: Final = 8
"""Generators that are shown one by one: the rest are counted."""
_LATE_S: Final = 0.1
"""A loop that is later than this measures what it does itself."""
_SILENT_S: Final = 3.0
"""Heartbeats come every second."""


def generators_table(generators: Sequence[GeneratorState]) -> Table:
    """A row for each; the ones that are late, busy or silent first where there are many."""
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    for _ in range(4):
        table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    for each in _shown(generators):
        style = "red" if _is_troubled(each) else "dim"
        table.add_row(*(Text(text, style=style) for text in _cells(each)))
    if len(generators) > _MOST:
        table.add_row(Text(f"{len(generators) - _MOST} more generators", style="dim"))
    return table


def generators_line(generators: Sequence[GeneratorState]) -> str:
    """All of that in one line."""
    texts = ["  ".join(filter(None, _cells(each))) for each in _shown(generators)]
    if len(generators) > _MOST:
        texts.append(f"{len(generators) - _MOST} more generators")
    return "; ".join(texts)


def _shown(generators: Sequence[GeneratorState]) -> Iterable[GeneratorState]:
    if len(generators) <= _MOST:
        return generators
    return sorted(generators, key=lambda each: (-each.silent_s, -each.lag_s, each.index))[:_MOST]


def _cells(each: GeneratorState) -> tuple[str, ...]:
    return (
        f"generator {each.index}",
        f"{each.rate:.1f}/s",
        f"lag {each.lag_s * 1e3:.0f}ms",
        f"CPU {each.cpu:.0%}",
        f"{each.in_flight} in flight" if each.in_flight else "",
        _watches(each),
    )


def _watches(each: GeneratorState) -> str:
    if each.silent_s > _SILENT_S:
        return f"silent for {each.silent_s:.0f}s"
    if not each.reconnects and not each.relists:
        return "watches well"
    return f"watches reopened {each.reconnects}, relisted {each.relists}"


def _is_troubled(each: GeneratorState) -> bool:
    return each.silent_s > _SILENT_S or each.lag_s > _LATE_S or each.relists > 0
