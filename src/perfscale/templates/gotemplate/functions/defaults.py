"""sprig's defaults, types and flow: https://masterminds.github.io/sprig/defaults.html."""

from __future__ import annotations

from typing import Final, NoReturn

from perfscale.templates.gotemplate.functions.signature import Function, takes
from perfscale.templates.gotemplate.values import GoError, is_true, kind_name, type_name


def _default(default: object, *given: object) -> object:
    return given[0] if given and is_true(given[0]) else default


def _coalesce(*values: object) -> object:
    return next((value for value in values if is_true(value)), None)


def _fail(message: str) -> NoReturn:
    raise GoError(message)


DEFAULTS: Final[dict[str, Function]] = {
    "all": takes("any...", lambda *values: all(map(is_true, values))),
    "any": takes("any...", lambda *values: any(map(is_true, values))),
    "coalesce": takes("any...", _coalesce),
    "default": takes("any any...", _default),
    "empty": takes("any", lambda value: not is_true(value)),
    "fail": takes("string", _fail),
    "kindIs": takes("string any", lambda kind, value: kind_name(value) == kind),
    "kindOf": takes("any", kind_name),
    "ternary": takes("any any bool", lambda yes, no, given: yes if given else no),
    "typeIs": takes("string any", lambda name, value: type_name(value) == name),
    "typeIsLike": takes("string any", lambda name, v: type_name(v) in {name, f"*{name}"}),
    "typeOf": takes("any", type_name),
}
