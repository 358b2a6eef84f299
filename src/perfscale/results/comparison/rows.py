"""One number of two runs side by side, and what to think of the difference."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Verdict(StrEnum):
    """What a difference is; ``NONE`` is for numbers that are shown and not judged."""

    SAME = "same"
    WORSE = "regression"
    BETTER = "improvement"
    NONE = ""


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """What to think of several differences together."""
    found = set(verdicts)
    return next((each for each in (Verdict.WORSE, Verdict.BETTER) if each in found), Verdict.SAME)


@dataclass(frozen=True, slots=True)
class Limits:
    """From where on a difference is one.

    Attributes:
        threshold: By which share a latency has to grow, or a rate to fall.
        min_difference_s: By how many seconds a latency has to grow at least.
        significance: Which p-value a difference of latencies has to be below.
    """

    threshold: float = 0.10
    min_difference_s: float = 0.020
    significance: float = 0.01


class Subject(NamedTuple):
    """What a number is about: a workload, or one kind of its objects or of their children.

    With ``operation`` it is about what was done to that kind.
    """

    workload: str
    kind: str | None = None
    children: bool = False
    operation: str | None = None

    def __str__(self) -> str:
        """As a person reads it."""
        kind = f": {self.kind}" if self.kind else ""
        if self.operation:
            kind = f": {self.operation} of {self.kind}"
        return f"{self.workload}{kind}{' (children)' if self.children else ''}"


@dataclass(frozen=True, slots=True)
class Row:
    """One number of two runs.

    Attributes:
        measure: What was measured, such as ``Ready`` or ``creates a second``.
        statistic: Which number of it, such as ``p99``; empty if there is one only.
        base: In the run that is compared with, and ``new`` in the other; None if not reached.
        p_value: Probability that chance makes such a difference; None where
            nothing is known of that.
    """

    subject: Subject
    measure: str
    statistic: str
    base: float | None
    new: float | None
    p_value: float | None = None
    verdict: Verdict = Verdict.NONE

    @property
    def change(self) -> float | None:
        """The difference as a share of ``base``; None where that is no number."""
        if self.base == self.new:
            return 0.0
        if self.base is None or self.new is None or not self.base:
            return None
        return self.new / self.base - 1

    def as_json(self) -> dict[str, Any]:
        """For programs; the keys are those of the summary where it has them."""
        return {
            "workload": self.subject.workload,
            "kind": self.subject.kind,
            "children": self.subject.children,
            "operation": self.subject.operation,
            "measure": self.measure,
            "statistic": self.statistic or None,
            "base": self.base,
            "new": self.new,
            "change": None if self.change is None else round(self.change, 6),
            "pValue": None if self.p_value is None else float(f"{self.p_value:.3g}"),
            "verdict": self.verdict.value or None,
        }


def by_subject(rows: Iterable[Row]) -> Iterator[tuple[Subject, list[Row]]]:
    """The rows about one thing together."""
    for subject, members in groupby(rows, key=lambda row: row.subject):
        yield subject, list(members)
