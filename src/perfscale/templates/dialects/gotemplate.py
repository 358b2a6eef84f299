"""Templates in the old tool's syntax: plain variables of Go's template language.

Only variables are Go here (``{{.replica}}``, ``{{ .namespace }}``,
``{{- .x -}}``); all other text is taken as it stands, so that shell scripts
inside a manifest need no quoting. The rest of Go's language is refused by
name, with the Jinja2 way to write it, rather than half understood.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from perfscale.errors import Problem, TemplateError
from perfscale.templates.source import (
    MAX_TEXT,
    TOO_LONG,
    WORK_OF_A_CHARACTER,
    LineMap,
    Reference,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

# Trim markers take exactly these, and count only with one of them beside the
# dash: https://pkg.go.dev/text/template#hdr-Text_and_spaces
_SPACE = " \t\r\n"
_COMMENT_OPEN = re.compile(r"\{\{(?:-(?=[ \t\r\n]))?[ \t\r\n]*/\*")
_COMMENT_CLOSE = re.compile(r"\*/[ \t\r\n]*(?:(?<=[ \t\r\n])-)?\}\}")
_NAME = r"[^\W\d]\w*"
_VARIABLE = re.compile(rf"[ \t\r\n]*\.(?P<name>{_NAME})[ \t\r\n]*")

_KEYWORDS = {
    "range": "{% for item in items %} ... {% endfor %}",
    "if": "{% if variable %} ... {% endif %}",
    "else": "{% else %} or {% elif variable %}",
    "end": "{% endif %} or {% endfor %}",
    "with": "{% with item = variable %} ... {% endwith %}",
    "define": "{% macro name() %} ... {% endmacro %}",
    "template": "{{ name() }} after {% macro name() %} ... {% endmacro %} in the same file",
    "block": "the text itself: a template is one file",
    "break": "a condition on the loop, {% for item in items if variable %}",
    "continue": "a condition on the loop, {% for item in items if variable %}",
}
_FUNCTIONS = {
    "printf": "{{ '%03d' | format(replica) }}",
    "print": "{{ first ~ second }}",
    "println": "{{ first ~ second }}",
    "len": "{{ items | length }}",
    "index": "{{ items[0] }}",
    "slice": "{{ text[0:3] }}",
    "and": "{{ first and second }}",
    "or": "{{ first or second }}",
    "not": "{{ not variable }}",
    "eq": "{{ first == second }}",
    "ne": "{{ first != second }}",
    "lt": "{{ first < second }}",
    "le": "{{ first <= second }}",
    "gt": "{{ first > second }}",
    "ge": "{{ first >= second }}",
    "html": "{{ variable | escape }}",
    "urlquery": "{{ variable | urlencode }}",
    "add": "{{ replica + 1 }}",
    "sub": "{{ replica - 1 }}",
    "mul": "{{ replica * 2 }}",
    "div": "{{ replica // 2 }}",
    "mod": "{{ replica % 2 }}",
}


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
        if inner[:1] == "-" and inner[1:2] in tuple(_SPACE):
            inner = inner[1:]
        if inner[-1:] == "-" and inner[-2:-1] in tuple(_SPACE):
            inner = inner[:-1]
        yield start, close + 2, inner
        position = close + 2


def beyond_variables(action: Action, is_jinja: Callable[[str], bool]) -> str | None:
    """What is wrong with an action that uses more of Go's language than a variable.

    Args:
        action: An action that is not a plain variable.
        is_jinja: Whether a text is an expression of Jinja2.

    Returns:
        The construct and the Jinja2 way to write it; None if it is not Go.
    """
    inner = action.inner.strip()
    shown = _shorten(action.text)
    if not inner:
        way = "{# ... #}" if "/*" in action.text else "{{ variable }}"
        what = "a Go comment" if "/*" in action.text else "an empty action"
        return _refusal(shown, what, way)
    word = match.group() if (match := re.match(_NAME, inner)) else ""
    # Jinja2 has a function of that name.
    is_go = word != "range" or not inner.startswith("range(") or not is_jinja(inner)
    if word in _KEYWORDS and is_go:
        return _refusal(shown, f"Go's `{word}`", _KEYWORDS[word])
    for pattern, what, way in _SHAPES:
        if pattern.match(inner):
            return _refusal(shown, what, way)
    if calls_go(action) or (_CALL.match(inner) and not is_jinja(inner)):
        way = _FUNCTIONS.get(word, "a filter or an expression of Jinja2")
        return _refusal(shown, f"a call of Go's function `{word}`", way)
    return None


def calls_go(action: Action) -> bool:
    """Whether an action is surely Go's, even where Jinja2 could parse it.

    To Jinja2 ``{{ len .items }}`` is ``len.items``, which nobody writes with a space.
    """
    return _CALL_OF_FIELD.match(action.inner) is not None


_CALL = re.compile(rf"{_NAME}\s+[\w.\"'$(`]")
_CALL_OF_FIELD = re.compile(rf"\s*{_NAME}\s+\.{_NAME}")
_SHAPES = (
    (re.compile(r"-\."), "a trim marker with no space behind its dash", "{{- variable -}}"),
    (re.compile(r"-"), "an expression", "{{ -variable }}"),
    (re.compile(r"\$"), "a Go variable", "{% set x = ... %} and {{ x }}"),
    (re.compile(rf"\.{_NAME}-$"), "a trim marker with no space before its dash", "{{ variable -}}"),
    (re.compile(r"\..*\|", re.DOTALL), "a Go pipeline", "{{ variable | filter }}"),
    (re.compile(rf"\.{_NAME}\."), "a nested field", "{{ outer.inner }}"),
    (re.compile(r"\.$"), "Go's dot (all variables at once)", "{{ variable }}"),
    (re.compile(r"\."), "a Go expression", "{{ variable }}"),
    (re.compile(r"\(.*\."), "a Go expression", "{{ (first ~ second) | filter }}"),
    (re.compile(r"`"), "a Go text constant", "{{ 'text' }}"),
)


class GoTemplate:
    """A template file in Go mode.

    Args:
        file: The file, as errors name it.
        text: Its text.
        is_jinja: Whether a text is an expression of Jinja2 (to find a mixed file).

    Attributes:
        references: The variables that must be defined.
        work: What all renderings so far have cost, reading included, in the units of `metering`.

    Raises:
        TemplateError: It uses more of Go than plain variables, or Jinja2 besides.
    """

    def __init__(self, file: str, text: str, is_jinja: Callable[[str], bool]) -> None:
        self.file = file
        self.work = 0
        actions = find_actions(text)
        problems = list(_problems(file, text, actions, is_jinja))
        if problems:
            raise TemplateError(problems)
        self._pieces = list(_pieces(text, actions))
        first: dict[str, int] = {}
        for action in actions:
            if action.variable is not None:
                first.setdefault(action.variable, action.line)
        self.references: Sequence[Reference] = [Reference(*item) for item in first.items()]

    def render(self, variables: Mapping[str, Any]) -> str:
        """The text with its variables filled in.

        Raises:
            KeyError: A variable is not defined; ``references`` says which must be.
            TemplateError: The text is larger than any manifest.
        """
        parts: list[str] = []
        length = 0
        for piece in self._pieces:
            name = piece.variable
            part = piece.text if name is None else go_format(variables[name])
            parts.append(part)
            length += len(part)
            if length > MAX_TEXT:
                raise TemplateError([Problem(TOO_LONG, self.file, piece.line)])
        self.work += length * WORK_OF_A_CHARACTER
        return "".join(parts)

    def lines(self, variables: Mapping[str, Any]) -> Sequence[int]:
        """The template's line behind each line of ``render(variables)``."""
        lines = LineMap()
        for piece in self._pieces:
            if piece.variable is None:
                lines.literal(piece.text, piece.line)
            else:
                lines.value(go_format(variables[piece.variable]), piece.line)
        return lines.finish()

    def only_prints(self, name: str) -> bool:  # noqa: ARG002 -- the protocol's
        """Always: there is nothing but variables here."""
        return True

    def variable(self, name: str) -> str:
        """How this dialect writes a variable."""
        return f"{{{{.{name}}}}}"


