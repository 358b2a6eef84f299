"""A template file in Go's language, parsed and ready to be rendered."""

from __future__ import annotations

import copy
from pathlib import PurePath
from random import Random
from typing import TYPE_CHECKING, Any

from perfscale.errors import Problem, TemplateError
from perfscale.templates.bounds.amplifiers import TooMuchError
from perfscale.templates.gotemplate.functions.known import FUNCTIONS, why_not
from perfscale.templates.gotemplate.language import uses
from perfscale.templates.gotemplate.language.compiling import Compiler
from perfscale.templates.gotemplate.language.nodes import Function, walk
from perfscale.templates.gotemplate.language.parser import MAIN, parse_tree
from perfscale.templates.gotemplate.running import Frame, LineRun, Run
from perfscale.templates.gotemplate.skeleton import Inputs, UnfitError, build
from perfscale.templates.gotemplate.values import GoError
from perfscale.templates.source import WORK_OF_A_CHARACTER, Reference

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from perfscale.templates.gotemplate.language.compiling import Compiled
    from perfscale.templates.gotemplate.settings import Settings
    from perfscale.templates.gotemplate.skeleton import Skeleton


class GoTemplate:
    """A template file in Go's language; the arguments are those of `gotemplate.parse`.

    Attributes:
        file: The file, as errors name it.
        references: The variables that must be defined, whatever their values.
        work: What all renderings so far have cost, reading included, in the units of `weights`.
    """

    def __init__(
        self,
        text: str,
        file: str,
        settings: Settings,
        defines: Sequence[GoTemplate],
    ) -> None:
        self.file = file
        self.work = 0
        self._settings = settings
        self._random = settings.random or Random()  # noqa: S311 -- names and payloads, no secrets
        self._own = self._compiled(text)
        self._templates = dict(self._own)
        for library in defines:
            self._templates |= library.templates
        self._templates[MAIN] = self._own[MAIN]
        trees = [each.define for each in self._templates.values()]
        self._uses = uses.of_templates(trees, FUNCTIONS)
        found = uses.surely_used(self._own[MAIN].define) if settings.missing == "error" else {}
        self.references: Sequence[Reference] = [Reference(*each) for each in found.items()]
        self._check_calls()

    @property
    def templates(self) -> Mapping[str, Compiled]:
        """What another file may call: this one's defines, and itself by the name of its file."""
        named = {name: each for name, each in self._own.items() if name != MAIN}
        return {**named, PurePath(self.file).name: self._own[MAIN]}

    def render(self, variables: Mapping[str, Any]) -> str:
        """The text with its actions carried out.

        Raises:
            TemplateError: Something fails with these values, with the line that does.
        """
        run = self._new_run()
        self._run(run, variables)
        return "".join(run.parts)

    def lines(self, variables: Mapping[str, Any]) -> Sequence[int]:
        """The template's line behind each line of ``render(variables)``; raises as it does."""
        run = LineRun(self._settings, self._templates, self._random)
        self._run(run, variables)
        return run.map.finish()

    @property
    def varies(self) -> bool:
        """Whether it may give another text for the same variables: by chance, or by the time."""
        return self._uses.varies

    def only_prints(self, name: str) -> bool:
        """Whether the text differs by a number of this name only where its digits stand."""
        return not self.varies and self._uses.only_printed(name)

    def skeleton(self, variables: Mapping[str, Any], changing: Collection[str]) -> Skeleton | None:
        """The text with holes for what depends on some variables, or on chance.

        Args:
            variables: Any values of them, and the others.
            changing: The names of those that change.

        Returns:
            None where they decide what is printed at all, or something fails.
        """
        if self._uses.changes:
            return None
        defines = {name: (each.define, each.value) for name, each in self._templates.items()}
        try:
            inputs = Inputs(FUNCTIONS, defines, changing)
            return build(inputs, self._new_run(), MAIN, dict(variables))
        except (UnfitError, GoError, TooMuchError, RecursionError):
            return None

    def fillings(self, skeleton: Skeleton, variables: Mapping[str, Any]) -> list[Any] | None:
        """What the skeleton's holes are filled with; None where that fails."""
        try:
            return skeleton.values(self._new_run(), variables)
        except (GoError, TooMuchError, RecursionError, KeyError):
            return None

    def _new_run(self) -> Run:
        return Run(self._settings, self._templates, self._random)

    def variable(self, name: str) -> str:
        """How this language writes a variable."""
        return f"{{{{.{name}}}}}"

    def _run(self, run: Run, variables: Mapping[str, Any]) -> None:
        data = dict(copy.deepcopy(variables) if self._uses.changes else variables)
        main = self._own[MAIN]
        try:
            main.step(Frame(run, [data] + [None] * (main.slots - 1)), data)
        except (GoError, TooMuchError, RecursionError) as error:
            raise TemplateError([self._problem(error)]) from error
        self.work += run.spent[0] + run.length * WORK_OF_A_CHARACTER

    def _problem(self, error: GoError | TooMuchError | RecursionError) -> Problem:
        if isinstance(error, GoError):
            return Problem(error.message, error.file or self.file, error.line or 1)
        message = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        return Problem(message, self.file, 1)

    def _compiled(self, text: str) -> dict[str, Compiled]:
        try:
            trees = parse_tree(text)
            problems = self._refused(list(trees.values()))
            if problems:
                raise TemplateError(problems)
            compiler = Compiler(self.file, FUNCTIONS)
            return {name: compiler.compile(define) for name, define in trees.items()}
        except (GoError, RecursionError) as error:
            raise TemplateError([self._problem(error)]) from error

    def _refused(self, trees: Sequence[Any]) -> list[Problem]:
        """A problem for each function that may not be called."""
        first: dict[str, int] = {}
        for node in walk(tuple(trees)):
            if isinstance(node, Function):
                first[node.name] = min(node.line, first.get(node.name, node.line))
        return [
            Problem(reason, self.file, line)
            for name, line in sorted(first.items(), key=lambda each: each[1])
            if (reason := why_not(name, self._settings)) is not None
        ]

    def _check_calls(self) -> None:
        """Refuse calls of templates that are not there."""
        problems = [
            Problem(f'template "{call.name}" not defined', self.file, call.line)
            for call in uses.calls(self._own[MAIN].define)
            if call.name not in self._templates
        ]
        if problems:
            raise TemplateError(problems)
