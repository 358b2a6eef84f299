"""sprig's functions on texts: https://masterminds.github.io/sprig/strings.html.

Positions count bytes of UTF-8, as Go's do.
"""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING, Any, Final

from perfscale.templates.gotemplate.formatting import plain
from perfscale.templates.gotemplate.functions.signature import SLICE, Function, takes
from perfscale.templates.gotemplate.printing import quoted
from perfscale.templates.gotemplate.values import GoError, Strings

if TYPE_CHECKING:
    from collections.abc import Callable

_SPACES: Final = " \t\n\v\f\r\x85\xa0"
_WORD_START: Final = re.compile(r"(?:(?<=[^\w])|^)\w")


def bytes_of(text: str, start: int | None, end: int | None) -> str:
    """A part of a text, counted in bytes."""
    return text[start:end] if text.isascii() else text.encode()[start:end].decode(errors="replace")


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


def strings_of(value: object) -> Strings:
    """A list's elements as texts, nil left out; anything else is a list of one."""
    if isinstance(value, SLICE):
        return Strings(plain(each) for each in value if each is not None)
    return Strings() if value is None else Strings([plain(value)])


def _trunc(count: int, text: str) -> str:
    size = _size(text)
    if count < 0:
        return bytes_of(text, size + count, None) if size + count > 0 else text
    return bytes_of(text, 0, count)


def _substr(start: int, end: int, text: str) -> str:
    size = _size(text)
    if start < 0:
        if not 0 <= end <= size:
            raise GoError("slice bounds out of range")
        return bytes_of(text, 0, end)
    last = size if end < 0 or end > size else end
    if start > last:
        raise GoError("slice bounds out of range")
    return bytes_of(text, start, last)


def _abbrev(width: int, text: str) -> str:
    if width < 4 or len(text) <= width:
        return text
    return f"{text[: width - 3]}..."


def _abbrevboth(left: int, right: int, text: str) -> str:
    if right < 4 or (left > 0 and right < 7) or len(text) <= right:
        return text
    left = min(left, len(text))
    if len(text) - left < right - 3:
        left = len(text) - (right - 3)
    if left <= 4:
        return f"{text[: right - 3]}..."
    if left + right - 3 < len(text):
        return f"...{_abbrev(right - 3, text[left:])}"
    return f"...{text[len(text) - (right - 3) :]}"


def _indent(spaces: int, text: str) -> str:
    pad = " " * _natural(spaces)
    return pad + text.replace("\n", f"\n{pad}")


def _indent_cost(spaces: int, text: str) -> int:
    return len(text) + (text.count("\n") + 1) * _natural(spaces)


def _natural(count: int) -> int:
    if count < 0:
        raise GoError("strings: negative Repeat count")
    return count


def _replace_cost(old: str, new: str, text: str) -> int:
    found = text.count(old) if old else len(text) + 1
    return len(text) + found * len(new)


def _cat(*values: object) -> str:
    return " ".join(plain(value) for value in values if value is not None)


def _split(separator: str, text: str) -> list[str]:
    return text.split(separator) if separator else list(text)


def _splitn(separator: str, count: int, text: str) -> list[str]:
    if not count:
        return []
    if separator:
        return text.split(separator, count - 1 if count > 0 else -1)
    parts = list(text)
    return parts if count < 0 or count > len(parts) else [*parts[: count - 1], text[count - 1 :]]


def _numbered(parts: list[str]) -> dict[str, str]:
    return {f"_{number}": part for number, part in enumerate(parts)}


def _join_cost(separator: str, value: object) -> int:
    return len(separator) * len(value) if isinstance(value, SLICE) else 0


def _quote(mark: Callable[[str], str]) -> Callable[..., str]:
    return lambda *values: " ".join(mark(plain(value)) for value in values if value is not None)


def _title(text: str) -> str:
    return re.sub(r"(^|[\s\-.,;:!?/\\\"'()\[\]{}|&%$#@*+=<>~`^])(\w)", _upper_second, text)


def _upper_second(found: re.Match[str]) -> str:
    return found[1] + found[2].upper()