class _Piece(NamedTuple):
    """A stretch of literal text (``variable`` None), or one variable."""

    text: str
    variable: str | None
    line: int


def _pieces(text: str, actions: Sequence[Action]) -> Iterator[_Piece]:
    """Literal text and variables in turn, trimmed as the actions ask."""
    line = counted = 0
    ends = [0, *(action.end for action in actions)]
    starts = [*(action.start for action in actions), len(text)]
    for index, (start, end) in enumerate(zip(ends, starts, strict=True)):
        literal = text[start:end]
        if index < len(actions) and re.match(r"\{\{-[ \t\r\n]", actions[index].text):
            literal = literal.rstrip(_SPACE)
        if index and re.search(r"[ \t\r\n]-\}\}$", actions[index - 1].text):
            literal = literal.lstrip(_SPACE)
            start = text.index(literal, start) if literal else start  # noqa: PLW2901 - the trimmed start
        if literal:
            line, counted = line + text.count("\n", counted, start), start
            yield _Piece(literal, None, line + 1)
        if index < len(actions):
            yield _Piece("", actions[index].variable, actions[index].line)


def _problems(
    file: str, text: str, actions: Sequence[Action], is_jinja: Callable[[str], bool]
) -> Iterator[Problem]:
    """Everything in a Go mode file that is neither literal text nor a plain variable."""
    plain = next(action for action in actions if action.variable is not None)
    for action in actions:
        if action.variable is not None:
            continue
        beyond = beyond_variables(action, is_jinja)
        yield Problem(beyond or _mixed(action, plain), file, action.line)
    outside = [(0, 0), *((action.start, action.end) for action in actions), (len(text),) * 2]
    for (_, end), (start, _) in pairwise(outside):
        if (found := text.find("{{", end, start)) >= 0:
            yield Problem("`{{` is never closed with `}}`", file, text.count("\n", 0, found) + 1)


