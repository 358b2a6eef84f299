"""Iterations of all generators together, as progress and snapshots read them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from perfscale.config.sections.metrics import MILESTONES
from perfscale.engine.tracking.rows import IterationScope

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perfscale.engine.tracking.rows import TrackedObject
    from perfscale.results import ObjectLife, OperationLife


def phase_of(life: ObjectLife) -> str | None:
    """The last phase that an object entered; milestones are not phases."""
    names = reversed(life.phases_s.names)
    return next((name for name in names if name not in MILESTONES), None)


@dataclass(slots=True, eq=False)
class _Shown:
    """An object's life, with what progress reads of a row."""

    life: ObjectLife
    finalizers: tuple[str, ...] = ()

    def __getattr__(self, name: str) -> object:
        return getattr(self.life, name)

    @property
    def decided(self) -> bool:
        return self.life.ready_s is not None or self.life.error is not None

    @property
    def phase(self) -> str | None:
        return phase_of(self.life)

    @property
    def phase_s(self) -> float | None:
        return None if self.phase is None else self.life.phases_s.get(self.phase)


class MergedScope(IterationScope):
    """An iteration of all generators, for what is published of it; nothing waits for it.

    Attributes:
        lives: Its objects and children, by their numbers.
        operations: Those of its operations of which something is to come yet, likewise.
        ends: Whether its load ends by its time.
    """

    def __init__(self, workload: str, iteration: int, round_number: int | None) -> None:
        super().__init__(workload, iteration, 0, round_number)
        self.lives: dict[int, ObjectLife] = {}
        self.operations: dict[int, OperationLife] = {}
        self.ends = False
        self._expected = 0
        self._asked_for = 0

    def expect(self, requested: int) -> None:
        """So many are requested in all, before every generator has published its part."""
        self._expected = requested
        self.limit(max(self._expected, self._asked_for))

    def ask_for(self, requested: int) -> None:
        """A generator has published that its part is so many."""
        self._asked_for += requested
        self.limit(max(self._expected, self._asked_for))

    def end_load(self, requested: int) -> None:
        """A load that ends by its time is over, and has requested so many."""
        self._expected, self._asked_for = 0, requested
        self.limit(requested)

    @property
    def rows(self) -> Iterator[TrackedObject]:
        """All of them; they are made when they are read, which is seldom."""
        shown: Iterator[Any] = (_Shown(life) for life in self.lives.values())
        return shown
