"""Alerts, as kube-burner has them: an expression fires if it gives a series in the time of a test.

https://kube-burner.github.io/kube-burner/latest/observability/alerting/
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from perfscale.audit.query import Query
from perfscale.config.reading.source import clip
from perfscale.errors import PrometheusError, QueryError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from perfscale.audit.prometheus import Prometheus
    from perfscale.audit.window import Window

SEVERITIES: Final = ("info", "warning", "error", "critical")
_FAILING: Final = frozenset({"error", "critical"})
PLACEHOLDER: Final = re.compile(r"\{\{-?\s*\$(?:labels\.(?P<label>\w+)|value)\s*-?\}\}")
"""What a description has of the sample that fired."""
_LONGEST: Final = 500


@dataclass(frozen=True)
class Alert:
    """An alert.

    Attributes:
        expression: PromQL, with variables as ``$duration``.
        description: For people, with placeholders.
        severity: One of `SEVERITIES`.
    """

    expression: str
    description: str
    severity: str = "info"

    @property
    def fails(self) -> bool:
        """Whether a test in which it fires has not passed."""
        return self.severity in _FAILING


class Fired(NamedTuple):
    """An alert that fired, once for each series.

    Attributes:
        moment: Of the first sample, Unix time in seconds.
        description: Filled in from it.
    """

    alert: Alert
    moment: float
    description: str

    def __str__(self) -> str:
        """As in ``error: etcd is slow: 31``."""
        return f"alert ({self.alert.severity}): {self.description}"


async def evaluate_alerts(
    prometheus: Prometheus, alerts: Sequence[Alert], window: Window
) -> tuple[list[Fired], list[str]]:
    """Evaluate alerts over a time.

    Returns:
        Those that fired, and a sentence for each that could not be evaluated.
    """
    async with asyncio.TaskGroup() as tasks:
        evaluating = [
            tasks.create_task(_evaluate(prometheus, alert, window), name="audit: alert")
            for alert in alerts
        ]
    fired: list[Fired] = []
    failures: list[str] = []
    for task in evaluating:
        found, failure = task.result()
        fired += found
        if failure is not None:
            failures.append(failure)
    return fired, failures


async def _evaluate(
    prometheus: Prometheus, alert: Alert, window: Window
) -> tuple[list[Fired], str | None]:
    query = Query("", alert.expression, kind="range").promql(window)
    try:
        series = await prometheus.over(query, window.start, window.end, window.step_s)
    except (PrometheusError, QueryError) as error:
        return [], f"alert {clip(alert.expression)}: {error}"
    return [
        Fired(alert, moment, _filled(alert.description, each.labels, value))
        for each in series
        for moment, value in each.points[:1]
    ], None


def _filled(description: str, labels: Mapping[str, str], value: float) -> str:
    """A description as it reads; the value has three decimals, as there."""

    def text(match: re.Match[str]) -> str:
        label = match["label"]
        return f"{round(value, 3):.15g}" if label is None else labels.get(label, "<no value>")

    return clip(PLACEHOLDER.sub(text, description), _LONGEST)
