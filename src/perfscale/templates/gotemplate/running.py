"""One rendering: what it has written, and what it has cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from perfscale.templates.bounds.amplifiers import TooMuchError
from perfscale.templates.bounds.weights import MAX_WEIGHT, STEP, TOO_LARGE, Budget
from perfscale.templates.gotemplate.formatting import printed
from perfscale.templates.gotemplate.values import GoError
from perfscale.templates.source import MAX_TEXT, TOO_LONG, LineMap

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

    from perfscale.templates.gotemplate.language.compiling import Compiled
    from perfscale.templates.gotemplate.settings import Settings

_MAX_DEPTH: Final = 100
"""Of templates that call each other."""


class Run(Budget):
    """A rendering.

    Args:
        settings: What the template is given.
        templates: All that it can call, by name.
        random: What random functions draw from.

    Attributes:
        strict: Whether a missing key is an error.
        parts: What is written, piece by piece.
        length: How long that is.
    """

    __slots__ = ("_depth", "length", "parts", "random", "settings", "spent", "strict", "templates")

    def __init__(
        self, settings: Settings, templates: Mapping[str, Compiled], random: Random
    ) -> None:
        self.spent = [0]
        self.settings = settings
        self.templates = templates
        self.random = random
        self.strict = settings.missing == "error"
        self.parts: list[str] = []
        self.length = 0
        self._depth = 0

    def literal(self, text: str, line: int) -> None:
        """Write literal text."""
        self._write(text, line)

    def value(self, value: object, line: int) -> None:
        """Write what an action gives."""
        if type(value) is not str:
            self.weigh(value)
            value = printed(value)
        self._write(value, line)

    def reserve(self, size: int) -> None:
        """Count a result of so many characters before it is made."""
        if size > MAX_WEIGHT:
            raise TooMuchError(TOO_LARGE)
        self.spend(size)

    def call(self, name: str, value: object) -> None:
        """Run the template of a name, with a value for its dot."""
        template = self.templates.get(name)
        if template is None:
            raise GoError(f'template "{name}" not defined')
        self.spend(STEP * (1 + template.cost))
        if self._depth >= _MAX_DEPTH:
            message = f"templates call each other more than {_MAX_DEPTH} deep"
            raise GoError(message)
        self._depth += 1
        template.step(Frame(self, [value] + [None] * (template.slots - 1)), value)
        self._depth -= 1

    def _write(self, text: str, line: int) -> None:
        self.parts.append(text)
        self.length += len(text)
        if self.length > MAX_TEXT:
            raise GoError(TOO_LONG, line)


class LineRun(Run):
    """A rendering that keeps the template's line of each rendered line."""

    __slots__ = ("map",)

    def __init__(
        self, settings: Settings, templates: Mapping[str, Compiled], random: Random
    ) -> None:
        super().__init__(settings, templates, random)
        self.map = LineMap()

    def literal(self, text: str, line: int) -> None:
        """Write literal text that begins on a line."""
        super().literal(text, line)
        self.map.literal(text, line)

    def value(self, value: object, line: int) -> None:
        """Write what an action on a line gives."""
        super().value(value, line)
        self.map.value(self.parts[-1], line)


class Frame:
    """The variables of a template that is being run; the first is ``$``."""

    __slots__ = ("run", "variables")

    def __init__(self, run: Run, variables: list[Any]) -> None:
        self.run = run
        self.variables = variables
