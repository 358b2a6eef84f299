"""One colour for one phase, wherever the page shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from perfscale.config.sections.metrics import Latency
from perfscale.results.pages.slowest import ANSWERED, REQUEST

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from perfscale.results.model.document import Summary

COLOURS: Final = 12
"""Those that the style sheet has, from ``c0`` on."""
_REQUEST_COLOUR: Final = 7


class Palette:
    """Gives each name a number of a colour, in the order in which they first come.

    Args:
        names: Those that are known beforehand.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._numbers = {REQUEST: _REQUEST_COLOUR, Latency.CREATION: _REQUEST_COLOUR}
        self._next = 0
        for name in names:
            self.of(name)

    def of(self, name: str) -> int:
        """The colour of a phase, or of what stands among them."""
        if name not in self._numbers:
            if self._next == _REQUEST_COLOUR:
                self._next += 1
            self._numbers[name] = self._next % COLOURS
            self._next += 1
        return self._numbers[name]


def palette_of(paths: Mapping[str, Sequence[str]], summary: Summary) -> Palette:
    """Of the phases of a run: first those on the way to readiness, in their order."""
    seen = (
        phase
        for workload in summary.workloads
        for kinds in (workload.kinds, workload.child_kinds)
        for kind in kinds.values()
        for phase in kind.phases
    )
    return Palette([ANSWERED, *(phase for path in paths.values() for phase in path), *seen])
