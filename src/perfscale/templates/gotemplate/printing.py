"""Go's ``printf``: https://pkg.go.dev/fmt#hdr-Printing."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from perfscale.templates.bounds.amplifiers import TooMuchError
from perfscale.templates.bounds.weights import STEP, weight_of
from perfscale.templates.gotemplate.formatting import general, moment, plain, sorted_keys
from perfscale.templates.gotemplate.values import GoError, type_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_FIELD: Final = re.compile(
    r"%(?P<flags>[-+# 0]*)(?P<width>\[\d+\]\*|\*|\d+)?"
    r"(?:\.(?P<precision>\[\d+\]\*|\*|\d+)?(?P<point>))?"
    r"(?:\[(?P<index>\d+)\])?(?P<verb>.)?",
    re.DOTALL,
)
_WIDEST: Final = 1_000
"""Of a field, and of its digits."""
_BASES: Final = {"b": "b", "d": "d", "o": "o", "O": "o", "x": "x", "X": "X"}
_PREFIXES: Final = {"b": "0b", "o": "0", "O": "0o", "x": "0x", "X": "0X"}
_ESCAPES: Final = {
    "\a": r"\a", "\b": r"\b", "\f": r"\f", "\n": r"\n", "\r": r"\r", "\t": r"\t", "\v": r"\v",
    "\\": r"\\", '"': r"\"",
}  # fmt: skip


def printf(text: str, *values: object) -> str:
    """Go's ``Sprintf``.

    Raises:
        GoError: A verb that is not supported here.
        TooMuchError: A field is wider than any in a manifest.
    """
    return _Printer(values).format(text)


def printf_cost(text: str, *values: object) -> int:
    """How long the result may be, at most."""
    fields, stars = text.count("%"), text.count("*")
    widest = max((int(digits[:5]) for digits in re.findall(r"\d+", text)), default=0)
    widest = max(widest, _WIDEST if stars else 0)
    weight = sum(map(weight_of, values))
    # An element of a list is as wide as a field, and an argument may be printed several times.
    shown = weight + weight // STEP * widest
    return len(text) + fields * widest + 6 * shown * (fields if "[" in text else 1)


def quoted(text: str, *, ascii_only: bool = False) -> str:
    """A text in double quotes, as Go's ``strconv.Quote`` writes it."""
    return f'"{"".join(_escaped(each, ascii_only=ascii_only) for each in text)}"'


def _escaped(each: str, *, ascii_only: bool = False) -> str:
    if each in _ESCAPES:
        return _ESCAPES[each]
    if each.isprintable() and (each.isascii() or not ascii_only):
        return each
    number = ord(each)
    if number < 0x20 or number == 0x7F:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


@dataclass(slots=True)
class _Spec:
    """How one field is formatted."""

    verb: str
    flags: str
    width: int | None
    precision: int | None

    def pad(self, text: str, *, zeros: bool = False) -> str:
        if self.width is None or len(text) >= self.width:
            return text
        if "-" in self.flags:
            return text.ljust(self.width)
        if zeros and "0" in self.flags:
            sign = text[:1] if text[:1] in {"+", "-", " "} else ""
            return sign + text[len(sign) :].rjust(self.width - len(sign), "0")
        return text.rjust(self.width)


class _Printer:
    """Goes through a format, argument by argument."""

    def __init__(self, values: Sequence[object]) -> None:
        self._values = values
        self._next = 0
        self._reordered = False

    def format(self, text: str) -> str:
        parts: list[str] = []
        position = 0
        while (start := text.find("%", position)) >= 0:
            parts.append(text[position:start])
            found = _FIELD.match(text, start)
            assert found is not None  # noqa: S101 -- every part behind `%` may be missing
            parts.append(self._field(found))
            position = found.end()
        parts.append(text[position:])
        if not self._reordered and self._next < len(self._values):
            extra = ", ".join(map(_typed, self._values[self._next :]))
            parts.append(f"%!(EXTRA {extra})")
        return "".join(parts)

    def _field(self, found: re.Match[str]) -> str:
        flags, verb = found["flags"], found["verb"]
        width, flags = self._star(found["width"], flags, "WIDTH")
        precision: int | str | None = None
        if found["point"] is not None:
            precision, _ = self._star(found["precision"] or "0", "", "PREC")
            if isinstance(precision, int) and precision < 0:
                precision = None
        for bad in (width, precision):
            if isinstance(bad, str):
                return bad
        if verb is None:
            return "%!(NOVERB)"
        if verb == "%":
            return "%"
        if found["index"] is not None:
            self._reordered = True
            self._next = int(found["index"][:6]) - 1
            if not 0 <= self._next < len(self._values):
                return f"%!{verb}(BADINDEX)"
        if self._next >= len(self._values):
            return f"%!{verb}(MISSING)"
        value = self._values[self._next]
        self._next += 1
        assert not isinstance(width, str)  # noqa: S101 -- returned above
        assert not isinstance(precision, str)  # noqa: S101 -- as well
        return format_value(_Spec(verb, flags, width, precision), value)

    def _star(self, text: str | None, flags: str, what: str) -> tuple[int | str | None, str]:
        """A width or precision, which may be an argument; and the flags with its sign."""
        if text is None:
            return None, flags
        if not text.endswith("*"):
            number = int(text[:9])
        else:
            if text != "*":
                self._reordered = True
                self._next = int(text[1:-2][:6]) - 1
            if not 0 <= self._next < len(self._values):
                return f"%!(BAD{what})", flags
            given = self._values[self._next]
            self._next += 1
            if not isinstance(given, int) or isinstance(given, bool):
                return f"%!(BAD{what})", flags
            number = int(given)
            if number < 0 and what == "WIDTH":
                number, flags = -number, f"{flags}-"
        if number > _WIDEST:
            raise TooMuchError(f"a field of a format is wider than {_WIDEST:,}")
        return number, flags


