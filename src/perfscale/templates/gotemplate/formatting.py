"""Values as Go's ``fmt`` prints them: https://pkg.go.dev/fmt."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from types import NoneType
from typing import TYPE_CHECKING, Any, Final

from perfscale.templates.gotemplate.values import Int64, Ints, Strings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

NO_VALUE: Final = "<no value>"
"""What an action prints whose value is nil."""


def printed(value: object) -> str:
    """A value as an action prints it."""
    if type(value) is str:
        return value
    return NO_VALUE if value is None else plain(value)


def plain(value: object) -> str:
    """A value as ``%v`` prints it."""
    show = _PLAIN.get(type(value))
    if show is not None:
        return show(value)
    return _map(value) if isinstance(value, Mapping) else str(value)


def _list(value: Iterable[object]) -> str:
    return f"[{' '.join(map(plain, value))}]"


def _map(value: Mapping[Any, object]) -> str:
    members = (f"{plain(key)}:{plain(value[key])}" for key in sorted_keys(value))
    return f"map[{' '.join(members)}]"


def sorted_keys(value: Mapping[Any, Any]) -> list[Any]:
    """The keys of a map as Go sorts them: texts by their bytes, numbers by their value."""
    keys = list(value)
    if all(type(key) is str for key in keys):
        return sorted(keys, key=str.encode)
    return sorted(keys, key=lambda key: (str(type(key)), key))


def general(value: float, digits: tuple[int, int] = (-4, 6)) -> str:
    """A float with the fewest digits that no other float has.

    Args:
        value: The number.
        digits: An exponent is written below the first power of ten, and from the second on;
            these are ``%v``'s (``eprec`` in strconv/ftoa.go).
    """
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else f"{'+' if value > 0 else '-'}Inf"
    sign = "-" if math.copysign(1, value) < 0 else ""
    shortest = Decimal(repr(abs(value))).normalize()
    exponent = shortest.adjusted() if shortest else 0
    if digits[0] <= exponent < digits[1]:
        return sign + format(shortest, "f")
    mantissa = format(shortest.scaleb(-exponent), "f")
    return f"{sign}{mantissa}e{'+' if exponent >= 0 else '-'}{abs(exponent):02d}"


def moment(value: datetime) -> str:
    """A time as Go prints it, without the monotonic clock's reading."""
    fraction = f".{value.microsecond:06d}".rstrip("0").rstrip(".")
    zone = value.tzname() or "UTC"
    return f"{value:%Y-%m-%d %H:%M:%S}{fraction} {value:%z} {zone}"


def spaced(values: tuple[object, ...]) -> str:
    """Go's ``print``: a space between two of which neither is a text."""
    parts: list[str] = []
    for position, value in enumerate(values):
        if position and not isinstance(value, str) and not isinstance(values[position - 1], str):
            parts.append(" ")
        parts.append(plain(value))
    return "".join(parts)


_PLAIN: Final[dict[type, Callable[[Any], str]]] = {
    NoneType: lambda _: "<nil>",
    bool: lambda value: "true" if value else "false",
    datetime: moment,
    dict: _map,
    float: general,
    int: int.__repr__,
    Int64: int.__repr__,
    str: lambda value: value,
    **dict.fromkeys((list, tuple, Ints, Strings), _list),
}
