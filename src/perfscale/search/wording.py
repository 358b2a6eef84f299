"""The answer of a search in words, and what was expected of it."""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from perfscale.errors import UsageError
from perfscale.search.deciding.trials import Verdict, answer_of, tallies
from perfscale.search.document import End, Found, State
from perfscale.search.varying import with_unit, written

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from perfscale.search.deciding.trials import Tally
    from perfscale.search.document import Plan, SearchDocument, Step

_COMPARISONS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    ">=": operator.ge,
    ">": operator.gt,
    "<=": operator.le,
    "<": operator.lt,
}
_EXPECTED: Final = re.compile(r"(>=|<=|>|<)\s*([0-9]+(?:\.[0-9]+)?)")


@dataclass(frozen=True, slots=True)
class Expected:
    """What the limit is expected to be, as in ``>=40``."""

    comparison: str
    value: float

    @staticmethod
    def parse(text: str) -> Expected:
        """Read it.

        Raises:
            UsageError: It is something else.
        """
        match = _EXPECTED.fullmatch(text.strip())
        if match is None:
            raise UsageError(f"--expect {text!r}: write a comparison and a number, as in '>=40'")
        return Expected(match[1], float(match[2]))

    def __str__(self) -> str:
        """As one writes it."""
        return f"{self.comparison}{written(self.value)}"

    def is_met(self, found: Found) -> bool | None:
        """Whether the highest value that holds is so; None where it may be higher than is known."""
        holds = 0.0 if found.holds_at is None else found.holds_at.value
        met = _COMPARISONS[self.comparison](holds, self.value)
        grows = self.comparison in {">=", ">"}
        is_open = found.lost_at is None and (found.not_judged_at or found.holds_at) is not None
        # What holds already is enough for "at least", and what is not known spoils the rest.
        return met if met is grows or not is_open else None


def found_so_far(document: SearchDocument) -> Found | None:
    """What the steps say together; None before the first has ended."""
    plan, steps = document.plan, document.steps
    if not document.trials:
        return None
    answer = answer_of(tallies(document.trials), plan.repeat)
    holds, lost, not_judged = (
        None if each is None else _end(each, steps)
        for each in (answer.holds, answer.lost, answer.not_judged)
    )
    return Found(
        text=_text(document, holds, lost, not_judged),
        holds_at=holds,
        lost_at=lost,
        not_judged_at=not_judged,
    )


def _end(tally: Tally, steps: Sequence[Step]) -> End:
    reasons = [
        each.reasons
        for each in steps
        if each.value == tally.value and each.verdict in {Verdict.LOST, Verdict.NOT_COUNTED}
    ]
    return End(
        value=tally.value,
        held=tally.held,
        runs=tally.runs,
        reasons=list(reasons[-1]) if reasons else [],
    )


def at(plan: Plan, value: float) -> str:
    """A value with its unit."""
    return with_unit(plan.vary, plan.unit, value)


def _text(
    document: SearchDocument, holds: End | None, lost: End | None, not_judged: End | None
) -> str:
    found = _ends(document.plan, holds, lost, not_judged)
    if found is None:
        return "nothing is known yet"
    return found if document.state is State.FINISHED else f"so far: {found}"


def _ends(plan: Plan, holds: End | None, lost: End | None, not_judged: End | None) -> str | None:
    held = None if holds is None else f"holds at {_counted(plan, holds)}"
    if lost is not None:
        if held is None:
            which = ", the lowest value" if lost.value <= plan.start else ""
            return f"lost at {_counted(plan, lost)}{which}"
        return f"{held}, lost at {_counted(plan, lost)}"
    if not_judged is not None:
        why = not_judged.reasons[0] if not_judged.reasons else "for no reason that is known"
        return "; ".join(
            part for part in (held, f"{at(plan, not_judged.value)} cannot be judged: {why}") if part
        )
    is_top = plan.end is not None and holds is not None and holds.value >= plan.end
    return f"{held}, the highest value" if is_top else held


def _counted(plan: Plan, end: End) -> str:
    return f"{at(plan, end.value)} ({end.held} of {end.runs})"
