"""sprig's functions on texts: https://masterminds.github.io/sprig/strings.html.

Positions count bytes of UTF-8, as Go's do.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from perfscale.templates.bounds.weights import weight_of
from perfscale.templates.gotemplate.formatting import plain
from perfscale.templates.gotemplate.functions.signature import SLICE, Function, takes
from perfscale.templates.gotemplate.printing import quoted
from perfscale.templates.gotemplate.values import GoError, Strings

if TYPE_CHECKING:
    from collections.abc import Callable

_WORDS: Final = re.compile(r"[A-Za-z0-9]+(?:[ _-][A-Za-z0-9]+)*")
_LOWER_WORDS: Final = re.compile(r"[a-z0-9]+(?:[ _-][a-z0-9]+)*")
_SPACES: Final = " \t\n\v\f\r\x85\xa0"


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
    if width < 4 or _size(text) <= width:
        return text
    return f"{bytes_of(text, 0, width - 3)}..."


def _abbrevboth(left: int, right: int, text: str) -> str:
    size = _size(text)
    if right < 4 or (left > 0 and right < 7) or size <= right:
        return text
    left = min(left, size)
    if size - left < right - 3:
        left = size - (right - 3)
    if left <= 4:
        return f"{bytes_of(text, 0, right - 3)}..."
    if left + right - 3 < size:
        return f"...{_abbrev(right - 3, bytes_of(text, left, None))}"
    return f"...{bytes_of(text, size - (right - 3), None)}"


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


def _quote_cost(*values: object) -> int:
    return 6 * sum(map(weight_of, values))


def _title(text: str) -> str:
    return re.sub(r"(^|[\s\-.,;:!?/\\\"'()\[\]{}|&%$#@*+=<>~`^])(\w)", _upper_second, text)


def _upper_second(found: re.Match[str]) -> str:
    return found[1] + found[2].upper()


def _initials(text: str) -> str:
    return "".join(word[0] for word in text.split())


def _untitle(text: str) -> str:
    return re.sub(r"(?:^|(?<=\s))\S", lambda found: found[0].lower(), text)


def _wrap_cost(width: int, separator: str, text: str) -> int:
    return len(text) * 4 + (len(text) // max(width, 1) + 1) * len(separator)


def _wrap(width: int, separator: str, text: str, *, breaks_words: bool) -> str:
    """A text in lines, as goutils' WrapCustom cuts it."""
    width, lines, start = max(width, 1), [], 0
    while len(text) - start > width:
        if text[start] == " ":
            start += 1
            continue
        end = text.rfind(" ", start, start + width + 1)
        following = end + 1
        if end < 0 and breaks_words:
            end = following = start + width
        elif end < 0:
            end = text.find(" ", start + width)
            end = len(text) if end < 0 else end
            following = end + 1
        lines.append(text[start:end])
        if end == len(text):
            return separator.join(lines)
        start = following
    return separator.join([*lines, text[start:]])


def _snake(mark: str) -> Callable[[str], str]:
    def convert(text: str) -> str:
        _check_words(text, _WORDS)
        text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", mark, text)
        return re.sub(r"[ _-]", mark, text).lower()

    return convert


def _camel(text: str) -> str:
    _check_words(text, _LOWER_WORDS)
    return "".join(part.capitalize() for part in re.split(r"[ _-]", text))


def _check_words(text: str, pattern: re.Pattern[str]) -> None:
    """Refuse what versions of sprig do not agree about."""
    if text and not pattern.fullmatch(text):
        raise GoError(
            f"{text[:40]!r} is not supported: only words of letters and digits (camelcase: small "
            "letters), with a space, `-` or `_` between two"
        )


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
    "quote": takes("any...", _quote(quoted), cost=_quote_cost),
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
    "swapcase": takes("string", str.swapcase),
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
        lambda width, text: _wrap(width, "\n", text, breaks_words=False),
        cost=lambda width, text: _wrap_cost(width, "\n", text),
    ),
    "wrapWith": takes(
        "int string string",
        lambda width, sep, text: _wrap(width, sep, text, breaks_words=True),
        cost=_wrap_cost,
    ),
}
