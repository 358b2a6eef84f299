"""Explains why a file is not YAML.

The parser names what its grammar expected; a person needs to know what they typed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import yaml

from perfscale.config.reading.scalars import looks_commented
from perfscale.config.reading.source import clip
from perfscale.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMENT: Final = "comments begin with #, not with //"

_TAB: Final = re.compile(r" *-? *\t")

_ESCAPE: Final = "unknown escape in double quotes: use single quotes for a backslash"
_ALIAS: Final = "a value that begins with * or & is an alias or an anchor to YAML: put it in quotes"
_KEY: Final = (
    "a key is not expected here: its indentation differs from its neighbours', "
    'a colon is missing in the line before, or a value has ": " in it and needs quotes'
)
# The parser has a bound of its own on brackets in brackets, and may meet it before ours.
_DEEP: Final = "nested far too deep: this is no {file}"
_BLOCK: Final = ""  # what the parser says is as good
_TOKENS: Final = {
    "'": _ESCAPE, '"': _ESCAPE, "*": _ALIAS, "&": _ALIAS, ":": _KEY, "?": _KEY,
    "[": _DEEP, "{": _DEEP, "|": _BLOCK, ">": _BLOCK,
}  # fmt: skip
"""By the character that a wrong token begins with."""
_NODES: Final = {
    "*": "the alias (*name) has no anchor (&name) before it",
    "&": "this anchor (&name) was used before",
}
_DOCUMENT: Final = "a second document begins: a {file} holds one"


def syntax_problem(error: yaml.YAMLError, text: str, name: str, file: str) -> Problem:
    """Return what is wrong with ``text``, which the parser refused with ``error``.

    ``name`` is the file as the user named it, ``file`` what it is: ``workload file``.
    """
    lines = text.splitlines()
    line, column = _place(error, text, lines)
    if comment := next(_slash_comments(lines[: line + 1]), None):
        return Problem(COMMENT, name, *comment)
    here = lines[line] if line < len(lines) else ""
    if tab := _TAB.match(here):
        message = "a tab in the indentation: YAML is indented with spaces"
        return Problem(message, name, line + 1, tab.end())
    return Problem(_explain(error, lines, file), name, line + 1, column + 1)


def _slash_comments(lines: list[str]) -> Iterator[tuple[int, int]]:
    """Yield the line and column, from 1, of each ``//`` that begins a line."""
    for number, line in enumerate(lines, start=1):
        rest = line.lstrip()
        if rest.startswith("//") and looks_commented(rest):
            yield number, len(line) - len(rest) + 1


def _place(error: yaml.YAMLError, text: str, lines: list[str]) -> tuple[int, int]:
    """Return the line and column, from 0, of what a person has to correct."""
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.context_mark if _is_unfinished(error, lines) else error.problem_mark
        if mark:
            return mark.line, mark.column
    if isinstance(error, yaml.reader.ReaderError):
        # The C parser counts in bytes of UTF-8.
        before = text.encode(errors="replace")[: error.position].decode(errors="replace")
        return before.count("\n"), len(before) - (before.rfind("\n") + 1)
    return 0, 0


def _is_unfinished(error: yaml.MarkedYAMLError, lines: list[str]) -> bool:
    """Whether a token lacks something at its end, and the parser missed it lines later."""
    began, found = error.context_mark, error.problem_mark
    return (
        isinstance(error, yaml.scanner.ScannerError)
        and began is not None
        and found is not None
        and began.line < found.line
        and _character(lines, found) not in {"\t", "\\"}
    )


def _character(lines: list[str], mark: yaml.Mark | None) -> str:
    """What stands at a mark: empty at the end of a line, or of the file."""
    if mark is None or mark.line >= len(lines):
        return ""
    return lines[mark.line][mark.column : mark.column + 1]


def _explain(error: yaml.YAMLError, lines: list[str], file: str) -> str:
    if isinstance(error, yaml.reader.ReaderError):
        return f"the character {error.character:#x} is not allowed in YAML"
    explanation = ""
    if isinstance(error, yaml.MarkedYAMLError):
        began, here = _character(lines, error.context_mark), _character(lines, error.problem_mark)
        if str(error.context_mark) == str(error.problem_mark):
            began = ""
        if _is_unfinished(error, lines):
            explanation = _explain_unfinished(error, lines)
        elif isinstance(error, yaml.scanner.ScannerError):
            unknown = f"a value cannot begin with {here or 'this'}: put it in quotes"
            explanation = _TOKENS.get(began or here, unknown).format(file=file)
        elif isinstance(error, yaml.parser.ParserError):
            explanation = _explain_structure(began, here)
        else:
            explanation = _NODES.get(here, _DOCUMENT).format(file=file)
    parts = [str(getattr(error, part, None) or "") for part in ("problem", "context")]
    return explanation or f"not YAML: {clip(' '.join(filter(None, parts)) or str(error), 200)}"


def _explain_unfinished(error: yaml.MarkedYAMLError, lines: list[str]) -> str:
    """A quote that is not closed, or a key without a colon, be it in quotes."""
    began, found = error.context_mark, error.problem_mark
    if began is not None and found is not None:
        quote = _character(lines, began)
        first = lines[began.line][began.column :]
        token = "".join([first, *lines[began.line + 1 : found.line]]).replace('\\"', "")
        if quote in {"'", '"'} and token.count(quote) % 2:
            return "the quote that begins here is never closed"
    return "this line is no `key: value`"


def _explain_structure(began: str, here: str) -> str:
    """Tokens that do not go on with the collection that begins with ``began``."""
    match began:
        case "[":
            return "the list that begins with [ is not closed by ]"
        case "{":
            return "the mapping that begins with { is not closed by }"
        case "-":
            return "this line is not indented like the list it is in"
        case "":
            bracket = here in {"", ",", "]", "}"}
            return "a value is missing, or a bracket has no partner" if bracket else ""
    return "this line is not indented like the keys it stands with"
