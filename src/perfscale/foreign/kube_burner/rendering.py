"""The text of a configuration, which is one Go template, comments and all."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING, Final

from perfscale.errors import ConfigError, Problem, TemplateError
from perfscale.templates.gotemplate import Settings, parse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perfscale.config.reading.document import Document, TextFile
    from perfscale.config.reading.source import Mark, Position
    from perfscale.foreign.kube_burner.inputs import Inputs

_HINT: Final = ": give it by --user-data FILE, or in the environment with --allow-env"


@dataclass(frozen=True, slots=True)
class Rendered:
    """A rendered text.

    Attributes:
        file: The file, with the rendered text.
        lines: The line of the user's file behind each line of it, counted from 1.
    """

    file: TextFile
    lines: Sequence[int]

    def place(self, document: Document) -> None:
        """Put everything that is known of a document at the lines of the user's file."""
        for path, mark in document.values.items():
            document.values[path] = self._mark(mark)
        for path, key in document.keys.items():
            document.keys[path] = self._position(key)
        document.problems[:] = [self.problem(each) for each in document.problems]

    def problem(self, problem: Problem) -> Problem:
        """A problem in the rendered text, at the line of the user's file that gives it."""
        if problem.line is None or problem.file != self.file.name:
            return problem
        line = self._line(problem.line)
        if line == problem.line:
            return problem
        shown = f"{problem.message} (line {problem.line} of what the file renders to)"
        return replace(problem, message=shown, line=line, column=None)

    def _mark(self, mark: Mark) -> Mark:
        return replace(mark, position=self._position(mark.position))

    def _position(self, position: Position) -> Position:
        if position.line is None:
            return position
        line = self._line(position.line)
        # A column of rendered text means nothing in another line.
        return position if line == position.line else replace(position, line=line, column=None)

    def _line(self, line: int) -> int:
        return self.lines[min(line, len(self.lines)) - 1]


def render(file: TextFile, inputs: Inputs) -> Rendered:
    """Render a configuration.

    Raises:
        ConfigError: It is no Go template, or needs a variable that there is not.
    """
    variables = inputs.variables()

    def settings() -> Settings:
        return Settings(
            missing="zero" if inputs.allow_missing else "error",
            folder=file.directory,
            environment=inputs.environment,
            # Both renderings draw the same, and so do those of all steps of a search.
            random=Random(inputs.run_id),  # noqa: S311 - no secrets
        )

    try:
        template = parse(file.text, file=file.name, settings=settings())
        missing = [each for each in template.references if each.name not in variables]
        if missing:
            raise ConfigError(
                [
                    Problem(f"the variable {name} is not defined{_HINT}", file.name, line)
                    for name, line in missing
                ]
            )
        text = template.render(variables)
        lines = parse(file.text, file=file.name, settings=settings()).lines(variables)
    except TemplateError as error:
        raise ConfigError([_hinted(each) for each in error.problems]) from error
    return Rendered(replace(file, text=text), lines)


def _hinted(problem: Problem) -> Problem:
    if "no entry for key" in problem.message or "environment" in problem.message:
        return replace(problem, message=f"{problem.message}{_HINT}")
    return problem
