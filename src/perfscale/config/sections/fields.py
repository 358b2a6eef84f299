"""The types of the values that a workload file takes.

Each refuses what it does not take in words that a person can act on, and tells an
editor the same through the JSON Schema. Nothing is converted: a boolean is no
number, and a number in quotes is a text.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, LiteralString, TypeAlias

from pydantic import BeforeValidator, PlainSerializer, ValidationError, WithJsonSchema
from pydantic_core import InitErrorDetails, PydanticCustomError

from perfscale.config.durations import EXAMPLES, PATTERN, format_duration, parse_duration
from perfscale.config.reading.source import KeyPath, clip

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

Expected: TypeAlias = Literal["number", "boolean", "text", "duration", "mapping", "list"]

MAX_COUNT: Final = 10_000_000
MAX_SEED: Final = 2**32 - 1
MAX_RATE: Final = 1_000_000
MAX_FACTOR: Final = 1000
MAX_DURATION_S: Final = 10 * 365 * 24 * 3600.0
MAX_LABEL: Final = 63
"""Longest DNS-1123 label (RFC 1123; Kubernetes' names of namespaces)."""

_LONGEST_NUMBER_BITS: Final = 256  # Python refuses to print those of many thousands
LABEL_PATTERN: Final = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"


CUSTOM_ERRORS: Final[dict[str, tuple[LiteralString, LiteralString]]] = {
    "not_accepted": ("not_accepted", "{shown} is not {accepted}"),
    "rule": ("rule", "{message}"),
}
"""The errors of our own validators, with the templates of their messages."""


def refusal(expected: Expected, accepted: str, value: object) -> PydanticCustomError:
    """Return the error of a value that is not what is accepted in its place."""
    return PydanticCustomError(
        *CUSTOM_ERRORS["not_accepted"],
        {"shown": show(value), "accepted": accepted, "expected": expected},
    )


def rule(
    message: str, *, against: tuple[KeyPath, ...] = (), at_key: bool = False
) -> PydanticCustomError:
    """Return the error of a value that is fine by itself and breaks a rule.

    Args:
        message: What is wrong and what to do.
        against: The other values that it does not go with: paths from the
            workload, or from the top for names.
        at_key: Whether it is the key that is wrong, and not its value.
    """
    return PydanticCustomError(
        *CUSTOM_ERRORS["rule"], {"message": message, "against": against, "at_key": at_key}
    )


def detail(error: PydanticCustomError, loc: KeyPath, value: object) -> InitErrorDetails:
    """Return ``error`` with the place it belongs to."""
    return InitErrorDetails(type=error, loc=loc, input=value)


def details_of(error: ValidationError) -> Iterator[InitErrorDetails]:
    """Yield the errors of a `ValidationError` in the form that another one is made of."""
    for line in error.errors(include_url=False):
        context = line.get("ctx", {})
        kind: str | PydanticCustomError = line["type"]
        if kind in CUSTOM_ERRORS:
            kind = PydanticCustomError(CUSTOM_ERRORS[kind][0], CUSTOM_ERRORS[kind][1], context)
        yield InitErrorDetails(type=kind, loc=line["loc"], input=line["input"], ctx=context)


def key_error(key: str, message: str) -> ValidationError:
    """Return the error of a key that breaks a rule of the mapping that it is in."""
    return ValidationError.from_exception_data("mapping", [detail(rule(message), (key,), None)])


def show(value: object) -> str:
    """Return ``value`` as a workload file would have it, short enough for a message."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{clip(value)}"'
    if isinstance(value, Mapping | list | tuple):
        kind = "mapping" if isinstance(value, Mapping) else "list"
        return f"a {kind}" if value else f"an empty {kind}"
    if isinstance(value, int) and value.bit_length() > _LONGEST_NUMBER_BITS:
        return "a number of that size"
    return "nothing" if value is None else clip(str(value))


def bucket_depth(qps: float, burst: int) -> int:
    """Return the depth of a token bucket: ``burst``, or ``qps`` rounded up; 0 without a limit."""
    return burst or math.ceil(qps)


def empty_is_default(value: object) -> object:
    """Take a key whose whole content is commented out as if it were not there."""
    return {} if value is None else value


def whole(lowest: int, highest: int, note: str = "") -> Any:  # noqa: ANN401 - a type is made here
    """Return what makes ``int`` the type of a whole number between two."""
    accepted = f"a whole number from {lowest}{note} to {highest:,}"

    def check(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not lowest <= value <= highest:
            raise refusal("number", accepted, value)
        return value

    schema = {"type": "integer", "minimum": lowest, "maximum": highest}
    return BeforeValidator(check), WithJsonSchema(schema)


def number_reader(highest: float, accepted: str) -> Callable[[object], float]:
    """Return what reads a number from 0 to the highest."""

    def check(value: object) -> float:
        # NaN is in no order with any number.
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= highest:
            return float(value)
        raise refusal("number", accepted, value)

    return check


def list_of(what: str, *, may_be_empty: bool = False) -> BeforeValidator:
    """Return what refuses anything but a list."""
    accepted = f"a list of {what}" if may_be_empty else f"a list with one or more {what} in it"

    def check(value: object) -> object:
        if isinstance(value, list | tuple) and (value or may_be_empty):
            return value
        raise refusal("list", accepted, value)

    return BeforeValidator(check)


def _plain_number(value: float) -> float:
    return int(value) if value.is_integer() else value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise refusal("boolean", "true or false", value)
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise refusal("text", "a text", value)
    if not value.strip():
        raise refusal("text", "a text with something in it", value)
    return value


def duration_reader(lowest_s: float) -> Callable[[object], float]:
    """Return what reads a duration of at least so many seconds."""

    def check(value: object) -> float:
        if isinstance(value, timedelta):
            seconds = value.total_seconds()
        elif isinstance(value, str | int) and not isinstance(value, bool):
            try:
                seconds = parse_duration(value)
            except ValueError as error:
                raise rule(clip(str(error), 200)) from error
        elif isinstance(value, float) and value == 0:
            seconds = 0.0
        elif isinstance(value, float) and math.isfinite(value):
            raise rule(f"{value} has no unit: write {value}s, {value}ms or {value}m")
        else:
            raise refusal("duration", f"a duration, {EXAMPLES}", value)
        if not lowest_s <= seconds <= MAX_DURATION_S:
            least = "0s" if lowest_s == 0 else "more than 0s"
            longest = format_duration(MAX_DURATION_S)
            raise refusal("duration", f"a duration from {least} to {longest}", value)
        return seconds

    return check


def pick(value: str, known: Collection[str], *, listed: bool = True) -> str:
    """Return ``value`` if it is known; raise with the nearest that is, and all if ``listed``."""
    if value in known:
        return value
    spelled = {word.lower(): word for word in known}
    near = difflib.get_close_matches(value.lower(), spelled, n=1, cutoff=0.5)
    hint = f"; did you mean {spelled[near[0]]}?" if near else ""
    if listed or not near:
        hint = f": write one of {', '.join(known)}{hint}"
    raise rule(f"{show(value)} is not known here{hint}")


def choice(*known: str, listed: bool = True) -> Any:  # noqa: ANN401 - a type is made here
    """Return what makes a type of one word of several."""

    def check(value: object) -> str:
        if not isinstance(value, str):
            raise refusal("text", f"one of {', '.join(known)}", value)
        return pick(value, known, listed=listed)

    return BeforeValidator(check), WithJsonSchema({"type": "string", "enum": list(known)})


def label_problem(name: str) -> str | None:
    """Return why ``name`` is not a DNS-1123 label, or None if it is one."""
    if len(name) > MAX_LABEL:
        return f"has {len(name)} characters, and {MAX_LABEL} is the most"
    if re.fullmatch(LABEL_PATTERN, name) and not name.endswith("\n"):
        return None
    return "has other than a-z, 0-9 and inner dashes in it"


def usable_label(name: str) -> str:
    """Return the nearest to ``name`` that is a DNS-1123 label; empty if nothing is."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower())[:MAX_LABEL].strip("-")


def _label(value: object) -> str:
    text = _text(value)
    if problem := label_problem(text):
        hint = f": write {usable}" if (usable := usable_label(text)) else ""
        raise rule(f"{show(text)} cannot be a name in Kubernetes: it {problem}{hint}")
    return text


def _duration_type(lowest_s: float) -> Any:  # noqa: ANN401 - a type is made here
    text: dict[str, Any] = {"type": "string", "pattern": PATTERN}
    schema = text if lowest_s else {"anyOf": [text, {"const": 0}]}
    serializer = PlainSerializer(format_duration, return_type=str)
    return BeforeValidator(duration_reader(lowest_s)), serializer, WithJsonSchema(schema)


Count = Annotated[int, *whole(1, MAX_COUNT)]
"""How many: at least one."""

MaybeCount = Annotated[int | None, *whole(1, MAX_COUNT)]
"""How many, or nothing said of it."""

Seed = Annotated[int | None, *whole(0, MAX_SEED)]
"""What random choices begin with, or nothing said of it."""

Burst = Annotated[int, *whole(0, MAX_COUNT, " (chosen by qps)")]
"""Depth of a token bucket; 0 leaves it to the rate."""

Rate = Annotated[
    float,
    BeforeValidator(number_reader(MAX_RATE, f"a rate from 0 (no limit) to {MAX_RATE:,} a second")),
    PlainSerializer(_plain_number, return_type=Any),
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": MAX_RATE}),
]
"""A rate per second; 0 is no limit."""

Factor = Annotated[
    float,
    BeforeValidator(number_reader(MAX_FACTOR, f"a number from 0 to {MAX_FACTOR:,}")),
    PlainSerializer(_plain_number, return_type=Any),
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": MAX_FACTOR}),
]
"""How many times something."""

Flag = Annotated[bool, BeforeValidator(_flag), WithJsonSchema({"type": "boolean"})]
"""A boolean, and nothing that resembles one."""

Text = Annotated[str, BeforeValidator(_text), WithJsonSchema({"type": "string", "minLength": 1})]
"""A text that is not empty."""

Label = Annotated[
    str,
    BeforeValidator(_label),
    WithJsonSchema({"type": "string", "maxLength": MAX_LABEL, "pattern": LABEL_PATTERN}),
]
"""A DNS-1123 label."""

Duration = Annotated[float, *_duration_type(0)]
"""Seconds, written as a Go duration (or a `timedelta`, in a program)."""

Timeout = Annotated[float, *_duration_type(1e-9)]
"""A duration that is more than nothing."""
