"""An audit: all queries of a profile, evaluated for one window."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from perfscale.audit.alerts import evaluate_alerts
from perfscale.audit.query import placeholders
from perfscale.config.reading.source import clip
from perfscale.errors import PrometheusError, QueryError, RunFailedError, ThresholdError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from perfscale.audit.alerts import Fired
    from perfscale.audit.answers import Sampled
    from perfscale.audit.profile import Profile
    from perfscale.audit.prometheus import Prometheus
    from perfscale.audit.query import Query
    from perfscale.audit.window import Window
    from perfscale.config.sections.audit import AuditThreshold

_LONGEST_NAME = 500
"""Of a result; label values may be of any length."""


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


class Value(NamedTuple):
    """A result: a finite number, its unit if known, and how it compares with its threshold."""

    value: float
    unit: str = ""
    threshold: ThresholdResult | None = None


class Answered(NamedTuple):
    """A series of an answer, as Prometheus gave it.

    Attributes:
        metric: The name of the query, or of the result where that is made of labels.
        query: PromQL, as it was sent.
        sampled: Its labels and samples.
    """

    metric: str
    query: str
    sampled: Sampled


class Series(NamedTuple):
    """A result over time: seconds since the window's start, and the value; None for no number."""

    name: str
    unit: str
    points: Sequence[tuple[float, float | None]]


@dataclass(frozen=True)
class Audit:
    """What an audit has found.

    Attributes:
        values: The results by name.
        series: The results over time.
        failures: The queries that could not be answered or used, each a sentence.
        empty: The names of the queries for which there was no data.
        not_numbers: The names of the results that were no number, and count as 0.
        unjudged: The names of the thresholds for which there was no result.
        answered: All series of all answers that are results.
        fired: The alerts that fired.
    """

    window: Window
    values: Mapping[str, Value]
    series: tuple[Series, ...] = ()
    failures: tuple[str, ...] = ()
    empty: tuple[str, ...] = ()
    not_numbers: tuple[str, ...] = ()
    unjudged: tuple[str, ...] = ()
    answered: tuple[Answered, ...] = ()
    fired: tuple[Fired, ...] = ()

    @property
    def exceeded(self) -> tuple[str, ...]:
        """The names of the results that are above their thresholds."""
        return tuple(
            name for name, each in self.values.items() if each.threshold and each.threshold.exceeded
        )

    def exit_code(self, *, strict: bool = False) -> int:
        """What the command exits with: 1 if a query failed, 3 for a threshold or an alert.

        Args:
            strict: Whether a threshold without a result counts as exceeded.
        """
        if self.failures:
            return RunFailedError.exit_code
        failing = any(each.alert.fails for each in self.fired)
        if self.exceeded or failing or (strict and self.unjudged):
            return ThresholdError.exit_code
        return 0

    def notes(self, most: int | None = None) -> Iterator[str]:
        """What there was nothing of, with so many names at most, and alerts that fail nothing."""
        yield from (str(each) for each in self.fired if not each.alert.fails)
        for what, names in (
            ("no data", self.empty),
            ("not a number, as of no observation, and counted as 0", self.not_numbers),
            ("no result to judge by the threshold of", self.unjudged),
        ):
            if names:
                more = f" and {len(names) - most} more" if most and len(names) > most else ""
                yield f"note: {what}: {', '.join(names[:most])}{more}"

    def describe_thresholds(self) -> Iterator[tuple[bool, str]]:
        """Each result with a threshold: whether it keeps it, and a sentence."""
        for name, each in self.values.items():
            if each.threshold is not None:
                number = f"{each.value:.6g} {each.unit}".rstrip()
                yield not each.threshold.exceeded, f"{name} {number}, {each.threshold}"

    def describe_exceeded(self) -> Iterator[str]:
        """A sentence for each threshold that is exceeded, and for each alert that fails."""
        yield from (sentence for kept, sentence in self.describe_thresholds() if not kept)
        yield from (str(each) for each in self.fired if each.alert.fails)


