"""Whether results keep to their limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perfscale.config.sections.audit import AuditThreshold


@dataclass(frozen=True)
class ThresholdResult:
    """How a result compares with its limit.

    Attributes:
        limit: The most that the result may be.
        exceeded: Whether it is more.
        metric: The result that the limit was worked out from; empty if from none.
        ratio: The result divided by that one; None where there is nothing to divide by.
    """

    limit: float
    exceeded: bool
    metric: str = ""
    ratio: float | None = None

    def __str__(self) -> str:
        """As in ``above 60``."""
        how = "above" if self.exceeded else "at most"
        by = f", by the ratio to {self.metric}" if self.metric else ""
        return f"{how} {self.limit:.6g}{by}"


def judge(
    value: float, threshold: AuditThreshold, values: Mapping[str, float]
) -> ThresholdResult | None:
    """Compare a result with its threshold.

    Returns:
        None where the other result, which the limit depends on, is not there.
    """
    if not threshold.metric:
        limit = threshold.value or 0.0
        return ThresholdResult(limit, value > limit)
    other = values.get(threshold.metric)
    if other is None:
        return None
    limit = other * threshold.ratio
    return ThresholdResult(limit, value > limit, threshold.metric, value / other if other else None)
