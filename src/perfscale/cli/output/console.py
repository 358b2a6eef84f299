"""Where rich prints: colours are ours, and control characters of others are shown."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.segment import Segment
from rich.table import Table

from perfscale.cli.output.streams import VisibleStream
from perfscale.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import ConsoleOptions, RenderableType
    from rich.style import Style
    from rich.text import Text

_UNLIMITED: Final = 1_000_000


class _VisibleConsole(Console):
    """Makes visible whatever is shown, so that the callers need not."""

    def render_str(self, text: str, **options: Any) -> Text:  # noqa: ANN401 -- what the base takes
        """A string with markup; made visible before rich leaves out what it does not show."""
        return super().render_str(visible(text), **options)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """What is printed, piece by piece, down to the last table's cell."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else _shown(segment)


def _shown(segment: Segment) -> Segment:
    text = visible(segment.text)
    style: Style | None = segment.style
    return segment if text is segment.text else Segment(text, style)


def open_console(*, stderr: bool = False) -> Console:
    """A console on standard output or error.

    What is piped is never wrapped, unless ``COLUMNS`` says how wide it may be:
    a line there is a line that can be searched for.
    """
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or os.environ.get("COLUMNS") else _UNLIMITED
    file = stream.obeyed if isinstance(stream, VisibleStream) else stream
    return _VisibleConsole(file=file, stderr=stderr, highlight=False, width=width)


def print_wrapped(
    console: Console, text: str, *, indent: int = 0, style: str | None = None
) -> None:
    """A line of markup: wrapped between words on a terminal, elsewhere left whole for searches.

    Each of its rows is indented by so many columns.
    """
    if console.is_terminal:
        console.print(Padding(text, (0, 0, 0, indent), expand=False), style=style)
    else:
        console.print(" " * indent + text, style=style, soft_wrap=True)


def print_point(console: Console, mark: str, text: str) -> None:
    """A mark, and text without markup beside it, wrapped as `print_wrapped` does."""
    if not console.is_terminal:
        console.print(f"  {mark} {escape(text)}", soft_wrap=True)
        return
    row = Table.grid(padding=(0, 1))
    row.add_column()
    row.add_column()
    row.add_column(overflow="fold")  # as of a path, which is one long word
    row.add_row(" ", mark, escape(text))
    console.print(row)
