"""Go's values: which Python value stands for which type, and what is true, equal and less.

Integers are Go's ``int`` or, as sprig's arithmetic returns them, ``int64``: both have 64 bits
and wrap around. A map has text keys, a slice may have elements of any type.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import NoneType
from typing import Any, Final

from perfscale.config.durations import NANOSECONDS, parse_duration

_BITS: Final = 64
_UNITS: Final = tuple(NANOSECONDS)


class GoError(Exception):
    """What a template cannot do (internal: becomes a `TemplateError`).

    Args:
        message: As Go says it, where Go does.
        line: Line of the template; None: filled in by what runs it.
        file: Of that line; None as well.
    """

    def __init__(self, message: str, line: int | None = None, file: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.file = file


class Int64(int):
    """Go's ``int64``."""

    __slots__ = ()


class Ints(list[int]):
    """Go's ``[]int``."""


class Strings(list[str]):
    """Go's ``[]string``."""


def wrap(number: int) -> int:
    """An integer in 64 bits, as Go's arithmetic leaves it."""
    half = 1 << (_BITS - 1)
    return number if -half <= number < half else (number + half) % (1 << _BITS) - half


_NAMES: Final = {
    NoneType: "<nil>",
    bool: "bool",
    datetime: "time.Time",
    float: "float64",
    int: "int",
    Int64: "int64",
    Ints: "[]int",
    str: "string",
    Strings: "[]string",
}


def type_name(value: object) -> str:
    """The type as Go's ``%T`` prints it."""
    other = "map[string]interface {}" if isinstance(value, Mapping) else "[]interface {}"
    return _NAMES.get(type(value), other)


def kind_name(value: object) -> str:
    """The kind as Go's ``reflect.Kind`` prints it."""
    if value is None:
        return "invalid"
    name = type_name(value)
    if name.startswith("[]"):
        return "slice"
    if name.startswith("map"):
        return "map"
    return "struct" if isinstance(value, datetime) else name


def is_true(value: object) -> bool:
    """Whether a value is not the zero of its type: of texts, lists and maps, whether not empty."""
    return isinstance(value, datetime) or bool(value)


_BASIC: Final = {bool: "bool", int: "integer", Int64: "integer", float: "float", str: "string"}
_BAD_TYPES: Final = "incompatible types for comparison"


def _comparable(first: object, second: object) -> tuple[Any, Any]:
    """Two values of different types, with the one that is a duration's text in nanoseconds.

    Files that a wrapper of kube-burner renders compare ``time.Duration`` with whole numbers; in
    user data and in the environment there are only texts for it.

    Raises:
        GoError: They are no duration and no whole number.
    """
    numbers = []
    for value, other in ((first, second), (second, first)):
        is_number = isinstance(value, int) and not isinstance(value, bool)
        if is_number and isinstance(other, str):
            numbers.append(value)
        elif isinstance(value, str) and value.endswith(_UNITS):
            try:
                numbers.append(round(parse_duration(value) * NANOSECONDS["s"]))
            except ValueError as error:
                raise GoError(_BAD_TYPES) from error
    if len(numbers) < 2:
        raise GoError(_BAD_TYPES)
    return numbers[0], numbers[1]


def equal(first: object, second: object) -> bool:
    """Go's ``eq`` of two values; of a duration's text and a whole number too.

    Raises:
        GoError: Their types cannot be compared.
    """
    one, other = _BASIC.get(type(first)), _BASIC.get(type(second))
    for value in (first, second):
        if isinstance(value, (list, Mapping)) and first is not None and second is not None:
            raise GoError(f"uncomparable type {type_name(value)}")
    if one != other and first is not None and second is not None:
        first, second = _comparable(first, second)
        return bool(first == second)
    return one == other and first == second


def less(first: Any, second: Any) -> bool:  # noqa: ANN401 -- any two values
    """Go's ``lt``; of a duration's text and a whole number too.

    Raises:
        GoError: They are not two numbers of a kind, or two texts.
    """
    one, other = _BASIC.get(type(first)), _BASIC.get(type(second))
    if one is None or other is None or (one == other == "bool"):
        raise GoError("invalid type for comparison")
    if one != other:
        first, second = _comparable(first, second)
        return bool(first < second)
    if one == "string":
        return bool(first.encode() < second.encode())
    return bool(first < second)


def length(value: object) -> int:
    """Go's ``len``: a text's bytes, or the elements.

    Raises:
        GoError: It has no length.
    """
    if isinstance(value, str):
        return len(value.encode())
    if isinstance(value, (list, Mapping)):
        return len(value)
    if value is None:
        raise GoError("len of nil pointer")
    raise GoError(f"len of type {type_name(value)}")
