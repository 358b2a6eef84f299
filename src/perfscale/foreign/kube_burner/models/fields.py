"""Types of the values that a configuration takes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import BeforeValidator

from perfscale.config.sections.fields import duration_reader, number_reader, refusal, rule

AS_WRITTEN: Final = "as written"
"""Marks a field that takes the text of any scalar."""

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_FAR: Final = 10_000_000


def _duration(value: object) -> float:
    # A bare number, 0 too, is none to the decoder that has to accept the file in the end.
    if not isinstance(value, str):
        raise refusal("duration", "a duration with its unit, as in 0s, 30s or 1h30m", value)
    return duration_reader(0.0)(value)


def _number(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise refusal("number", "a whole number", value)
    if abs(value) > _FAR:
        raise refusal("number", f"a number up to {_FAR:,}", value)
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise refusal("text", "a text", value)
    return value


def _secret(value: object) -> str:
    if not isinstance(value, str):
        raise rule("this has to be a text")
    secret = value.strip()
    if _CONTROL.search(secret):
        raise rule("there is a line break or control character in this")
    return secret


def _texts(value: object) -> dict[str, str]:
    if not isinstance(value, Mapping) or not all(isinstance(each, str) for each in value.values()):
        raise refusal("mapping", "a mapping of keys to texts", value)
    return dict(value)


def _variables(value: object) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise refusal("mapping", "a mapping of names to values", value)
    return dict(value)


Number = Annotated[int, BeforeValidator(_number)]
"""A whole number, of which each key says itself what is below 1."""

Figure = Annotated[
    float,
    BeforeValidator(
        lambda value: (
            0.0
            if isinstance(value, int | float) and not isinstance(value, bool) and value < 0
            else number_reader(1_000_000, "a number")(value)
        )
    ),
]
"""A number; below 0 is 0."""

GoDuration = Annotated[float, BeforeValidator(_duration)]
"""Seconds, written as a Go duration with its unit."""

AnyText = Annotated[str, AS_WRITTEN, BeforeValidator(_text)]
"""A text; any scalar is one by how it is written."""

Secret = Annotated[str, AS_WRITTEN, BeforeValidator(_secret)]
"""A text that no message has."""

Texts = Annotated[Mapping[str, str], AS_WRITTEN, BeforeValidator(_texts)]
"""A mapping of texts."""

TextList = Annotated[tuple[str, ...], AS_WRITTEN]
"""A list of texts."""

Variables = Annotated[Mapping[str, Any], BeforeValidator(_variables)]
"""Values of any type."""
