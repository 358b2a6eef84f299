"""What a threshold comes to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ThresholdVerdict:
    """Whether a threshold was met.

    Attributes:
        workload: What it is about; None for the run as a whole.
        metric: Its metric.
        quantile: Which statistic, of a latency.
        bound: ``max`` or ``min``.
        limit: The bound, in ``unit``.
        unit: ``seconds``, ``count``, ``perSecond`` or ``percent``.
        value: What was measured; None where there is no sample, or where the
            statistic was not reached. Both fail.
        passed: Whether it was met.
        missed_by: By how much it was not; None if it was, or without a value.
        text: All that in a sentence.
    """

    workload: str | None
    metric: str
    quantile: str | None
    bound: str
    limit: float
    unit: str
    value: float | None
    passed: bool
    missed_by: float | None
    text: str
