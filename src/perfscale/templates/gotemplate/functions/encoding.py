"""JSON as Go's ``encoding/json`` writes it, base 64, sums, paths and URLs.

https://masterminds.github.io/sprig/encoding.html, https://pkg.go.dev/encoding/json#Marshal
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import math
import posixpath
import re
import zlib
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from perfscale.templates.gotemplate.formatting import general, plain, sorted_keys
from perfscale.templates.gotemplate.functions.signature import Function, takes
from perfscale.templates.gotemplate.values import GoError

if TYPE_CHECKING:
    from collections.abc import Callable

_HTML: Final = {"<": r"\u003c", ">": r"\u003e", "&": r"\u0026"}
_LINES: Final = {"\u2028": r"\u2028", "\u2029": r"\u2029"}
_ESCAPE: Final = re.compile(r"\\.")
_LONG: Final = {r"\b": r"\u0008", r"\f": r"\u000c"}
_MAX_DEPTH: Final = 100
_JSON_EXPONENTS: Final = (-6, 21)


def to_json(value: Any, *, html: bool = True, indent: str = "", depth: int = 0) -> str:  # noqa: ANN401
    """A value as JSON, map keys sorted.

    Raises:
        GoError: JSON has no such value.
    """
    if depth > _MAX_DEPTH:
        raise GoError(f"json: nested deeper than {_MAX_DEPTH} levels")
    if isinstance(value, str):
        return _json_text(value, html=html)
    if isinstance(value, float):
        return _json_float(value)
    if value is None or isinstance(value, (bool, int)):
        return "null" if value is None else plain(value)
    if isinstance(value, datetime):
        return f'"{value.isoformat().replace("+00:00", "Z")}"'
    inner = [to_json(each, html=html, indent=indent, depth=depth + 1) for each in _members(value)]
    opening, closing = "[", "]"
    if isinstance(value, Mapping):
        opening, closing = "{", "}"
        colon = ": " if indent else ":"
        keys = (_json_text(plain(key), html=html) for key in sorted_keys(value))
        inner = [f"{key}{colon}{each}" for key, each in zip(keys, inner, strict=True)]
    if not indent or not inner:
        return f"{opening}{','.join(inner)}{closing}"
    line = f"\n{indent * (depth + 1)}"
    return f"{opening}{line}{f',{line}'.join(inner)}\n{indent * depth}{closing}"


def _members(value: Any) -> list[Any]:  # noqa: ANN401 -- a list or a map
    return [value[key] for key in sorted_keys(value)] if isinstance(value, Mapping) else value


def _json_text(text: str, *, html: bool) -> str:
    shown = json.dumps(text, ensure_ascii=False)
    for each, escaped in (*_LINES.items(), *(_HTML.items() if html else ())):
        shown = shown.replace(each, escaped)
    # Escape by escape: behind an escaped backslash, `b` and `f` are letters.
    return _ESCAPE.sub(lambda found: _LONG.get(found[0], found[0]), shown)


def _json_float(value: float) -> str:
    if not math.isfinite(value):
        raise GoError(f"json: unsupported value: {general(value)}")
    shown = general(value, _JSON_EXPONENTS)
    return shown.replace("e-0", "e-") if "e-0" in shown else shown


def _from_json(text: str) -> object:
    try:
        value: object = json.loads(text, parse_int=float, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise GoError(f"json: {error}") from error
    return value


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no number of JSON")


def _quietly(convert: Callable[[Any], object], otherwise: object) -> Callable[[Any], object]:
    """The function that gives something else where it fails."""

    def compute(value: object) -> object:
        try:
            return convert(value)
        except GoError:
            return otherwise

    return compute


def _pretty(value: object) -> str:
    return to_json(value, indent="  ")


def _raw(value: object) -> str:
    return to_json(value, html=False)


def _decoded(decode: Callable[[str], bytes], name: str) -> Callable[[str], str]:
    """A decoder, which fails where sprig's gives the error as the text."""

    def compute(text: str) -> str:
        try:
            return decode(text.replace("\n", "").replace("\r", "")).decode(errors="replace")
        except (binascii.Error, ValueError) as error:
            raise GoError(f"illegal {name} data") from error

    return compute


def _sum(name: str) -> Callable[[str], str]:
    return lambda text: hashlib.new(name, text.encode(), usedforsecurity=False).hexdigest()


def _base(path: str) -> str:
    return posixpath.basename(path.rstrip("/")) or ("/" if path else ".")


def _clean(path: str) -> str:
    return posixpath.normpath(path).replace("//", "/") if path else "."


def _extension(path: str) -> str:
    name = path.rpartition("/")[2]
    return f".{name.rpartition('.')[2]}" if "." in name else ""


def _json_size(value: object, levels: int = 0) -> int:
    """What indenting adds, at most."""
    if isinstance(value, Mapping):
        return sum(_json_size(each, levels + 1) for each in value.values())
    if isinstance(value, (list, tuple)):
        return sum(_json_size(each, levels + 1) for each in value)
    return 6 * len(value) + 2 * levels if isinstance(value, str) else 2 * levels


_TO_JSON: Final = takes("any", to_json, cost=_json_size)
_PRETTY: Final = takes("any", _pretty, cost=_json_size)
_RAW: Final = takes("any", _raw, cost=_json_size)
_PATHS: Final = {
    "base": takes("string", _base),
    "clean": takes("string", _clean),
    "dir": takes("string", lambda path: _clean(path[: path.rfind("/") + 1])),
    "ext": takes("string", _extension),
    "isAbs": takes("string", lambda path: path.startswith("/")),
}

ENCODING: Final[dict[str, Function]] = {
    "adler32sum": takes("string", lambda text: str(zlib.adler32(text.encode()))),
    "b32dec": takes("string", _decoded(base64.b32decode, "base32")),
    "b32enc": takes("string", lambda text: base64.b32encode(text.encode()).decode()),
    "b64dec": takes("string", _decoded(lambda t: base64.b64decode(t, validate=True), "base64")),
    "b64enc": takes("string", lambda text: base64.b64encode(text.encode()).decode()),
    "fromJson": takes("string", _quietly(_from_json, None)),
    "mustFromJson": takes("string", _from_json),
    "mustToJson": _TO_JSON,
    "mustToPrettyJson": _PRETTY,
    "mustToRawJson": _RAW,
    "sha1sum": takes("string", _sum("sha1")),
    "sha256sum": takes("string", _sum("sha256")),
    "toJson": takes("any", _quietly(to_json, ""), cost=_json_size),
    "toPrettyJson": takes("any", _quietly(_pretty, ""), cost=_json_size),
    "toRawJson": _RAW,
    **_PATHS,
    **{f"os{name[0].upper()}{name[1:]}": function for name, function in _PATHS.items()},
}