def _swapcase(text: str) -> str:
    """Upper case at the start of a word stays a capital, as goutils' SwapCase has it."""
    after_space, parts = True, []
    for each in text:
        if each.isupper():
            parts.append(each.lower())
            after_space = False
        elif each.islower():
            parts.append(each.upper())
            after_space = False
        else:
            parts.append(each)
            after_space = each.isspace()
    del after_space
    return "".join(parts)


def _initials(text: str) -> str:
    return "".join(word[0] for word in text.split())


def _untitle(text: str) -> str:
    return re.sub(r"(?:^|(?<=\s))\S", lambda found: found[0].lower(), text)


def _wrap_cost(width: int, separator: str, text: str) -> int:
    return len(text) * 4 + (len(text) // max(width, 1) + 1) * len(separator)


def _wrap_with(width: int, separator: str, text: str) -> str:
    lines = textwrap.wrap(
        text, max(width, 1), break_on_hyphens=False, expand_tabs=False, replace_whitespace=False
    )
    return separator.join(lines)


def _snake(mark: str) -> Callable[[str], str]:
    def convert(text: str) -> str:
        text = re.sub(r"[\s_\-.]+", mark, text)
        text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", mark, text)
        return text.lower()

    return convert


def _camel(text: str) -> str:
    parts = [part for part in re.split(r"[_\-\s]+", text) if part]
    return "".join(part[0].upper() + part[1:] for part in parts)


def _toggled(take: Callable[[str, str], Any]) -> Callable[[str, str], Any]:
    """A function that is given what it looks for first, so that the text can be piped."""
    return lambda sought, text: take(text, sought)


TEXTS: Final[dict[str, Function]] = {
    "abbrev": takes("int string", _abbrev),
    "abbrevboth": takes("int int string", _abbrevboth),
    "camelcase": takes("string", _camel),
    "cat": takes("any...", _cat),
    "contains": takes("string string", _toggled(str.__contains__)),
    "hasPrefix": takes("string string", _toggled(str.startswith)),
    "hasSuffix": takes("string string", _toggled(str.endswith)),
    "hello": takes("", lambda: "Hello!"),
    "indent": takes("int string", _indent, cost=_indent_cost),
    "initials": takes("string", _initials),
    "join": takes("string any", lambda sep, value: sep.join(strings_of(value)), cost=_join_cost),
    "kebabcase": takes("string", _snake("-")),
    "lower": takes("string", str.lower),
    "nindent": takes("int string", lambda n, text: f"\n{_indent(n, text)}", cost=_indent_cost),
    "nospace": takes("string", lambda text: re.sub(r"\s+", "", text)),
    "plural": takes("string string int", lambda one, many, n: one if n == 1 else many),
    "quote": takes("any...", _quote(quoted)),
    "repeat": takes(
        "int string", lambda n, text: text * _natural(n), cost=lambda n, text: n * len(text)
    ),
    "replace": takes(
        "string string string", lambda old, new, text: text.replace(old, new), cost=_replace_cost
    ),
    "snakecase": takes("string", _snake("_")),
    "split": takes("string string", lambda sep, text: _numbered(_split(sep, text))),
    "splitList": takes("string string", lambda sep, text: Strings(_split(sep, text))),
    "splitn": takes("string int string", lambda sep, n, text: _numbered(_splitn(sep, n, text))),
    "squote": takes("any...", _quote(lambda text: f"'{text}'")),
    "substr": takes("int int string", _substr),
    "swapcase": takes("string", _swapcase),
    "title": takes("string", _title),
    "toString": takes("any", plain),
    "toStrings": takes("any", strings_of),
    "trim": takes("string", lambda text: text.strip(_SPACES)),
    "trimAll": takes("string string", lambda cut, text: text.strip(cut) if cut else text),
    "trimPrefix": takes("string string", _toggled(str.removeprefix)),
    "trimSuffix": takes("string string", _toggled(str.removesuffix)),
    "trimall": takes("string string", lambda cut, text: text.strip(cut) if cut else text),
    "trunc": takes("int string", _trunc),
    "untitle": takes("string", _untitle),
    "upper": takes("string", str.upper),
    "wrap": takes(
        "int string",
        lambda width, text: _wrap_with(width, "\n", text),
        cost=lambda width, text: _wrap_cost(width, "\n", text),
    ),
    "wrapWith": takes("int string string", _wrap_with, cost=_wrap_cost),
}
