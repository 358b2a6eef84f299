"""What Prometheus answers, as series of numbers.

https://prometheus.io/docs/prometheus/latest/querying/api/#expression-query-result-formats
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import msgspec

from perfscale.config.reading.source import clip
from perfscale.errors import QueryError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Sampled(NamedTuple):
    """One series of an answer.

    Attributes:
        points: Moment (Unix time in seconds) and value of each sample, the oldest first; the
            values of Prometheus may be NaN or infinite.
    """

    labels: Mapping[str, str]
    points: Sequence[tuple[float, float]]


class Envelope(msgspec.Struct):
    """The outermost object of any answer."""

    status: str
    data: Any = None
    error: str = ""
    errorType: str = ""  # noqa: N815 -- Prometheus' spelling


def decode(body: bytes) -> Envelope:
    """The answer in a body.

    Raises:
        ValueError: It is none of Prometheus'.
    """
    try:
        return msgspec.json.decode(body, type=Envelope)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(str(error)) from None


_Pair: TypeAlias = tuple[float, str | float]
"""A moment, and a number as text; some that speak Prometheus' language write plain numbers."""


class _AtOnce(msgspec.Struct):
    metric: dict[str, str]
    value: _Pair


class _OverTime(msgspec.Struct):
    metric: dict[str, str]
    values: list[_Pair]


def series_of(data: Any) -> list[Sampled]:  # noqa: ANN401 -- JSON
    """The series in the ``data`` of a successful answer, each with one sample at least.

    Raises:
        QueryError: It has no numbers in it.
    """
    try:
        kind, result = data["resultType"], data["result"]
        if kind == "scalar":
            return [Sampled({}, [_point(msgspec.convert(result, _Pair))])]
        if kind == "vector":
            found = msgspec.convert(result, list[_AtOnce])
            return [Sampled(each.metric, [_point(each.value)]) for each in found]
        if kind == "matrix":
            lines = msgspec.convert(result, list[_OverTime])
            return [
                Sampled(each.metric, [_point(point) for point in each.values])
                for each in lines
                if each.values
            ]
    except (LookupError, TypeError, ValueError) as error:
        raise QueryError(f"the answer cannot be read: {clip(str(error))}") from error
    raise QueryError(f"the query gives a {clip(str(kind))}, and no numbers")


def _point(pair: _Pair) -> tuple[float, float]:
    moment, value = pair
    return moment, float(value)  # "NaN", "+Inf" and "-Inf" as Prometheus writes them
