"""A template file as text: what both dialects offer, and how a file is read."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Final, NamedTuple

from perfscale.errors import Problem, TemplateError
from perfscale.templates.files import read_file

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from perfscale.templates.dialects.dialect import Source

MAX_BYTES: Final = 4 * 2**20
"""Of a template file, as of a workload file."""
MAX_TEXT: Final = 4_000_000
"""Characters that a template may render to; etcd takes objects of 1.5 MiB at the most."""
TOO_LONG: Final = f"it renders to more than {MAX_TEXT:,} characters: this is no manifest"


class Reference(NamedTuple):
    """A variable that a template uses, and the line of its first use."""

    name: str
    line: int


class LineMap:
    """Finds the template's line behind each rendered line.

    A rendered line belongs to the first thing on it that came from the
    template: literal text counts its own newlines, a value is all on one line.
    """

    def __init__(self) -> None:
        self._lines: list[int] = []
        self._open: int | None = None
        self._last = 1

    def literal(self, text: str, line: int) -> None:
        """Literal text that begins on ``line`` of the template."""
        for offset, part in enumerate(text.split("\n")):
            self._part(part, line + offset, first=not offset)

    def value(self, text: str, line: int) -> None:
        """The value of something that stands on ``line`` of the template."""
        for offset, part in enumerate(text.split("\n")):
            self._part(part, line, first=not offset)

    def finish(self) -> list[int]:
        """The lines, one for each line of the text so far."""
        return [*self._lines, self._last if self._open is None else self._open]

    def _part(self, part: str, line: int, *, first: bool) -> None:
        if not first:
            self._lines.append(self._last if self._open is None else self._open)
            self._open = None
        if part or not first:
            self._last = line
        if part and self._open is None:
            self._open = line


WORK_OF_A_CHARACTER: Final = 8
"""What it costs to read a rendered character as YAML, in the units of `metering`."""


def read_template(path: Path) -> str:
    """The text of a template file.

    Raises:
        TemplateError: It cannot be read, is larger than any template, or is not UTF-8.
    """
    try:
        content = read_file(path, MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            message = f"the file is larger than {MAX_BYTES // 2**20} MiB: this is no template"
            raise TemplateError([Problem(message, str(path))])
        return content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        problem = Problem("not UTF-8 text: save the template as UTF-8", str(path), line)
        raise TemplateError([problem]) from error
    except OSError as error:
        problem = Problem(f"cannot be read: {error.strerror or error}", str(path))
        raise TemplateError([problem]) from error


def is_inside(folder: Path, name: str) -> bool:
    """Whether a path from a folder leads into it, through whatever symbolic links."""
    return (folder / name).resolve().is_relative_to(folder.resolve())


def shorten(text: str, width: int = 60) -> str:
    """A text in one line, cut where it is long."""
    one_line = " ".join(text.split())
    return one_line if len(one_line) <= width else f"{one_line[: width - 3]}..."


def undefined_variables(
    source: Source, defined: Collection[str], where: str, *, otherwise: str = ""
) -> list[Problem]:
    """A problem for each variable that the template uses and nothing defines.

    Args:
        source: The template.
        defined: Every defined name.
        where: The ``objects`` entry that uses the template, as in ``workloads[0].objects[1]``.
        otherwise: What else helps than to define it, if anything does.
    """
    problems = []
    other = f", or set {otherwise}" if otherwise else ""
    lowered = {known.lower(): known for known in defined}
    for name, line in source.references:
        if name in defined:
            continue
        near = difflib.get_close_matches(name.lower(), lowered, n=1)
        guess = f" (did you mean {source.variable(lowered[near[0]])}?)" if near else ""
        message = (
            f"variable {name!r} is not defined{guess}: set it under inputVars of {where}{other}; "
            f"defined there: {', '.join(sorted(defined))}"
        )
        problems.append(Problem(message, source.file, line))
    return problems