async def evaluate(
    prometheus: Prometheus,
    profile: Profile,
    window: Window,
    thresholds: Mapping[str, AuditThreshold] = {},
) -> Audit:
    """Evaluate all queries and alerts of a profile, and judge the results.

    A query that fails is part of the audit.

    Args:
        prometheus: Where; it bounds how many queries are under way.
        profile: The queries.
        window: The time in question.
        thresholds: Limits by the name of a result, before those of the profile.

    Raises:
        PrometheusError: It answered none of the queries.
    """
    async with asyncio.TaskGroup() as tasks:
        querying = [
            tasks.create_task(_query(prometheus, query, window), name=f"audit: {query.name}")
            for query in profile.queries
        ]
    collected = _Collected(window)
    unanswered = [failure for task in querying if (failure := task.result()[1]) is not None]
    if len(unanswered) == len(querying):
        refusal = next((each for each in unanswered if isinstance(each, PrometheusError)), None)
        if refusal is not None:
            raise refusal
    for query, task in zip(profile.queries, querying, strict=True):
        answer, failure = task.result()
        if failure is not None:
            collected.failures.append(f"{query.name}: {failure}")
        else:
            collected.take(query, answer)
    fired, failures = await evaluate_alerts(prometheus, profile.alerts, window)
    collected.failures += failures
    return replace(collected.judged(thresholds), fired=tuple(fired))


async def _query(
    prometheus: Prometheus, query: Query, window: Window
) -> tuple[list[Sampled], PrometheusError | QueryError | None]:
    expression = query.promql(window)
    try:
        if query.kind == "range":
            return await prometheus.over(expression, window.start, window.end, window.step_s), None
        moment = window.start if query.at_start else window.end
        return await prometheus.at(expression, moment), None
    except (PrometheusError, QueryError) as error:
        return [], error


@dataclass
class _Collected:
    """What the answers come to, until it is judged."""

    window: Window
    values: dict[str, float] = field(default_factory=dict)
    queries: dict[str, Query] = field(default_factory=dict)
    series: list[Series] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    not_numbers: list[str] = field(default_factory=list)
    without_data: set[str] = field(default_factory=set)
    answered: list[Answered] = field(default_factory=list)

    def take(self, query: Query, answer: Sequence[Sampled]) -> None:
        """Take in what one query gave."""
        used = False
        for sampled in answer:
            name = query.result_name(sampled.labels, alone=len(answer) == 1)
            if name is None:
                continue
            used = True
            name = clip(name, _LONGEST_NAME)
            metric = name if placeholders(query.name) else query.name
            self.answered.append(Answered(metric, query.promql(self.window), sampled))
            if name in self.values:
                self.failures.append(f"{query.name}: another query has given {name} already")
            elif query.kind == "range":
                self._take_series(query, name, sampled)
            else:
                self._take_number(query, name, sampled.points[-1][1])
        if not used:
            self.empty.append(query.name)
            self.without_data.add(query.name)
            if not placeholders(query.name):
                self.queries[query.name] = query
            if query.default is not None:
                self._put(query, query.name, query.default)

    def _take_number(self, query: Query, name: str, number: float) -> None:
        if math.isinf(number):
            self.failures.append(f"{name}: the result is infinite, a division by 0")
            return
        if math.isnan(number):
            self.not_numbers.append(name)
            self.without_data.add(name)
            number = 0.0 if query.default is None else query.default
        self._put(query, name, number)

    def _take_series(self, query: Query, name: str, sampled: Sampled) -> None:
        start_s = self.window.start.timestamp()
        points = tuple(
            (round(moment - start_s, 3), value if math.isfinite(value) else None)
            for moment, value in sampled.points
        )
        numbers = [value for _, value in points if value is not None]
        if not numbers:
            self.not_numbers.append(name)
            return
        self.series.append(Series(name, query.unit, points))
        self._put(query, name, max(numbers))

    def _put(self, query: Query, name: str, number: float) -> None:
        self.values[name] = number
        self.queries[name] = query

    def judged(self, given: Mapping[str, AuditThreshold]) -> Audit:
        """The audit, with the results judged."""
        thresholds = dict(self._own_thresholds()) | dict(given)
        checked = {
            name: judge(self.values[name], threshold, self.values)
            for name, threshold in thresholds.items()
            if name in self.values
        }
        values = {
            name: Value(number, self.queries[name].unit, checked.get(name))
            for name, number in sorted(self.values.items())
        }
        unjudged = [
            name for name in thresholds if checked.get(name) is None or name in self.without_data
        ]
        return Audit(
            self.window,
            values,
            tuple(self.series),
            tuple(self.failures),
            tuple(self.empty),
            tuple(self.not_numbers),
            tuple(unjudged),
            tuple(self.answered),
        )

    def _own_thresholds(self) -> Iterator[tuple[str, AuditThreshold]]:
        for name, query in self.queries.items():
            if query.threshold is not None:
                yield name, query.threshold


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
