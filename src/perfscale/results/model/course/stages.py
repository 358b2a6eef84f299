"""What a run did when: its stages, and the rounds of its churn."""

from __future__ import annotations

import msgspec


class StageSpan(msgspec.Struct, frozen=True, gc=False):
    """A time in which one thing was done.

    Attributes:
        stage: What, as progress events spell it.
        workload: For which workload; None for the run as a whole.
        began_s: Seconds since the run's start, and likewise below.
        ended_s: When something else was begun, or the run was over.
    """

    stage: str
    workload: str | None
    began_s: float
    ended_s: float


class RoundStart(msgspec.Struct, frozen=True, gc=False):
    """A round of churn of a workload began; of many, only some are kept."""

    workload: str
    round: int
    began_s: float

    @property
    def number(self) -> int:
        """Of the round."""
        return self.round


class IterationStart(msgspec.Struct, frozen=True, gc=False):
    """An iteration of a workload began; of many, only some are kept."""

    workload: str
    number: int
    began_s: float
