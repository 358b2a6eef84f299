"""Times as sprig's functions give and take them: https://masterminds.github.io/sprig/date.html.

The local zone is UTC: a template gives the same wherever it is rendered.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from perfscale.config.durations import NANOSECONDS, decimal
from perfscale.templates.gotemplate.functions.signature import Function, takes
from perfscale.templates.gotemplate.values import GoError, Int64

if TYPE_CHECKING:
    from collections.abc import Callable

    from perfscale.templates.gotemplate.running import Run

_LAYOUT: Final = re.compile(
    r"January|Jan|Monday|Mon|MST|2006|Z07:00|Z0700|-07:00|-0700|-07|[.,]0{1,9}(?![0-9])"
    r"|[.,]9{1,9}(?![0-9])|01|02|03|04|05|06|002|15|PM|pm|_2|[12345]"
)
_SIMPLE: Final = {
    "January": "%B", "Jan": "%b", "Monday": "%A", "Mon": "%a", "2006": "%Y", "01": "%m",
    "02": "%d", "03": "%I", "04": "%M", "05": "%S", "06": "%y", "002": "%j", "15": "%H",
    "PM": "%p", "-0700": "%z",
}  # fmt: skip
_DURATION: Final = re.compile(r"(\d{1,18}(?:\.\d{0,9})?|\.\d{1,9})(ns|us|µs|ms|s|m|h)")
_SECOND: Final = NANOSECONDS["s"]


def go_layout(layout: str, value: datetime) -> str:
    """A time in one of Go's layouts: https://pkg.go.dev/time#pkg-constants."""
    return _LAYOUT.sub(lambda found: _part(found.group(), value), layout)


def _part(part: str, value: datetime) -> str:
    if part in _SIMPLE:
        return value.strftime(_SIMPLE[part])
    if part[0] in ".,":
        digits = f"{value.microsecond * 1000:09d}"[: len(part) - 1]
        digits = digits.rstrip("0") if part[1] == "9" else digits
        return f"{part[0]}{digits}" if digits else ""
    return _zone(part, value) if part[0] in "MZ-" else _NUMBERS[part](value)


def _zone(part: str, value: datetime) -> str:
    offset = value.strftime("%z")
    if part == "MST":
        return value.tzname() or "UTC"
    if part.startswith("Z") and offset == "+0000":
        return "Z"
    if ":" in part:
        return f"{offset[:3]}:{offset[3:]}"
    return offset[:3] if part == "-07" else offset


_NUMBERS: Final[dict[str, Callable[[datetime], str]]] = {
    "1": lambda value: str(value.month),
    "2": lambda value: str(value.day),
    "3": lambda value: str((value.hour + 11) % 12 + 1),
    "4": lambda value: str(value.minute),
    "5": lambda value: str(value.second),
    "_2": lambda value: f"{value.day:2d}",
    "pm": lambda value: value.strftime("%p").lower(),
}


def duration_of(text: str) -> int:
    """A duration in nanoseconds, as Go's ``time.ParseDuration`` reads it.

    Raises:
        GoError: It is none.
    """
    digits = text.lstrip("+-") if len(text) <= 100 else ""
    if digits == "0":
        return 0
    parts = list(_DURATION.finditer(digits))
    if not parts or "".join(part.group() for part in parts) != digits:
        raise GoError(f"time: invalid duration {text!r}")
    total = sum(round(float(part[1]) * NANOSECONDS[part[2]]) for part in parts)
    return -total if text.startswith("-") else total


def show_duration(nanoseconds: int) -> str:
    """A duration as Go prints it: ``1h30m0s``, ``1.5s``, ``0s``."""
    sign, left = ("-" if nanoseconds < 0 else ""), abs(nanoseconds)
    if left < _SECOND:
        for unit in ("ms", "µs", "ns"):
            if left >= NANOSECONDS[unit]:
                return f"{sign}{decimal(left, NANOSECONDS[unit])}{unit}"
        return "0s"
    minutes, seconds = divmod(left, 60 * _SECOND)
    hours, minutes = divmod(minutes, 60)
    shown = f"{hours}h" if hours else ""
    shown += f"{minutes}m" if hours or minutes else ""
    return f"{sign}{shown}{decimal(seconds, _SECOND)}s"


