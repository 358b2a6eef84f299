"""A few lines at the bottom of a terminal that are drawn again and again.

rich's own `Live` counts the lines that it has drawn. A terminal that is made
narrower breaks them into more rows than that, and what is typed is echoed behind
the last one, so pieces stay behind. This one counts rows, as wide as the terminal
is when it erases them.
"""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Final, Self

from rich.console import RenderHook
from rich.control import Control
from rich.file_proxy import FileProxy
from rich.segment import ControlType, Segment, Segments

if TYPE_CHECKING:
    from rich.console import Console, ConsoleRenderable, RenderableType

_ECHO: Final = 3
"""Columns that are left free for ``^C``, which must not begin another row."""
_LEAST: Final = 10


class LiveLines(RenderHook, AbstractContextManager["LiveLines"]):
    """Draws something below whatever else is printed on a console.

    Resource handling: a context manager. Inside it, what is written to the
    standard streams goes above the drawing; leaving it erases the drawing.
    """

    def __init__(self, console: Console) -> None:
        self.console = console
        self._shown: RenderableType | None = None
        self._widths: list[int] = []

    def show(self, renderable: RenderableType) -> None:
        """Draw this from now on."""
        self._shown = renderable
        self.console.print(Control())

    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        """What is printed: rich calls this for everything that goes to the console."""
        return [self._erased(), *renderables, self._drawn()]

    def _erased(self) -> Control:
        """What takes the last drawing away, from the end of its last row up."""
        if not self._widths:
            return Control()
        width = max(1, self.console.width)
        rows = sum(max(1, -(-each // width)) for each in self._widths)
        up = ((ControlType.CURSOR_UP, 1), (ControlType.ERASE_IN_LINE, 2)) * (rows - 1)
        return Control(ControlType.CARRIAGE_RETURN, (ControlType.ERASE_IN_LINE, 2), *up)

    def _drawn(self) -> Segments:
        """The drawing, not wider or higher than the terminal, without a line feed at its end."""
        self._widths = []
        if self._shown is None:
            return Segments([])
        width, height = self.console.size
        options = self.console.options.update(width=max(_LEAST, width - _ECHO))
        lines = self.console.render_lines(self._shown, options, pad=False)[: max(1, height - 1)]
        self._widths = [Segment.get_line_length(line) for line in lines]
        segments = [segment for line in lines for segment in (*line, Segment.line())]
        return Segments(segments[:-1])

    def __enter__(self) -> Self:
        self._streams = sys.stdout, sys.stderr
        for name in ("stdout", "stderr"):
            setattr(sys, name, FileProxy(self.console, getattr(sys, name)))
        self.console.push_render_hook(self)
        self.console.show_cursor(show=False)
        return self

    def __exit__(self, *_: object) -> None:
        """Erase the drawing."""
        self._shown = None
        try:
            self.console.print(Control())
            self.console.show_cursor(show=True)
        finally:
            self.console.pop_render_hook()
            sys.stdout, sys.stderr = self._streams
