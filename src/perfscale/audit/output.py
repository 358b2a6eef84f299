"""An audit as the Go perfscale-audit writes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from perfscale.audit.evaluation import Audit, Value


def results_document(audit: Audit) -> dict[str, Any]:
    """The content of ``perf-audit-results.json``."""
    return {"Values": {name: _value(each) for name, each in audit.values.items()}}


def _value(each: Value) -> dict[str, Any]:
    threshold = each.threshold
    if threshold is None:
        return {"value": each.value}
    judged: dict[str, Any] = {"thresholdValue": threshold.limit}
    if threshold.metric:
        judged["thresholdMetric"] = threshold.metric
    if threshold.ratio is not None:
        judged["thresholdRatio"] = threshold.ratio
    return {
        "value": each.value,
        "thresholdResult": {**judged, "thresholdExceeded": threshold.exceeded},
    }
