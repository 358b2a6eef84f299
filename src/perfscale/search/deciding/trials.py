"""What was tried so far, and what that says: run by run, value by value, and together."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MOST_NOT_COUNTED: Final = 2
"""A value is given up when it could not be judged so often: once may be bad luck."""


class Verdict(StrEnum):
    """What a run says of the cluster at its value."""

    HOLDS = "holds"
    LOST = "lost"
    NOT_COUNTED = "notCounted"


class Trial(NamedTuple):
    """A run that came to its end."""

    value: float
    verdict: Verdict


class Status(StrEnum):
    """What the runs of one value say together."""

    HOLDS = "holds"
    LOST = "lost"
    UNDECIDED = "undecided"
    NOT_JUDGED = "notJudged"


@dataclass(frozen=True, slots=True)
class Tally:
    """The runs of one value."""

    value: float
    held: int = 0
    lost: int = 0
    not_counted: int = 0

    @property
    def runs(self) -> int:
        """How many were counted."""
        return self.held + self.lost

    def plus(self, verdict: Verdict) -> Tally:
        """With one more run."""
        return Tally(
            self.value,
            self.held + (verdict is Verdict.HOLDS),
            self.lost + (verdict is Verdict.LOST),
            self.not_counted + (verdict is Verdict.NOT_COUNTED),
        )

    def status(self, repeat: int) -> Status:
        """What most of its runs say, of which there are to be ``repeat``.

        A value of which half the runs were lost does not hold.
        """
        if self.is_given_up and not self.is_decided(repeat):
            return Status.NOT_JUDGED
        if self.held > self.lost:
            return Status.HOLDS
        if self.lost > self.held or self.runs >= repeat:
            return Status.LOST
        return Status.UNDECIDED

    @property
    def is_given_up(self) -> bool:
        """Whether it could not be judged too often to run it once more."""
        return self.not_counted >= MOST_NOT_COUNTED

    def is_decided(self, repeat: int) -> bool:
        """Whether no further run can change what most of ``repeat`` say."""
        return self.runs >= repeat or max(self.held, self.lost) > repeat / 2


@dataclass(frozen=True, slots=True)
class Answer:
    """What the search has found.

    Attributes:
        holds: The highest value that holds; None if none was seen to.
        lost: The lowest that is lost; None if none was, or one below it could not be judged.
        not_judged: The lowest value that could not be judged, if nothing below it is lost.
    """

    holds: Tally | None = None
    lost: Tally | None = None
    not_judged: Tally | None = None


def tallies(trials: Iterable[Trial]) -> list[Tally]:
    """The runs of each value, in ascending order."""
    found: dict[float, Tally] = {}
    for value, verdict in trials:
        found[value] = found.get(value, Tally(value)).plus(verdict)
    return [found[value] for value in sorted(found)]


def answer_of(found: Sequence[Tally], repeat: int) -> Answer:
    """What is known when no more runs are to come; where values disagree, the more careful."""
    holds: Tally | None = None
    for each in found:
        match each.status(repeat):
            case Status.HOLDS:
                holds = each
            case Status.LOST:
                return Answer(holds, lost=each)
            case Status.NOT_JUDGED:
                return Answer(holds, not_judged=each)
            case Status.UNDECIDED:
                break
    return Answer(holds)