def _mixed(action: Action, plain: Action) -> str:
    """What to say about Jinja2 in a file that has Go's variables."""
    name = action.inner.strip()
    simple = re.fullmatch(_NAME, name)
    go_way = f"write `{{{{.{name}}}}}` here, or " if simple else ""
    return (
        f"`{_shorten(action.text)}` is Jinja2, and `{_shorten(plain.text)}` on line {plain.line} "
        f"is Go: one file is in one of the two; {go_way}write the whole file in Jinja2, as in "
        f"`{{{{ {plain.variable} }}}}`"
    )


def _refusal(shown: str, what: str, way: str) -> str:
    return (
        f"`{shown}` is {what}: of Go's template language only plain variables as in "
        f"`{{{{.replica}}}}` are understood; write the file in Jinja2, where this is `{way}`"
    )


def _shorten(text: str, width: int = 60) -> str:
    one_line = " ".join(text.split())
    return one_line if len(one_line) <= width else f"{one_line[: width - 3]}..."


def go_format(value: object) -> str:
    """A value as Go's ``fmt`` prints it with ``%v`` (https://pkg.go.dev/fmt)."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float():
            return _go_float(value)
        case dict():
            members = sorted((str(key), go_format(item)) for key, item in value.items())
            return f"map[{' '.join(f'{key}:{item}' for key, item in members)}]"
        case list() | tuple():
            return f"[{' '.join(map(go_format, value))}]"
        case _:
            return str(value)


def _go_float(value: float) -> str:
    """A float as ``%v`` prints it: the fewest digits that no other float has.

    An exponent is written below 1e-4 and from 1e6 on (``eprec`` in Go's strconv/ftoa.go).
    """
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    shortest = Decimal(repr(value)).normalize()
    exponent = shortest.adjusted() if shortest else 0
    if -4 <= exponent < 6:
        return format(shortest, "f")
    mantissa = format(shortest.scaleb(-exponent), "f")
    return f"{mantissa}e{'+' if exponent >= 0 else '-'}{abs(exponent):02d}"
