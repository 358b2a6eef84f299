"""The ``{{...}}`` of a template file, and which of them can only be Go's."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from perfscale.templates.gotemplate.language.lexer import KEYWORDS, SPACE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_COMMENT_OPEN = re.compile(r"\{\{(?:-(?=[ \t\r\n]))?[ \t\r\n]*/\*")
_COMMENT_CLOSE = re.compile(r"\*/[ \t\r\n]*(?:(?<=[ \t\r\n])-)?\}\}")
_NAME = r"[^\W\d]\w*"
_VARIABLE = re.compile(rf"[ \t\r\n]*\.(?P<name>{_NAME})[ \t\r\n]*")
_CALL_OF_FIELD = re.compile(rf"\s*{_NAME}\s+\.{_NAME}")
_SHAPES: Final = re.compile(rf"[.$`]|-\.|\(.*[.$]|{_NAME}\s+[\w.\"'$(`]", re.DOTALL)
"""How something of Go's begins that is no expression of Jinja2: a field, a variable, a call."""


class Action(NamedTuple):
    """One ``{{...}}`` of a file.

    Attributes:
        text: All of it, with its braces.
        inner: What is between them, without trim markers; empty for a Go comment.
        line: Where it begins.
        start: Offset of its first character.
        end: Offset behind its last character.
        variable: Name of the plain Go variable that it is; None if it is something else.
    """

    text: str
    inner: str
    line: int
    start: int
    end: int
    variable: str | None


def find_actions(text: str) -> list[Action]:
    """Every ``{{...}}`` of a template, whichever dialect it is written in."""
    actions = []
    line, last = 1, 0
    for start, end, inner in _spans(text):
        line += text.count("\n", last, start)
        last = start
        variable = _VARIABLE.fullmatch(inner)
        name = variable["name"] if variable else None
        actions.append(Action(text[start:end], inner, line, start, end, name))
    return actions


def _spans(text: str) -> Iterator[tuple[int, int, str]]:
    """Start, end and inner text of each action.

    By hand, since an expression that looks for the end of each ``{{`` by itself
    takes time that grows with the square of a text in which there is none.
    """
    position, comments = 0, True
    while (start := text.find("{{", position)) >= 0:
        if comments and (opened := _COMMENT_OPEN.match(text, start)):
            if closed := _COMMENT_CLOSE.search(text, opened.end()):
                yield start, closed.end(), ""
                position = closed.end()
                continue
            comments = False  # none of those that follow is closed either
        close = text.find("}}", start + 2)
        if close < 0:
            return
        inner = text[start + 2 : close]
        if inner[:1] == "-" and inner[1:2] in tuple(SPACE):
            inner = inner[1:]
        if inner[-1:] == "-" and inner[-2:-1] in tuple(SPACE):
            inner = inner[:-1]
        yield start, close + 2, inner
        position = close + 2


def is_go(action: Action, is_jinja: Callable[[str], bool]) -> bool:
    """Whether an action can be nothing but Go's.

    Args:
        action: The action.
        is_jinja: Whether a text is an expression of Jinja2.
    """
    inner = action.inner.strip()
    if action.variable is not None or (not inner and "/*" in action.text):
        return True
    # To Jinja2 `{{ len .items }}` is `len.items`, which nobody writes with a space.
    if _CALL_OF_FIELD.match(action.inner):
        return True
    if is_jinja(inner):
        return False
    word = re.match(_NAME, inner)
    return bool(_SHAPES.match(inner)) or (word is not None and word.group() in KEYWORDS)


def first_word(action: Action) -> str:
    """The name that an action begins with; empty where it begins with something else."""
    word = re.match(_NAME, action.inner.strip())
    return word.group() if word else ""
