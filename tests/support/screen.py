"""What stands on a terminal's screen after it has obeyed what was written to it."""

from __future__ import annotations

import io
import re
from typing import Final

_PIECE: Final = re.compile(r"\x1b\[\??(?P<number>\d*)(?P<command>[A-Za-z])|\r|\n|[^\x1b\r\n]+")


class Screen(io.StringIO):
    """A terminal that scrolls without end, and breaks lines anew when it is made narrower."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width
        self._rows = [""]
        self._row = 0
        self._column = 0

    @property
    def text(self) -> str:
        """All rows, without the blanks at their ends."""
        return "\n".join(row.rstrip() for row in self._rows).rstrip("\n")

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        for piece in _PIECE.finditer(text):
            self._obey(piece)
        return len(text)

    def narrow(self, width: int) -> None:
        """Make it narrower, as somebody does who pulls at its corner."""
        rows: list[str] = []
        for number, row in enumerate(self._rows):
            pieces = [row[at : at + width] for at in range(0, len(row), width)] or [""]
            rows += pieces
            if number == self._row:
                self._row, self._column = len(rows) - 1, len(pieces[-1])
        self._rows, self.width = rows, width

    def _obey(self, piece: re.Match[str]) -> None:
        if piece["command"] == "A":
            self._row = max(0, self._row - int(piece["number"] or 1))
        elif piece["command"] == "K":
            self._rows[self._row] = ""
        elif piece[0] == "\r":
            self._column = 0
        elif piece[0] == "\n":
            self._feed()
        elif not piece["command"]:
            for character in piece[0]:
                self._put(character)

    def _put(self, character: str) -> None:
        if self._column == self.width:
            self._feed()
        row = self._rows[self._row].ljust(self._column)
        self._rows[self._row] = row[: self._column] + character + row[self._column + 1 :]
        self._column += 1

    def _feed(self) -> None:
        self._row, self._column = self._row + 1, 0
        if self._row == len(self._rows):
            self._rows.append("")
