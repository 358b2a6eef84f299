"""What to say when a file is not YAML.

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
KUBE_BURNER: Final = (
    "this is a configuration of kube-burner (jobs at the top), which cannot be read; here a file "
    "has a list, workloads, and each job is one of its items: jobIterations is iterationCount, and "
    "objects[].objectTemplate is templateFile"
)

_JOBS: Final = re.compile(r"^jobs:", re.MULTILINE)
_OF_JOBS: Final = re.compile(r"^[ -]+(jobIterations|jobType|objectTemplate):", re.MULTILINE)
_TAB: Final = re.compile(r" *-? *\t")
_PROBLEMS: Final = {
    "mapping values are not allowed": (
        "a key is not expected here: its indentation differs from its neighbours', "
        'a colon is missing in the line before, or a value has ": " in it and needs quotes'
    ),
    "could not find expected ':'": "this line is no `key: value`",
    "did not find expected '-' indicator": "this line is not indented like the list it is in",
    "did not find expected key": "this line is not indented like the keys it stands with",
    "did not find expected node content": "a value is missing, or a bracket has no partner",
    "expected alphabetic or numeric": (
        "a value that begins with * or & is an alias or an anchor to YAML: put it in quotes"
    ),
    "found undefined alias": "the alias (*name) has no anchor (&name) before it",
    "found unknown escape": "unknown escape in double quotes: use single quotes for a backslash",
    "found duplicate anchor": "this anchor (&name) was used before",
    "but found another document": "a second document begins: a {file} holds one",
    "found character that cannot start": "a value cannot begin with {character}: put it in quotes",
    "did not find expected ',' or ']'": "the list that begins with [ is not closed by ]",
    "did not find expected ',' or '}'": "the mapping that begins with {{ is not closed by }}",
    # Newer releases of the parser have a bound of their own, and meet it before ours is.
    "exceeded maximum nesting depth": "nested far too deep: this is no {file}",
    "unexpected end of stream": "the quote that begins here is never closed",
}


def syntax_problem(error: yaml.YAMLError, text: str, name: str, file: str) -> Problem:
    """Return what is wrong with ``text``, which the parser refused with ``error``.

    Args:
        error: The refusal.
        text: The content of the file.
        name: The file as the user named it.
        file: What such a file is called: ``workload file``.
    """
    # Those that have `{{ if }}` in them are no YAML before Go's templates are filled in.
    if (jobs := _JOBS.search(text)) and _OF_JOBS.search(text):
        return Problem(KUBE_BURNER, name, text.count("\n", 0, jobs.start()) + 1, 1)
    line, column = _place(error, text)
    lines = text.splitlines()
    if comment := next(_slash_comments(lines[: line + 1]), None):
        return Problem(COMMENT, name, *comment)
    here = lines[line] if line < len(lines) else ""
    if tab := _TAB.match(here):
        message = "a tab in the indentation: YAML is indented with spaces"
        return Problem(message, name, line + 1, tab.end())
    character = here[column] if column < len(here) else "this"
    return Problem(_explain(error, character, file), name, line + 1, column + 1)


def _slash_comments(lines: list[str]) -> Iterator[tuple[int, int]]:
    """Yield the line and column, from 1, of each ``//`` that begins a line."""
    for number, line in enumerate(lines, start=1):
        rest = line.lstrip()
        if rest.startswith("//") and looks_commented(rest):
            yield number, len(line) - len(rest) + 1


def _place(error: yaml.YAMLError, text: str) -> tuple[int, int]:
    """Return the line and column, from 0, that a person has to look at."""
    if isinstance(error, yaml.MarkedYAMLError):
        opened = "simple key" in (error.context or "") or "end of stream" in (error.problem or "")
        first, second = error.problem_mark, error.context_mark
        mark = (second or first) if opened else (first or second)
        if mark:
            return mark.line, mark.column
    if isinstance(error, yaml.reader.ReaderError):
        # The C parser counts in bytes of UTF-8.
        before = text.encode(errors="replace")[: error.position].decode(errors="replace")
        return before.count("\n"), len(before) - (before.rfind("\n") + 1)
    return 0, 0


def _explain(error: yaml.YAMLError, character: str, file: str) -> str:
    if isinstance(error, yaml.reader.ReaderError):
        return f"the character {error.character:#x} is not allowed in YAML"
    said = [str(getattr(error, part, None) or "") for part in ("problem", "context")]
    for problem, explanation in _PROBLEMS.items():
        if any(problem in text for text in said):
            return explanation.format(character=character, file=file)
    return f"not YAML: {clip(' '.join(filter(None, said)) or str(error), 200)}"
