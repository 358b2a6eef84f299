"""How a run is audited: where Prometheus is, the queries, and the limits."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import (
    BeforeValidator,
    Field,
    PlainSerializer,
    WithJsonSchema,
    model_validator,
)

from perfscale.config.address import parse_address
from perfscale.config.sections.fields import Flag, Text, Timeout, refusal, rule
from perfscale.config.sections.section import Section

DEFAULT_PROFILE = "kubevirt"
DEFAULT_SCRAPE_INTERVAL_S = 30.0


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise refusal("number", "a number", value)
    return float(value)


def _name(value: object) -> str:
    if not isinstance(value, str):
        raise refusal("text", "the name of a result", value)
    return value


def _profiles(value: object) -> object:
    given = [value] if isinstance(value, str) else value
    if not isinstance(given, list | tuple) or not given:
        raise refusal(
            "text", "a profile (kubevirt, kubernetes, or a file), or a list of them", value
        )
    if wrong := [each for each in given if not isinstance(each, str) or not each]:
        raise refusal("text", "a profile: kubevirt, kubernetes, or a file", wrong[0])
    return tuple(given)


def as_address(value: object) -> str:
    """The URL of a server, which has no credentials in it."""
    if not isinstance(value, str):
        raise refusal("text", "a URL", value)
    try:
        address = parse_address(value)
    except ValueError as error:
        raise rule(str(error)) from error
    if address.username or address.password:
        raise rule("credentials do not belong here: put them into the environment or a file")
    return address.url


Number = Annotated[float, BeforeValidator(_number), WithJsonSchema({"type": "number"})]
"""A number that is finite."""


Profiles = Annotated[
    tuple[str, ...],
    BeforeValidator(_profiles),
    PlainSerializer(lambda names: names[0] if len(names) == 1 else list(names)),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "minLength": 1},
                {"type": "array", "minItems": 1, "items": {"type": "string", "minLength": 1}},
            ]
        }
    ),
]
"""Names of profiles, of which one alone needs no list."""


class AuditThreshold(Section):
    """What a result must not be above: a value, or another result times a ratio.

    A result that is equal to its limit is not above it.
    """

    called: ClassVar[str] = "a mapping (value; or metric and ratio)"

    value: Number | None = Field(default=None, description="The most that the result may be.")
    metric: Annotated[str, BeforeValidator(_name)] = Field(
        default="", description="The name of another result."
    )
    ratio: Number = Field(
        default=0.0, description="The result may be the other one times this at most."
    )

    @model_validator(mode="after")
    def _is_one_of_two(self) -> AuditThreshold:
        if bool(self.metric) != (self.ratio > 0):
            raise rule("a threshold by ratio has a metric and a ratio that is more than 0")
        if self.value is None and not self.metric:
            raise rule("a threshold has a value, or a metric and a ratio")
        return self


def as_threshold(value: object) -> object:
    """A number alone is a threshold by value."""
    if value is None or isinstance(value, Mapping | AuditThreshold):
        return value
    return {"value": value}


class AuditConfig(Section):
    """How a run is audited."""

    called: ClassVar[str] = "a mapping (prometheusURL, profile, scrapeInterval, thresholds)"

    url: Annotated[str | None, BeforeValidator(as_address)] = Field(
        default=None,
        alias="prometheusURL",
        description="The Prometheus that scrapes the cluster, as in http://localhost:9090.",
    )
    profile: Profiles = Field(
        default=(DEFAULT_PROFILE,),
        description="What to ask: kubevirt, kubernetes, or a file; or a list of these.",
    )
    scrape_interval: Timeout = Field(
        default=DEFAULT_SCRAPE_INTERVAL_S, description="How often it scrapes the cluster."
    )
    thresholds: dict[str, Annotated[AuditThreshold, BeforeValidator(as_threshold)]] = Field(
        default_factory=dict, description="What a result must not be above, by its name."
    )
    token_file: Text | None = Field(default=None, description="A file with the bearer token.")
    ca_file: Text | None = Field(
        default=None, description="The authorities that may have signed its certificate."
    )
    verify_tls: Flag = Field(
        default=True, alias="verifyTLS", description="Whether its certificate is checked."
    )
