"""The operations of two runs side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perfscale.results.comparison.latencies import LatencyPair
from perfscale.results.comparison.rows import Limits, Row, Subject, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from perfscale.results.measure.operations.latencies import OperationSamples
    from perfscale.results.measure.statistics.percentiles import LatencySamples
    from perfscale.results.model.document import Operation, Workload

JUDGED = "effect"
ANSWER = "response"
"""What is judged where the answer is the effect."""


def operation_rows(
    name: str,
    workloads: tuple[Workload, Workload],
    samples: tuple[OperationSamples | None, ...],
    operation: Operation,
    limits: Limits,
) -> Iterator[Row]:
    """The rows of one operation on one kind, which is in both runs.

    Args:
        name: Of the workload.
        workloads: What both runs have of it.
        samples: Of both runs; None without records.
        operation: What the first run has of it.
        limits: From where on a difference is one.
    """
    base, new = (_found(operation, workload.operations) for workload in workloads)
    if base is None or new is None:
        return
    subject = Subject(name, operation.kind, operation=operation.operation)
    before, now = _not_done(base), _not_done(new)
    verdict = Verdict.SAME
    if before != now:
        verdict = Verdict.WORSE if now > before else Verdict.BETTER
    yield Row(subject, "% not done", "", before, now, verdict=verdict)
    ours, theirs = base.latencies, new.latencies
    judged = JUDGED if JUDGED in ours or JUDGED in theirs else ANSWER
    # Where the answer was the effect in one run alone, both are there all the same.
    ours, theirs = {JUDGED: base.effect, **ours}, {JUDGED: new.effect, **theirs}
    for pair in (
        LatencyPair(each, ours[each], theirs[each], _both(samples, each))
        for each in ours
        if each in theirs and (each != JUDGED or judged == JUDGED)
    ):
        yield from pair.judged(subject, limits) if pair.name == judged else pair.shown(subject)


def operation_key(operation: Operation) -> tuple[str, str]:
    """What tells the operations of a workload apart."""
    return operation.operation, operation.kind


def _found(wanted: Operation, operations: Iterable[Operation]) -> Operation | None:
    keys = operation_key(wanted)
    return next((each for each in operations if operation_key(each) == keys), None)


def _not_done(operation: Operation) -> float:
    """The share of operations that were not done, of those that were attempted."""
    counts = operation.operations
    attempted = counts.requested - counts.not_attempted
    return round(100 * (attempted - counts.done) / attempted, 3) if attempted else 0.0


def _both(
    samples: tuple[OperationSamples | None, ...], name: str
) -> tuple[LatencySamples, LatencySamples] | None:
    found = [None if each is None else each.named(name) for each in samples]
    match found:
        case [base, new] if base is not None and new is not None:
            return base, new
    return None
