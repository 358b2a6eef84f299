"""Constants of Go's template language: numbers, texts, characters.

https://go.dev/ref/spec#Integer_literals and the sections after it.
"""

from __future__ import annotations

import re
from typing import Final

from perfscale.templates.gotemplate.values import GoError, wrap

_ESCAPE: Final = re.compile(
    r"\\(?:([abfnrtv\\'\"])|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.?))",
    re.DOTALL,
)
_SIMPLE: Final = dict(zip("abfnrtv\\'\"", "\a\b\f\n\r\t\v\\'\"", strict=True))
_LONGEST: Final = 100


def number(text: str) -> int | float:
    """The value of a number.

    Raises:
        GoError: It is none, or an integer of more than 64 bits.
    """
    if len(text) > _LONGEST:
        raise GoError(f"bad number syntax: {text[:_LONGEST]!r}...")
    plain = text.replace("_", "")
    if plain.endswith("i") and not plain.lower().startswith(("0x", "-0x", "+0x")):
        raise GoError(f"`{text}`: complex numbers are not supported")
    try:
        value = _integer(plain)
    except ValueError:
        try:
            return float(plain)
        except ValueError:
            raise GoError(f"bad number syntax: {text!r}") from None
    if wrap(value) != value:
        raise GoError(f"integer overflow: {text}")
    return value


def _integer(plain: str) -> int:
    sign = -1 if plain.startswith("-") else 1
    digits = plain.lstrip("+-")
    if re.fullmatch(r"0[0-7]+", digits):
        return sign * int(digits, 8)
    return sign * int(digits, 0)


def unquote(text: str) -> str:
    """The text of a constant in double quotes, or in back quotes.

    Raises:
        GoError: It has an escape that Go does not know.
    """
    if text.startswith("`"):
        return text[1:-1].replace("\r", "")
    if "\\" not in text:
        return text[1:-1]
    parts: list[bytes] = []
    position = 1
    for escape in _ESCAPE.finditer(text, 1, len(text) - 1):
        parts += [text[position : escape.start()].encode(), _escaped(escape)]
        position = escape.end()
    parts.append(text[position:-1].encode())
    return b"".join(parts).decode(errors="replace")


def _escaped(escape: re.Match[str]) -> bytes:
    simple, byte, short, long, octal, other = escape.groups()
    if simple:
        return _SIMPLE[simple].encode()
    if byte or octal:
        value = int(byte, 16) if byte else int(octal, 8)
        if value > 0xFF:
            raise GoError(f"invalid escape `{escape.group()}`")
        return bytes([value])
    if short or long:
        value = int(short or long, 16)
        if value <= 0x10FFFF and not 0xD800 <= value < 0xE000:
            return chr(value).encode()
    raise GoError(f"invalid escape `{escape.group()}` in a text ({other or 'no character'})")


def character(text: str) -> int:
    """The number of a character constant, as ``'a'``.

    Raises:
        GoError: It is not one character.
    """
    inner = unquote(f'"{text[1:-1]}"') if text != "'\"'" else '"'
    if len(inner) != 1:
        raise GoError(f"malformed character constant: {text}")
    return ord(inner)
