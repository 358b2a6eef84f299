"""Tokens of Go's template language, as ``text/template/parse/lex.go`` has them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple, NoReturn

from perfscale.templates.gotemplate.values import GoError

if TYPE_CHECKING:
    from collections.abc import Iterator

SPACE: Final = " \t\r\n"
"""What trim markers take; they count only with one of these beside the dash:
https://pkg.go.dev/text/template#hdr-Text_and_spaces"""
KEYWORDS: Final = frozenset(
    ("block", "break", "continue", "define", "else", "end", "if", "nil", "range", "template")
) | {"with"}

_TOKEN: Final = re.compile(
    r"""
    (?P<space>[ \t\r\n]+)
  | (?P<string>"(?:[^"\\\n]|\\[^\n])*")
  | (?P<raw>`[^`]*`)
  | (?P<char>'(?:[^'\\\n]|\\[^\n])+')
  | (?P<number>[+-]?(?:0[xX][0-9a-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+
        |(?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9_]+)?)i?)
  | (?P<declare>:=)
  | (?P<mark>[=|(),])
  | (?P<field>\.[^\W\d]\w*)
  | (?P<dot>\.)
  | (?P<variable>\$\w*)
  | (?P<word>[^\W\d]\w*)
    """,
    re.VERBOSE,
)
_ENDS_A_WORD: Final = frozenset(" \t\r\n.,|:()=")
_UNCLOSED: Final = "`{{` is never closed with `}}`"
_WORDS: Final = frozenset(("field", "variable", "word"))


class Token(NamedTuple):
    """A piece of a template.

    Attributes:
        kind: ``text``, ``open``, ``close``, ``end`` of the template, or a group of the pattern.
        text: As it stands there; of ``text`` trimmed.
        line: Counted from 1.
    """

    kind: str
    text: str
    line: int


def tokenize(source: str) -> Iterator[Token]:
    """The tokens of a template; comments are left out.

    Raises:
        GoError: Something is never closed, or is no token.
    """
    position, line, trim = 0, 1, False
    while True:
        start = source.find("{{", position)
        text = source[position : start if start >= 0 else len(source)]
        after = start + 2
        trims_before = (
            start >= 0 and source[after : after + 1] == "-" and _is_space(source, after + 1)
        )
        yield from _literal(text, line, trim=trim, trims_before=trims_before)
        line += text.count("\n")
        if start < 0:
            yield Token("end", "", line)
            return
        if trims_before:
            after += 2
        inside = _Inside(source, after, line + source.count("\n", start, after))
        if source.startswith("/*", _skip_space(source, after) if trims_before else after):
            inside.skip_comment()
        else:
            yield Token("open", "{{", line)
            yield from inside.tokens()
            yield Token("close", "}}", inside.line)
        position, line, trim = inside.position, inside.line, inside.trims_after


def _is_space(source: str, position: int) -> bool:
    return source[position : position + 1] in tuple(SPACE)


def _skip_space(source: str, position: int) -> int:
    while _is_space(source, position):
        position += 1
    return position


def _literal(text: str, line: int, *, trim: bool, trims_before: bool) -> Iterator[Token]:
    if trim:
        stripped = text.lstrip(SPACE)
        line += text.count("\n", 0, len(text) - len(stripped))
        text = stripped
    if trims_before:
        text = text.rstrip(SPACE)
    if text:
        yield Token("text", text, line)


class _Inside:
    """What stands between ``{{`` and ``}}``.

    Attributes:
        position: Behind what was read.
        line: Of that.
        trims_after: Whether it ended with a trim marker.
    """

    def __init__(self, source: str, position: int, line: int) -> None:
        self.position = position
        self.line = line
        self.trims_after = False
        self._source = source
        self._opened = line

    def tokens(self) -> Iterator[Token]:
        source, depth = self._source, 0
        while not self._closes():
            found = _TOKEN.match(source, self.position)
            if found is None:
                self._refuse()
            kind, text = str(found.lastgroup), found.group()
            self._check(kind, text, found.end())
            if text == "(":
                depth += 1
            elif text == ")":
                depth -= 1
                if depth < 0:
                    raise GoError("unexpected right paren", self.line)
            yield Token(kind, text, self.line)
            self._pass(found.end())
        if depth:
            raise GoError("unclosed left paren", self.line)

    def skip_comment(self) -> None:
        end = self._source.find("*/", _skip_space(self._source, self.position) + 2)
        if end < 0:
            raise GoError("unclosed comment", self._opened)
        self._pass(end + 2)
        if not self._closes():
            raise GoError("comment ends before closing delimiter", self.line)

    def _closes(self) -> bool:
        """Whether the action ends here; its end is passed then."""
        source, at = self._source, self.position
        if at >= len(source):
            raise GoError(_UNCLOSED, self._opened)
        if source.startswith("}}", at):
            self._pass(at + 2)
            return True
        trimmed = _skip_space(source, at)
        if trimmed > at and source.startswith("-}}", trimmed):
            self._pass(trimmed + 3)
            self.trims_after = True
            return True
        return False

    def _pass(self, end: int) -> None:
        self.line += self._source.count("\n", self.position, end)
        self.position = end

    def _check(self, kind: str, text: str, end: int) -> None:
        following = self._source[end : end + 1]
        if not following:
            raise GoError(_UNCLOSED, self._opened)
        if (
            kind in _WORDS
            and following not in _ENDS_A_WORD
            and not self._source.startswith("}}", end)
        ):
            raise GoError(f"bad character {following!r}", self.line)
        if kind == "number" and (following.isalnum() or following == "_"):
            raise GoError(f"bad number syntax: {text + following!r}", self.line)

    def _refuse(self) -> NoReturn:
        character = self._source[self.position]
        what = {
            '"': "unterminated quoted string",
            "`": "unterminated raw quoted string",
            "'": "unterminated character constant",
        }.get(character, f"unexpected {character!r} in an action")
        if "}}" not in self._source[self.position :]:
            raise GoError(_UNCLOSED, self._opened)
        raise GoError(what, self.line)