def _now(run: Run) -> datetime:
    return datetime.fromtimestamp(run.settings.clock(), UTC)


def _moment(run: Run, value: object) -> datetime:
    if isinstance(value, datetime):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return datetime.fromtimestamp(value, UTC)
    return _now(run)


def _in_zone(run: Run, layout: str, value: object, zone: str = "UTC") -> str:
    moment = _moment(run, value)
    if zone not in {"UTC", "Local", ""}:
        try:
            moment = moment.astimezone(ZoneInfo(zone))
        except (LookupError, ValueError, OSError):
            moment = moment.astimezone(UTC)
    else:
        moment = moment.astimezone(UTC)
    return go_layout(layout, moment)


def _modify(change: str, value: datetime) -> datetime:
    return value + timedelta(microseconds=duration_of(change) / 1000)


def _modify_quietly(change: str, value: datetime) -> datetime:
    try:
        return _modify(change, value)
    except GoError:
        return value


def _ago(run: Run, value: object) -> str:
    seconds = (_now(run) - _moment(run, value)).total_seconds()
    return show_duration(round(seconds) * _SECOND)


def _duration(value: object) -> str:
    seconds = 0
    if (isinstance(value, str) and re.fullmatch(r"[+-]?\d{1,18}", value)) or isinstance(
        value, Int64
    ):
        seconds = int(value)
    return show_duration(seconds * _SECOND)


def _rounded(run: Run, value: object) -> str:
    nanoseconds = 0
    if isinstance(value, str):
        try:
            nanoseconds = duration_of(value)
        except GoError:
            nanoseconds = 0
    elif isinstance(value, Int64):
        nanoseconds = int(value)
    elif isinstance(value, datetime):
        nanoseconds = round((_now(run) - value).total_seconds() * _SECOND)
    day = 24 * NANOSECONDS["h"]
    sizes = {"y": 365 * day, "mo": 30 * day, "d": day}
    for unit, size in {**sizes, **{each: NANOSECONDS[each] for each in "hms"}}.items():
        if abs(nanoseconds) > size:
            return f"{abs(nanoseconds) // size}{unit}"
    return "0s"


METHODS: Final[dict[str, Callable[[datetime], Any]]] = {
    "Day": lambda value: value.day,
    "Hour": lambda value: value.hour,
    "Minute": lambda value: value.minute,
    "Second": lambda value: value.second,
    "UTC": lambda value: value.astimezone(UTC),
    "Unix": lambda value: Int64(int(value.timestamp())),
    "UnixMilli": lambda value: Int64(int(value.timestamp() * 1000)),
    "UnixNano": lambda value: Int64(int(value.timestamp() * 10**6) * 1000),
    "Year": lambda value: value.year,
    "YearDay": lambda value: value.timetuple().tm_yday,
}
"""The methods of a time that a template may call."""

_HTML_DATE: Final = "2006-01-02"
_IN_ZONE: Final = takes(
    "string any string", _in_zone, cost=lambda layout, *_: 16 * len(layout), run=True, varies=True
)
_MODIFY: Final = takes("string time", _modify_quietly)
_MUST_MODIFY: Final = takes("string time", _modify)

DATES: Final[dict[str, Function]] = {
    "ago": takes("any", _ago, run=True, varies=True),
    "date": takes(
        "string any", _in_zone, cost=lambda layout, _: 16 * len(layout), run=True, varies=True
    ),
    "dateInZone": _IN_ZONE,
    "dateModify": _MODIFY,
    "date_in_zone": _IN_ZONE,
    "date_modify": _MODIFY,
    "duration": takes("any", _duration),
    "durationRound": takes("any", _rounded, run=True, varies=True),
    "htmlDate": takes(
        "any", lambda run, value: _in_zone(run, _HTML_DATE, value), run=True, varies=True
    ),
    "htmlDateInZone": takes(
        "any string", lambda run, v, zone: _in_zone(run, _HTML_DATE, v, zone), run=True, varies=True
    ),
    "mustDateModify": _MUST_MODIFY,
    "must_date_modify": _MUST_MODIFY,
    "now": takes("", _now, run=True, varies=True),
    "unixEpoch": takes("time", lambda value: str(int(value.timestamp()))),
}
