"""Records of operations: what was done to objects that were there, and what became of it.

Creates, and the deletions of a cleanup, are in the records of objects.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping  # noqa: TC003 -- msgspec reads a record's annotations
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable

    from perfscale.results.model.latency import LatencySummary

_LatencyT = TypeVar("_LatencyT")

_NO_ANSWER: Final = "the run ended before the server answered the request"
_NO_EFFECT: Final = "the effect was not seen before the wait for it, or the run, ended"


class OperationOutcome(StrEnum):
    """What became of one operation."""

    DONE = "done"
    FAILED = "failed"
    UNFINISHED = "unfinished"
    NOT_ATTEMPTED = "notAttempted"

    @staticmethod
    def of(*, error: str | None, done_s: float | None, sent_s: float | None) -> OperationOutcome:
        """What the facts of an operation's record make it."""
        if error is not None:
            return OperationOutcome.FAILED
        if done_s is not None:
            return OperationOutcome.DONE
        return OperationOutcome.NOT_ATTEMPTED if sent_s is None else OperationOutcome.UNFINISHED

    def explain(
        self, error: str | None, detail: str | None, answered_s: float | None
    ) -> str | None:
        """Why an operation failed or is unfinished; None for one that is done.

        Args:
            error: What made it fail, if something did.
            detail: What was seen last of what it waits for.
            answered_s: When its request was answered.
        """
        match self:
            case OperationOutcome.FAILED:
                return error
            case OperationOutcome.UNFINISHED if answered_s is None:
                return _NO_ANSWER
            case OperationOutcome.UNFINISHED:
                return detail or _NO_EFFECT
            case _:
                return None


@dataclass(frozen=True, slots=True)
class OperationRecord:
    """One operation on one object, or on one collection.

    Attributes:
        workload: Name of the workload.
        iteration: Counted from 1.
        operation: As the workload file spells it: ``restart``.
        kind: CamelCase kind of the target; ``Kind.group`` where the run has one of that
            name in another group too.
        api_version: Of the kind.
        namespace: None for a cluster-scoped target, and for a collection of all namespaces.
        name: Of the target; None for a collection, which ``list`` and ``watch`` read.
        uid: Of the target, as it was found when the workload began; None for a collection.
        outcome: What became of it.
        error: Why it failed or is unfinished; None otherwise.
        scheduled_s: When its turn came by the target rate; seconds since the run's start, and
            likewise below.
        admitted_s: When the rate limit and the in-flight bound let it go.
        sent_s: When its request was sent first.
        answered_s: When the server had accepted it; None for one that it refused.
        done_s: When its effect was first seen.
        milestones: When what comes before that was first seen, by name, in that order.
        counts: What a watch received: ``events`` and ``bytes``; empty for all others.
    """

    workload: str
    iteration: int
    operation: str
    kind: str
    api_version: str
    namespace: str | None
    name: str | None
    uid: str | None
    outcome: OperationOutcome
    error: str | None
    scheduled_s: float | None
    admitted_s: float | None
    sent_s: float | None
    answered_s: float | None
    done_s: float | None
    milestones: Mapping[str, float]
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class OperationAccounts:
    """What became of a set of operations.

    ``requested = done + failed + unfinished + not_attempted`` holds for every workload,
    iteration, kind and operation.

    Attributes:
        requested: Wanted by the workload.
        done: Their effect was seen.
        failed: Refused by the server, or what they wait for cannot happen any more.
        unfinished: Sent, and their effect was not seen by the end of the wait or of the run.
        not_attempted: The run ended before their turn.
        unknown: Of those that count as not attempted: the journal ends before it shows whether
            they were sent.
    """

    requested: int = 0
    done: int = 0
    failed: int = 0
    unfinished: int = 0
    not_attempted: int = 0
    unknown: int = 0

    @classmethod
    def count(cls, outcomes: Iterable[OperationOutcome]) -> OperationAccounts:
        """Count operations by what became of them."""
        counts = Counter(outcomes)
        return cls(
            requested=counts.total(),
            done=counts[OperationOutcome.DONE],
            failed=counts[OperationOutcome.FAILED],
            unfinished=counts[OperationOutcome.UNFINISHED],
            not_attempted=counts[OperationOutcome.NOT_ATTEMPTED],
        )

    def __add__(self, other: OperationAccounts) -> OperationAccounts:
        """Field by field."""
        return OperationAccounts(
            *(getattr(self, name) + getattr(other, name) for name in OperationAccounts.__slots__)
        )

    def with_requested(self, requested: int, surely: int) -> OperationAccounts:
        """The same, of so many: those that were never counted were not attempted.

        Where more were counted than had been planned (a load that goes round its targets for
        a time plans none), as many were requested as were counted. All but ``surely`` many of
        them may have been sent all the same, after the journal's end.
        """
        missing = max(0, requested - self.requested)
        unknown = max(0, missing - surely)
        return self + OperationAccounts(requested=missing, not_attempted=missing, unknown=unknown)

    @property
    def balanced(self) -> bool:
        """Whether every requested operation has exactly one outcome."""
        return self.requested == self.done + self.failed + self.unfinished + self.not_attempted


@dataclass(frozen=True, slots=True)
class OperationResult:
    """What became of one operation on one kind.

    Attributes:
        operation: As the workload file spells it.
        kind: Of the targets.
        api_version: Of the kind; empty if it is not known.
        accounts: The counts.
        response: Seconds from the request to the answer that accepts it.
        effect: Seconds from the request until it was first seen done.
        milestones: Seconds from the request until each was first seen, in their order.
        time_in: Seconds from each milestone to the next that was seen, or until it was done.
    """

    operation: str
    kind: str
    api_version: str
    accounts: OperationAccounts
    response: LatencySummary
    effect: LatencySummary
    milestones: Mapping[str, LatencySummary]
    time_in: Mapping[str, LatencySummary]

    @property
    def latencies(self) -> dict[str, LatencySummary]:
        """What a person looks at first, by its name."""
        return first_looked_at(self.response, self.effect, self.milestones, self.time_in)


def first_looked_at(
    response: _LatencyT,
    effect: _LatencyT,
    milestones: Mapping[str, _LatencyT],
    time_in: Mapping[str, _LatencyT],
) -> dict[str, _LatencyT]:
    """The latencies of an operation that a person looks at first, by their names.

    That is without an effect that is the answer itself, and of the times in a milestone with
    that in the first alone, in which it waits for its turn.
    """
    seen = {} if effect == response else {"effect": effect}
    waiting = {f"time in {name}": each for name, each in list(time_in.items())[:1]}
    return {"response": response, **milestones, **seen, **waiting}
