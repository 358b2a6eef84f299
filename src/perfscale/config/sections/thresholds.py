"""What a run has to keep to: thresholds, each of one metric."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Self

from pydantic import (
    BeforeValidator,
    Field,
    PlainSerializer,
    SerializerFunctionWrapHandler,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_serializer,
    model_validator,
)

from perfscale.config.durations import EXAMPLES, PATTERN, format_duration
from perfscale.config.sections.fields import (
    Flag,
    Text,
    choice,
    detail,
    duration_reader,
    key_error,
    refusal,
    rule,
)
from perfscale.config.sections.metrics import METRICS, PERCENTILES, PHASE, Metric, Unit
from perfscale.config.sections.section import Section

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pydantic_core import InitErrorDetails

QUANTILES: Final = (*PERCENTILES, "max", "mean")
"""The statistics of a latency that can have a threshold."""

_read_duration: Final = duration_reader(1e-9)
_KNOWN_LATE: Final = frozenset({"unready", "unfinished", "leftover", "sentQps", "achievedQps"})
_OF_REQUESTS: Final = frozenset({"apiErrors", "apiRetries"})
_PERCENTAGE: Final = r"^[0-9]{1,3}(\.[0-9]+)?%$"


@dataclass(frozen=True, slots=True)
class Bound:
    """How much, or how little, of a metric is accepted: in its unit, or per cent of its whole."""

    value: float
    unit: Unit

    def of(self, whole: float) -> float:
        """How much it is of ``whole``, if it is a percentage; else how much it is."""
        return self.value * whole / 100 if self.unit is Unit.PERCENT else self.value

    def __str__(self) -> str:
        """As one writes it in the workload file."""
        if self.unit is Unit.SECONDS:
            return format_duration(self.value)
        return f"{self.value:.12g}{'%' if self.unit is Unit.PERCENT else ''}"


def _as_written(bound: Bound | None) -> object:
    if bound is None or bound.unit in {Unit.SECONDS, Unit.PERCENT}:
        return None if bound is None else str(bound)
    return int(bound.value) if bound.value.is_integer() else bound.value


def _read(metric: Metric, value: object) -> Bound:
    if metric.unit is Unit.SECONDS:
        return Bound(_read_duration(value), Unit.SECONDS)
    if isinstance(value, str) and re.fullmatch(_PERCENTAGE, value):
        percent = float(value[:-1])
        if percent <= 100:
            return Bound(percent, Unit.PERCENT)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    whole = isinstance(value, int) or metric.unit is Unit.PER_SECOND
    if number and whole and 0 <= value < float("inf"):  # type: ignore[operator] # number says so
        return Bound(float(value), metric.unit)  # type: ignore[arg-type] # as above
    what = "a rate" if metric.unit is Unit.PER_SECOND else "a whole number"
    raise refusal("number", f"{what} or a share of {metric.whole}, 0% to 100%", value)


AnyBound = Annotated[
    Bound | None,
    PlainSerializer(_as_written, return_type=Any),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": PATTERN},
                {"type": "string", "pattern": _PERCENTAGE},
                {"type": "number", "minimum": 0},
            ]
        }
    ),
]
"""A duration, a number or a percentage, by the metric."""


class Threshold(Section):
    """A bound on one metric, judged at the end of what it is about."""

    called: ClassVar[str] = "a mapping (metric, kind, quantile, max, min, abortOnFail)"

    metric: Annotated[str, *choice(*METRICS, listed=False)] = Field(
        description="What is judged: a latency, as in vmiReady, a count, as in failed, or a rate."
    )
    kind: Text | None = Field(
        default=None,
        description="Of creation, phase, ready and deletion, and of the same of churn: which kind.",
    )
    api_version: Text | None = Field(
        default=None, description="With kind, where several groups have one of that name."
    )
    phase: Text | None = Field(
        default=None,
        description="Of phase and churnPhase: which one, or which milestone, as in Succeeded.",
    )
    quantile: Annotated[str | None, *choice(*QUANTILES)] = Field(
        default=None, description="Which statistic of a latency; only latencies have some."
    )
    at_most: AnyBound = Field(
        default=None,
        alias="max",
        description="The most that is accepted: a duration of a latency, or a number or share.",
    )
    at_least: AnyBound = Field(
        default=None,
        alias="min",
        description="The least that is accepted, of a rate: creates a second, or a share of qps.",
    )
    abort_on_fail: Flag = Field(
        default=False,
        description="End the run, cleanup included, as soon as this cannot be met any more.",
    )

    @field_validator("at_most", "at_least", mode="before")
    @classmethod
    def _is_of_the_metric(cls, value: object, info: ValidationInfo) -> Bound | None:
        metric = METRICS.get(info.data.get("metric", ""))
        if metric is None:  # the name is wrong, and that is reported
            return None
        return value if isinstance(value, Bound) else _read(metric, value)

    @model_validator(mode="after")
    def _keys_fit(self) -> Self:
        name, metric = self.metric, METRICS[self.metric]
        self._check_kind(metric)
        if metric.unit is Unit.SECONDS and self.quantile is None:
            known = ", ".join(QUANTILES)
            raise key_error("quantile", f"{name} needs the key quantile: one of {known}")
        if metric.unit is not Unit.SECONDS and self.quantile is not None:
            raise key_error("quantile", f"{name} is one number: remove this key")
        takes, other = ("min", "max") if metric.has_minimum else ("max", "min")
        if (self.at_most if other == "max" else self.at_least) is not None:
            raise key_error(other, f"{name} does not take this key, only {takes}")
        if (self.at_most if takes == "max" else self.at_least) is None:
            raise key_error("metric", f"{name} needs the key {takes}, {_example(metric)}")
        if self.abort_on_fail and (reason := self._known_late(metric)):
            raise key_error("abortOnFail", f"{reason} is known only at the end: remove this key")
        return self

    def _check_kind(self, metric: Metric) -> None:
        """Whether the keys are there that say what a metric of any kind is about, and no others."""
        needs_phase = metric.latency == PHASE
        if metric.of_any_kind and self.kind is None:
            raise key_error("kind", f"{metric.name} needs the key kind, as in kind: Deployment")
        if needs_phase and self.phase is None:
            raise key_error("phase", f"{metric.name} needs the key phase, as in phase: Bound")
        for key, value, takes in (
            ("kind", self.kind, metric.of_any_kind),
            ("apiVersion", self.api_version, metric.of_any_kind),
            ("phase", self.phase, needs_phase),
        ):
            if value is not None and not takes:
                raise key_error(key, f"{metric.name} does not take this key: remove it")

    @property
    def measures(self) -> Metric:
        """What is judged, with the kind and phase that this threshold is about."""
        metric = METRICS[self.metric]
        if not metric.of_any_kind:
            return metric
        return replace(
            metric,
            kind=self.kind,
            group=None if self.api_version is None else self.api_version.rpartition("/")[0],
            latency=self.phase or metric.latency,
        )

    @property
    def subject(self) -> str:
        """The metric with what it is about, as in ``ready of Deployment``."""
        phase = f" {self.phase}" if self.phase else ""
        return f"{self.metric}{phase} of {self.kind}" if self.kind else self.metric

    def _known_late(self, metric: Metric) -> str | None:
        """What decides whether this is met, if that is not known while the run goes on."""
        if self.quantile == "mean":
            return "a mean"
        if metric.name in _KNOWN_LATE or metric.churn:
            return metric.name
        if metric.name in _OF_REQUESTS and self.bound.unit is Unit.PERCENT:
            return "how many requests there are"
        return None

    @model_serializer(mode="wrap")
    def _without_what_is_not_there(
        self, handler: SerializerFunctionWrapHandler
    ) -> dict[str, object]:
        return {key: value for key, value in handler(self).items() if value is not None}

    @property
    def bound(self) -> Bound:
        """The one that it has."""
        bound = self.at_most or self.at_least
        if bound is None:
            raise ValueError("a threshold has a bound")
        return bound


def _example(metric: Metric) -> str:
    return {
        Unit.SECONDS: "a duration, " + EXAMPLES,
        Unit.COUNT: "as in max: 0 or max: 1%",
    }.get(metric.unit, "as in min: 20 or min: 95%")


def _maybe_empty_list(value: object) -> object:
    if isinstance(value, list | tuple):
        return value
    raise refusal("list", "a list of thresholds", value)


Thresholds = Annotated[tuple[Threshold, ...], BeforeValidator(_maybe_empty_list)]
"""The thresholds of a workload, or of a run; there may be none."""


def shares_of_no_rate(thresholds: Iterable[Threshold]) -> Iterator[InitErrorDetails]:
    """Yield an error for each threshold that is a share of a rate, where there is none."""
    for index, threshold in enumerate(thresholds):
        bound = threshold.bound
        if threshold.measures.unit is Unit.PER_SECOND and bound.unit is Unit.PERCENT:
            error = rule("there is no share of qps without qps: write a rate", against=(("qps",),))
            yield detail(error, (index, "min"), str(bound))
