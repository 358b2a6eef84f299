"""The functions that Go's template language has by itself, but for ``and`` and ``or``.

https://pkg.go.dev/text/template#hdr-Functions
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import quote_plus

from perfscale.templates.gotemplate.formatting import NO_VALUE, plain, spaced
from perfscale.templates.gotemplate.functions.signature import Function, takes
from perfscale.templates.gotemplate.printing import printf, printf_cost
from perfscale.templates.gotemplate.values import GoError, equal, is_true, length, less

if TYPE_CHECKING:
    from collections.abc import Callable

_HTML: Final = str.maketrans(
    {'"': "&#34;", "'": "&#39;", "&": "&amp;", "<": "&lt;", ">": "&gt;", "\0": "\ufffd"}
)
_JS: Final = {
    "\\": r"\\", "'": r"\'", '"': r"\"", "<": r"\u003C", ">": r"\u003E", "&": r"\u0026",
    "=": r"\u003D",
}  # fmt: skip


def _eq(first: object, *others: object) -> bool:
    if not others:
        raise GoError("missing argument for comparison")
    return any(equal(first, other) for other in others)


def _less_or_equal(first: object, second: object) -> bool:
    return less(first, second) or equal(first, second)


def _js(*values: object) -> str:
    return "".join(_js_escaped(each) for each in _shown(values))


def _js_escaped(each: str) -> str:
    if each in _JS:
        return _JS[each]
    if each < " " or not each.isprintable():
        return "".join(f"\\u{ord(each):04X}" for each in each)
    return each


def _shown(values: tuple[object, ...]) -> str:
    return spaced(tuple(NO_VALUE if value is None else value for value in values))


def _escape(escape: Callable[[str], str]) -> Callable[..., str]:
    return lambda *values: escape(_shown(values))


def _query(text: str) -> str:
    return quote_plus(text, safe="~")


def _six(*values: object) -> int:
    return 6 * sum(len(value) for value in values if isinstance(value, str))


BUILTIN: Final[dict[str, Function]] = {
    "eq": takes("any any...", _eq),
    "ge": takes("any any", lambda a, b: not less(a, b)),
    "gt": takes("any any", lambda a, b: not _less_or_equal(a, b)),
    "html": takes("any...", _escape(lambda text: text.translate(_HTML)), cost=_six),
    "js": takes("any...", _js, cost=_six),
    "le": takes("any any", _less_or_equal),
    "len": takes("any", length),
    "lt": takes("any any", less),
    "ne": takes("any any", lambda a, b: not equal(a, b)),
    "not": takes("any", lambda value: not is_true(value)),
    "print": takes("any...", lambda *values: spaced(values)),
    "printf": takes("string any...", printf, cost=printf_cost),
    "println": takes("any...", lambda *values: f"{' '.join(map(plain, values))}\n"),
    "urlquery": takes("any...", _escape(_query), cost=_six),
}
