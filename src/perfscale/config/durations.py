"""Go's durations, because that is how workload files write time.

The grammar and the units are those of ``time.ParseDuration``
(https://pkg.go.dev/time#ParseDuration). The arithmetic is done in whole
nanoseconds, as Go does it, so that no rounding is left in what is printed back.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Final

NANOSECONDS: Final = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,  # U+00B5, the micro sign
    "\u03bcs": 1_000,  # the Greek letter, which looks the same
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
"""How long each unit is."""

PATTERN: Final = r"^(0|((\d+(\.\d*)?|\.\d+)(ns|us|\u00b5s|\u03bcs|ms|s|m|h))+)$"
"""A duration that is not negative, as a JSON Schema checks it."""

MAX_NANOSECONDS: Final = 2**63 - 1
"""Go keeps a duration in an int64: about 292 years."""

_PART: Final = re.compile(r"(?P<whole>[0-9]*)(?:\.(?P<fraction>[0-9]*))?(?P<unit>[^0-9.]*)")
_LONGEST_TEXT: Final = 100
_OLD_LEAST: Final = NANOSECONDS["ms"]
"""From here on a bare number is one of nanoseconds: as seconds it would be twelve days."""
_INSTEAD: Final = {
    "sec": "s", "secs": "s", "second": "s", "seconds": "s",
    "min": "m", "mins": "m", "minute": "m", "minutes": "m",
    "hr": "h", "hrs": "h", "hour": "h", "hours": "h",
    "msec": "ms", "millis": "ms", "milliseconds": "ms",
}  # fmt: skip
EXAMPLES: Final = "as in 300ms, 30s, 1m30s or 1h"


def parse_duration(value: str | int) -> float:
    """Return the seconds that a Go duration stands for.

    Args:
        value: ``300ms``, ``1m30s``, ``1.5h``, ``-2s``; or a bare ``0``.

    Raises:
        ValueError: It is not a duration; the message says how to write it.
    """
    if isinstance(value, int):
        if value == 0 and not isinstance(value, bool):
            return 0.0
        raise ValueError(_without_unit(str(value) if abs(value) < 10**18 else "the number"))
    if len(value) > _LONGEST_TEXT:
        raise ValueError(f"a text of {len(value)} characters is not a duration, {EXAMPLES}")
    text = value.strip()
    sign, digits = (text[0], text[1:]) if text[:1] in ("-", "+") else ("", text)
    if digits == "0":
        return 0.0
    nanoseconds = _nanoseconds(digits, written=value)
    if nanoseconds > MAX_NANOSECONDS:
        raise ValueError(f"{value} is longer than a duration can be (292 years)")
    return (-nanoseconds if sign == "-" else nanoseconds) / NANOSECONDS["s"]


def format_duration(seconds: float) -> str:
    """Return ``seconds`` as the shortest Go duration, to the nanosecond.

    Whole hours, minutes and seconds stand apart (``1h2m3.5s``); below a second
    the unit is ``ms``, ``us`` or ``ns``.
    """
    nanoseconds = round(Fraction(seconds) * NANOSECONDS["s"])
    sign, nanoseconds = ("-", -nanoseconds) if nanoseconds < 0 else ("", nanoseconds)
    if nanoseconds == 0:
        return "0s"
    if nanoseconds < NANOSECONDS["s"]:
        unit = next(u for u in ("ms", "us", "ns") if nanoseconds >= NANOSECONDS[u])
        return f"{sign}{decimal(nanoseconds, NANOSECONDS[unit])}{unit}"
    hours, rest = divmod(nanoseconds, NANOSECONDS["h"])
    minutes, rest = divmod(rest, NANOSECONDS["m"])
    parts = (
        f"{hours}h" if hours else "",
        f"{minutes}m" if minutes else "",
        f"{decimal(rest, NANOSECONDS['s'])}s" if rest else "",
    )
    return sign + "".join(parts)


def _nanoseconds(digits: str, *, written: str) -> int:
    """Return the sum of the parts of ``1h2m3.5s``."""
    total = position = 0
    while match := _PART.match(digits, position):
        whole, fraction, unit = match["whole"], match["fraction"] or "", match["unit"]
        if not whole + fraction:
            break
        if not unit and match.end() == len(digits):
            raise ValueError(_without_unit(whole + digits[match.end("whole") : match.end()]))
        if not unit:
            break
        if unit not in NANOSECONDS:
            raise ValueError(_unknown_unit(whole, unit, written))
        total += int(whole + fraction) * NANOSECONDS[unit] // int(10 ** len(fraction))
        position = match.end()
        if position == len(digits):
            return total
    raise ValueError(f'"{written}" is not a duration, {EXAMPLES}')


def decimal(value: int, unit: int) -> str:
    """Return ``value / unit`` without trailing zeros; ``unit`` is a power of ten."""
    whole, rest = divmod(value, unit)
    fraction = f"{rest:0{len(str(unit)) - 1}d}".rstrip("0")
    return f"{whole}.{fraction}" if fraction else str(whole)


def _without_unit(number: str) -> str:
    nanoseconds = int(number) if number.lstrip("-").isdecimal() else 0
    if _OLD_LEAST <= nanoseconds <= MAX_NANOSECONDS:
        meant = format_duration(nanoseconds / NANOSECONDS["s"])
        return (
            f"{number} has no unit: the old tool took it for nanoseconds, which is {meant}; "
            f"write {meant}"
        )
    return f"{number} has no unit: write {number}s, {number}ms or {number}m"


def _unknown_unit(number: str, unit: str, written: str) -> str:
    name = unit.strip()
    if unit != name and name in NANOSECONDS:
        return f'"{written}" has a blank in it: write "{"".join(written.split())}"'
    if name in ("d", "day", "days") and 0 < len(number) < 10:
        return f'"{written}": there are no days in a duration, write {int(number) * 24}h'
    instead = _INSTEAD.get(name.lower()) or (name.lower() if name.lower() in NANOSECONDS else None)
    if instead:
        return f'"{written}": the unit is written {instead}, as in {number or 1}{instead}'
    return f'"{written}": "{name}" is not a unit; they are h, m, s, ms, us and ns, {EXAMPLES}'
