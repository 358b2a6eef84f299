"""Pipelines, compiled: closures that are given the frame and the dot, and return the value."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Final

from perfscale.templates.gotemplate.language.fields import field_of, fields_of
from perfscale.templates.gotemplate.language.nodes import (
    Chain,
    Command,
    Constant,
    Dot,
    Field,
    Function,
    Variable,
    shown,
)
from perfscale.templates.gotemplate.values import GoError, is_true
from perfscale.templates.source import shorten

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import TypeAlias

    from perfscale.templates.gotemplate.functions import signature
    from perfscale.templates.gotemplate.language.nodes import Operand, Pipe
    from perfscale.templates.gotemplate.running import Frame

    Evaluate: TypeAlias = Callable[[Frame, Any], Any]

_NOTHING: Final = object()
_LONGEST: Final = 80
"""Characters of a template that a message shows."""


class Pipelines:
    """Compiles the pipelines of one file.

    Args:
        file: The file, as errors name it.
        functions: All that they may call.
    """

    def __init__(self, file: str, functions: Mapping[str, signature.Function]) -> None:
        self._file = file
        self._functions = functions

    def pipe(self, pipe: Pipe, *, keeps: bool = True) -> Evaluate:
        """The value of a pipeline; ``keeps`` puts it into the pipeline's variable, too."""
        first = self._command(pipe.commands[0])
        evaluate = first
        rest = [self._command(command, piped=True) for command in pipe.commands[1:]]
        if rest:

            def through(frame: Frame, dot: object) -> Any:  # noqa: ANN401 -- any value
                value = first(frame, dot)
                for command in rest:
                    value = command(frame, dot, value)
                return value

            evaluate = through
        if not (pipe.slots and keeps):
            return evaluate
        (slot,) = pipe.slots

        def kept(frame: Frame, dot: object) -> Any:  # noqa: ANN401 -- any value
            frame.variables[slot] = value = evaluate(frame, dot)
            return value

        return kept

    def _command(self, command: Command, *, piped: bool = False) -> Callable[..., Any]:
        word, arguments = command.operands[0], command.operands[1:]
        try:
            if isinstance(word, Function):
                evaluate = self._function(word.name, arguments, piped=piped)
            else:
                _check_value(word, is_called=piped or bool(arguments))
                evaluate = self._operand(word)
        except GoError as error:
            raise self.located(error, command.line, shown(command)) from error
        if isinstance(word, (Constant, Dot)):
            return evaluate

        def located(frame: Frame, dot: object, piped: object = _NOTHING) -> Any:  # noqa: ANN401
            try:
                if piped is _NOTHING:
                    return evaluate(frame, dot)
                return evaluate(frame, dot, piped)
            # A template is a program: whatever it raises is its author's to mend.
            except Exception as error:
                raise self.located(error, command.line, shown(command)) from error

        return located

    def _function(
        self, name: str, arguments: Sequence[Operand], *, piped: bool
    ) -> Callable[..., Any]:
        function = self._functions.get(name)
        takes = function.takes if function else ()
        evaluators = [
            self._argument(argument, kind)
            for argument, kind in zip_longest(arguments, takes[: len(arguments)])
        ]
        if function is None:  # `and` and `or` compute no more than they need
            if not evaluators and not piped:
                raise GoError(f"wrong number of args for {name}: want at least 1 got 0")
            return _shortcut(evaluators, until=name == "or")
        function.check_count(name, len(evaluators) + piped)

        def call(frame: Frame, dot: object, piped: object = _NOTHING) -> Any:  # noqa: ANN401
            values = [evaluate(frame, dot) for evaluate in evaluators]
            if piped is not _NOTHING:
                values.append(piped)
            return function.invoke(frame.run, values)

        return call

    def _argument(self, node: Operand, kind: str | None) -> Evaluate:
        """An operand; of a constant like ``3.0`` the integer, where one is wanted."""
        if kind == "int" and isinstance(node, Constant) and isinstance(node.value, float):
            is_whole = node.value.is_integer()
            return self._operand(Constant(int(node.value), node.shown) if is_whole else node)
        return self._operand(node)

    def _operand(self, node: Operand) -> Evaluate:
        match node:
            case Dot():
                return lambda _frame, dot: dot
            case Constant(value):
                return lambda _frame, _dot: value
            case Function(_, line):
                return self._command(Command((node,), line))
            case Field() | Variable() | Chain():
                return self._field(node)
        return self.pipe(node)

    def _field(self, node: Field | Variable | Chain) -> Evaluate:
        match node:
            case Field((name,)):
                return lambda frame, dot: field_of(frame.run, dot, name)
            case Field(names):
                return lambda frame, dot: fields_of(frame.run, dot, names)
            case Variable(_, slot, ()):
                return lambda frame, _dot: frame.variables[slot]
            case Variable(_, slot, names):
                return lambda frame, _dot: fields_of(frame.run, frame.variables[slot], names)
        inner, names = self._operand(node.operand), node.names
        return lambda frame, dot: fields_of(frame.run, inner(frame, dot), names)

    def located(self, error: Exception, line: int, what: str) -> GoError:
        """The error with its place in it, once."""
        if isinstance(error, GoError) and error.file is not None:
            return error
        if isinstance(error, GoError) and error.line is not None:
            return GoError(error.message, error.line, self._file)
        message = str(error) or type(error).__name__
        if isinstance(error, RecursionError):
            message = "nested too deeply"
        return GoError(f"`{shorten(what, _LONGEST)}`: {message}", line, self._file)


def _check_value(word: Operand, *, is_called: bool) -> None:
    """Refuse arguments of what is no function."""
    if is_called and isinstance(word, (Field, Chain, Variable)):
        name = shown(word).rpartition(".")[2]
        raise GoError(f"{name} is not a method but has arguments")
    if is_called:
        raise GoError(f"can't give argument to non-function {shown(word)}")
    if isinstance(word, Constant) and word.shown == "nil":
        raise GoError("nil is not a command")


def _shortcut(evaluators: Sequence[Evaluate], *, until: bool) -> Callable[..., Any]:
    """Go's ``and`` and ``or``: the first value that decides, or the last."""

    def decide(frame: Frame, dot: object, piped: object = _NOTHING) -> Any:  # noqa: ANN401
        value: Any = piped
        for evaluate in evaluators:
            value = evaluate(frame, dot)
            if is_true(value) is until:
                return value
        return value if piped is _NOTHING else piped

    return decide
