"""How large the result of a filter, a method or an operator can be, before it is made.

Most of what a template can call gives no more than it was given. These can give
any amount from a few characters: ``'%1000000000d'``, ``ljust``, ``replace``. Their
results are bounded from their arguments alone, exactly or from above.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sized
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

    Bound: TypeAlias = Callable[[object, "Arguments", int], int]

Arguments: TypeAlias = tuple[Any, ...]

_DIGITS: Final = re.compile(r"\d+")
_NESTED: Final = re.compile(r"\{[^}]*\{")
"""A field in a field: like ``%*d``, one whose width is an argument."""
_MAX_FIELD: Final = 1_000
"""No field of a format, and no rounding, is wider than so many digits."""

_SQUARE: Final = 8
"""How many steps of a search in a text take as long as one of ours."""


class TooMuchError(Exception):
    """A template would make something too large (internal: becomes a TemplateError)."""


def _numbers(arguments: Arguments) -> int:
    return max((abs(each) for each in arguments if isinstance(each, int)), default=0)


def _length(value: object) -> int:
    return len(value) if isinstance(value, Sized) else 1


def _pad(value: object, arguments: Arguments, weight: int) -> int:
    return weight + _numbers(arguments) + sum(map(_length, arguments)) + _length(value)


def _scale(_: object, arguments: Arguments, weight: int) -> int:
    """Every part of the value may grow by what the arguments say."""
    return weight * (1 + _numbers(arguments) + max(map(_text_length, arguments), default=0))


def _indent(value: object, arguments: Arguments, weight: int) -> int:
    lines = len(value.splitlines()) if isinstance(value, str) else weight
    width = max(_numbers(arguments), *map(_text_length, arguments), 4)
    return weight + (lines + 1) * width


def _text_length(value: object) -> int:
    return len(value) if isinstance(value, (str, bytes)) else 0


def _replace(value: object, arguments: Arguments, weight: int) -> int:
    texts = [each for each in arguments if isinstance(each, (str, bytes))]
    if not isinstance(value, str) or len(texts) < 2 or not isinstance(texts[0], str):
        return _scale(value, arguments, weight)
    found = value.count(texts[0]) if texts[0] else len(value) + 1
    return weight + found * len(texts[1])


def _join_values(value: object, arguments: Arguments, weight: int) -> int:
    return weight + _length(value) * max(map(_text_length, arguments), default=0)


def _join_with(value: object, arguments: Arguments, weight: int) -> int:
    return weight + _length(value) * sum(map(_length, arguments))


def _format(value: object, arguments: Arguments, weight: int) -> int:
    """Fields of a format, each as wide as all the arguments together."""
    text = value if isinstance(value, str) else str(value)
    widest = _widest(text)
    if "*" in text or _NESTED.search(text.replace("{{", "").replace("}}", "")):
        widest = max(widest, _widest(arguments))
    if widest > _MAX_FIELD:
        raise TooMuchError(f"a field of a format is wider than {_MAX_FIELD:,}")
    fields = text.count("%") + text.count("{")
    return len(text) + fields * (weight + widest)


def _widest(value: object) -> int:
    """The largest number in a value, or in its text."""
    if isinstance(value, int):
        return abs(value)
    if isinstance(value, str):
        long = (int(digits[:10]) for digits in _DIGITS.findall(value))
        return max(long, default=0)
    if isinstance(value, Mapping):
        return max(map(_widest, value.values()), default=0)
    return max(map(_widest, value), default=0) if isinstance(value, (list, tuple)) else 0


def _translate(_: object, arguments: Arguments, weight: int) -> int:
    tables = [each for each in arguments if isinstance(each, Mapping)]
    longest = max((_text_length(to) for table in tables for to in table.values()), default=1)
    return weight * max(longest, 1)


def _round(_: object, arguments: Arguments, weight: int) -> int:
    if _numbers(arguments) > _MAX_FIELD:
        raise TooMuchError(f"rounding to more than {_MAX_FIELD:,} digits")
    return weight


def _json(value: object, arguments: Arguments, weight: int) -> int:
    return weight * (1 + _depth(value) * _numbers(arguments))


def _depth(value: object) -> int:
    members = value.values() if isinstance(value, Mapping) else value
    if isinstance(value, (Mapping, list, tuple)):
        return 1 + max(map(_depth, members), default=0)  # type: ignore[call-overload] # as was asked
    return 0


def _sum(value: object, arguments: Arguments, weight: int) -> int:
    """Lists are added up one by one, and all of what is there is copied each time."""
    return weight * _length(value) + _each(value, arguments, weight)


def _each(value: object, arguments: Arguments, weight: int) -> int:
    """What is done to each element may be as long as a text says: ``attribute='0.0.0'``."""
    return weight + _length(value) * sum(map(_text_length, arguments))


def _squared(_: object, __: Arguments, weight: int) -> int:
    """What takes time that grows with the square of a text."""
    return weight * weight // _SQUARE


FILTERS: Final[dict[str, Bound]] = {
    **dict.fromkeys(
        ("groupby", "map", "max", "min", "reject", "rejectattr", "select", "selectattr"), _each
    ),
    **dict.fromkeys(("sort", "unique"), _each),
    "batch": _pad,
    "center": _pad,
    "format": _format,
    "indent": _indent,
    "join": _join_values,
    "pprint": _squared,
    "replace": _replace,
    "round": _round,
    "striptags": _squared,
    "sum": _sum,
    "tojson": _json,
    "truncate": _pad,
    "urlize": _squared,
    "wordwrap": _squared,
}
"""The filters of Jinja2 that can give more than they are given, or take longer than that."""

METHODS: Final[dict[str, Bound]] = {
    "center": _pad,
    "decode": _squared,
    "encode": _squared,  # some codecs, as punycode
    "expandtabs": _scale,
    "format": _format,
    "format_map": _format,
    "join": _join_with,
    "ljust": _pad,
    "replace": _replace,
    "rjust": _pad,
    "striptags": _squared,
    "to_bytes": _pad,
    "translate": _translate,
    "zfill": _pad,
}
"""The same of methods of what a template can hold: texts, numbers, lists, mappings."""


def formatted(text: object, values: object, weight: int) -> int:
    """The bound of ``text % values``."""
    return _format(text, values if isinstance(values, tuple) else (values,), weight)
