"""Limits on results, and whether they hold."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from perfscale.config.fields import refusal, rule
from perfscale.config.section import Section


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise refusal("number", "a number", value)
    return float(value)


Number = Annotated[float, BeforeValidator(_number), WithJsonSchema({"type": "number"})]
"""A number that is finite."""


def _name(value: object) -> str:
    if not isinstance(value, str):
        raise refusal("text", "the name of a result", value)
    return value


class Threshold(Section):
    """What a result must not be above: a value, or another result times a ratio.

    A result that is equal to its limit is not above it.
    """

    called: ClassVar[str] = "a mapping (value; or metric and ratio)"

    value: Number | None = Field(default=None, description="The most that the result may be.")
    metric: Annotated[str, BeforeValidator(_name)] = Field(
        default="", description="The other result."
    )
    ratio: Number = Field(
        default=0.0, description="The result may be the other one times this at most."
    )

    @model_validator(mode="after")
    def _is_one_of_two(self) -> Threshold:
        if bool(self.metric) != (self.ratio > 0):
            raise rule("a threshold by ratio has a metric and a ratio that is more than 0")
        if self.value is None and not self.metric:
            raise rule("a threshold has a value, or a metric and a ratio")
        return self


def as_threshold(value: object) -> object:
    """A number alone is a threshold by value."""
    return value if isinstance(value, Mapping | Threshold) or value is None else {"value": value}


@dataclass(frozen=True)
class Verdict:
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


def judge(value: float, threshold: Threshold, values: Mapping[str, float]) -> Verdict | None:
    """Compare a result with its threshold.

    Returns:
        None where the other result, which the limit depends on, is not there.
    """
    if not threshold.metric:
        limit = threshold.value or 0.0
        return Verdict(limit, value > limit)
    other = values.get(threshold.metric)
    if other is None:
        return None
    limit = other * threshold.ratio
    return Verdict(limit, value > limit, threshold.metric, value / other if other else None)