def _typed(value: object) -> str:
    return "<nil>" if value is None else f"{type_name(value)}={plain(value)}"


def format_value(spec: _Spec, value: Any) -> str:  # noqa: ANN401 -- any value
    """One value by one verb."""
    if spec.verb == "T":
        return str(_text(_Spec("s", spec.flags, spec.width, spec.precision), type_name(value)))
    if spec.verb == "p" or (spec.verb == "v" and "#" in spec.flags and not isinstance(value, str)):
        raise GoError(f"printf's `%{spec.flags}{spec.verb}` is not supported")
    if value is None:
        return spec.pad("<nil>") if spec.verb == "v" else f"%!{spec.verb}(<nil>)"
    if isinstance(value, (list, tuple)):
        return f"[{' '.join(_inner(spec, each) for each in value)}]"
    if isinstance(value, Mapping):
        members = (
            f"{format_value(spec, key)}:{_inner(spec, value[key])}" for key in sorted_keys(value)
        )
        return f"map[{' '.join(members)}]"
    shown = _FORMATS.get(type(value), _integer)(spec, value)
    return _bad(spec, value) if shown is None else shown


def _inner(spec: _Spec, value: object) -> str:
    """A value in a list or a map, where nil is no mistake."""
    return "<nil>" if value is None else format_value(spec, value)


def _bad(spec: _Spec, value: object) -> str:
    as_value = _Spec("v", spec.flags, spec.width, spec.precision)
    return f"%!{spec.verb}({type_name(value)}={format_value(as_value, value)})"


def _boolean(spec: _Spec, value: bool) -> str | None:
    return spec.pad("true" if value else "false") if spec.verb in "tv" else None


def _integer(spec: _Spec, value: int) -> str | None:
    verb = "d" if spec.verb == "v" else spec.verb
    if verb in {"c", "q", "U"}:
        return _rune(spec, value)
    if verb not in _BASES:
        return None
    digits = format(abs(value), _BASES[verb])
    has_zeros = spec.precision is None
    if spec.precision is not None:
        digits = "" if not spec.precision and not value else digits.rjust(spec.precision, "0")
    sign = "-" if value < 0 else "+" if "+" in spec.flags else " " if " " in spec.flags else ""
    prefix = _PREFIXES.get(verb, "") if "#" in spec.flags or verb == "O" else ""
    if verb == "o" and digits.startswith("0"):
        prefix = ""
    if has_zeros and "0" in spec.flags and "-" not in spec.flags and spec.width is not None:
        digits = digits.rjust(spec.width - len(sign), "0")
    return spec.pad(f"{sign}{prefix}{digits}")


def _rune(spec: _Spec, value: int) -> str:
    is_valid = 0 <= value <= 0x10FFFF and not 0xD800 <= value < 0xE000
    each = chr(value) if is_valid else "\ufffd"
    if spec.verb == "U":
        return spec.pad(f"U+{value:04X}" + (f" '{each}'" if "#" in spec.flags else ""))
    if spec.verb == "q":
        inner = {"'": r"\'", '"': '"'}.get(each) or _escaped(each, ascii_only="+" in spec.flags)
        return spec.pad(f"'{inner}'")
    return spec.pad(each)


def _float(spec: _Spec, value: float) -> str | None:
    verb = "g" if spec.verb == "v" else spec.verb
    if verb in {"b", "x", "X"}:
        raise GoError(f"printf's `%{verb}` of a float is not supported")
    if verb not in {"e", "E", "f", "F", "g", "G"}:
        return None
    if not math.isfinite(value):
        text = "NaN" if math.isnan(value) else ("+Inf" if value > 0 else "-Inf")
        if "+" not in spec.flags and text != "-Inf":
            text = text.removeprefix("+")
            text = f"+{text}" if text == "Inf" and spec.verb == "v" else text
        return _Spec(verb, spec.flags.replace("0", ""), spec.width, None).pad(text)
    if verb in {"g", "G"} and spec.precision is None:
        text = general(value)
        text = text.upper() if verb == "G" else text
    else:
        precision = 6 if spec.precision is None else spec.precision
        text = f"{value:{'#' if '#' in spec.flags else ''}.{precision}{verb}}"
    if not text.startswith("-"):
        text = ("+" if "+" in spec.flags else " " if " " in spec.flags else "") + text
    return spec.pad(text, zeros=True)


def _text(spec: _Spec, value: str) -> str | None:
    cut = value if spec.precision is None else value[: spec.precision]
    match spec.verb:
        case "v" if "#" in spec.flags:
            return spec.pad(quoted(cut))
        case "s" | "v":
            return spec.pad(cut)
        case "q":
            can_raw = "#" in spec.flags and "`" not in cut and cut.isprintable()
            return spec.pad(f"`{cut}`" if can_raw else quoted(cut, ascii_only="+" in spec.flags))
        case "x" | "X":
            raw = value.encode()
            raw = raw if spec.precision is None else raw[: spec.precision]
            shown = raw.hex(" ") if " " in spec.flags else raw.hex()
            shown = f"0x{shown}" if "#" in spec.flags and " " not in spec.flags and raw else shown
            return spec.pad(shown if spec.verb == "x" else shown.upper())
    return None


def _moment(spec: _Spec, value: datetime) -> str | None:
    return _text(spec, moment(value)) if spec.verb in "svq" else None


_FORMATS: Final[dict[type, Callable[[_Spec, Any], str | None]]] = {
    bool: _boolean,
    float: _float,
    str: _text,
    datetime: _moment,
}
