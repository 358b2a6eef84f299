"""An audit as the Go perfscale-audit writes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from perfscale.audit.audit import Audit, Value


def results_document(audit: Audit) -> dict[str, Any]:
    """The content of ``perf-audit-results.json``."""
    return {"Values": {name: _value(each) for name, each in audit.values.items()}}


def _value(each: Value) -> dict[str, Any]:
    verdict = each.verdict
    if verdict is None:
        return {"value": each.value}
    judged: dict[str, Any] = {"thresholdValue": verdict.limit}
    if verdict.metric:
        judged["thresholdMetric"] = verdict.metric
    if verdict.ratio is not None:
        judged["thresholdRatio"] = verdict.ratio
    return {
        "value": each.value,
        "thresholdResult": {**judged, "thresholdExceeded": verdict.exceeded},
    }
