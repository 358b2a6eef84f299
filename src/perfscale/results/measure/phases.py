"""When an object was first seen in each of its phases, in little memory.

A run keeps one of these for each object, tens of thousands of them. A dict
takes three times as much: here the names are shared by all objects that went
the same way.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_WAYS: Final[dict[tuple[str, ...], tuple[str, ...]]] = {}
"""Each way that an object has gone, once."""


class PhaseTimes:
    """Phases in the order in which they were first seen, and when: seconds since the run's start.

    Attributes:
        names: The phases.
    """

    __slots__ = ("_at_s", "names")

    def __init__(self) -> None:
        self.names: tuple[str, ...] = ()
        self._at_s = array("d")

    def __len__(self) -> int:
        """How many phases it was seen in."""
        return len(self.names)

    def enter(self, phase: str, at_s: float) -> None:
        """It is seen in a phase; what counts is the first time."""
        if phase not in self.names:
            way = (*self.names, phase)
            self.names = _WAYS.setdefault(way, way)
            self._at_s.append(at_s)

    def get(self, phase: str) -> float | None:
        """When it was first seen in a phase; None if it never was."""
        return self._at_s[self.names.index(phase)] if phase in self.names else None

    def items(self, start: int = 0) -> Iterator[tuple[str, float]]:
        """Phases and times, from the one with this index on."""
        return zip(self.names[start:], self._at_s[start:], strict=True)
