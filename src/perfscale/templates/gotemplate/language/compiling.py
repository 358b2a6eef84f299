"""From the tree to closures, so that a rendering walks no tree.

A step writes; it returns how the loop around it goes on. What is computed gets the frame, which
holds the variables, and the dot.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Final

from perfscale.templates.bounds.weights import STEP
from perfscale.templates.gotemplate.formatting import sorted_keys
from perfscale.templates.gotemplate.functions.dates import METHODS
from perfscale.templates.gotemplate.functions.signature import SLICE
from perfscale.templates.gotemplate.language.nodes import (
    Action,
    Branch,
    Call,
    Chain,
    Command,
    Constant,
    Define,
    Dot,
    Field,
    Function,
    Leave,
    Text,
    Variable,
    shown,
    walk,
)
from perfscale.templates.gotemplate.values import GoError, is_true, type_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import TypeAlias

    from perfscale.templates.gotemplate.functions import signature
    from perfscale.templates.gotemplate.language.nodes import Body, Node, Operand, Pipe
    from perfscale.templates.gotemplate.running import Frame, Run

    Evaluate: TypeAlias = Callable[[Frame, Any], Any]
    Step: TypeAlias = Callable[[Frame, Any], int]

ON, BREAK, CONTINUE = 0, 1, 2
"""How the loop around a step goes on."""
_NOTHING: Final = object()
_MISSING: Final = object()


@dataclass(frozen=True, slots=True)
class Compiled:
    """A template that can be run.

    Attributes:
        define: Its tree.
        value: Compiles a pipeline of it.
        step: Runs it.
        slots: How many variables it has.
        cost: How many parts it has.
    """

    define: Define
    value: Callable[[Pipe], Evaluate]
    step: Step
    slots: int
    cost: int


class Compiler:
    """Compiles the templates of one file.

    Args:
        file: The file, as errors name it.
        functions: All that they may call.
    """

    def __init__(self, file: str, functions: Mapping[str, signature.Function]) -> None:
        self._file = file
        self._functions = functions

    def compile(self, define: Define) -> Compiled:
        """A template, compiled.

        Raises:
            GoError: A function gets too few or too many arguments.
        """
        return Compiled(
            define, self.value, self._body(define.body), define.slots, _cost(define.body)
        )

    def value(self, pipe: Pipe) -> Evaluate:
        """A pipeline, compiled; its value is not put into its variable."""
        return self._pipe(pipe, keeps=False)

    def _body(self, body: Body) -> Step:
        steps = tuple(map(self._step, body))
        if len(steps) == 1:
            return steps[0]

        def run_all(frame: Frame, dot: object) -> int:
            for step in steps:
                if ended := step(frame, dot):
                    return ended
            return ON

        return run_all

    def _step(self, node: Node) -> Step:
        match node:
            case Text():
                return _literal(node)
            case Action():
                return self._action(node)
            case Leave(keyword):
                code = BREAK if keyword == "break" else CONTINUE
                return lambda _frame, _dot: code
            case Call():
                return self._call(node)
        if node.keyword == "range":
            return self._range(node)
        return self._conditional(node)

    def _action(self, node: Action) -> Step:
        evaluate, line = self._pipe(node.pipe), node.line
        if node.pipe.slots:

            def assign(frame: Frame, dot: object) -> int:
                evaluate(frame, dot)
                return ON

            return assign

        def write(frame: Frame, dot: object) -> int:
            try:
                frame.run.value(evaluate(frame, dot), line)
            except Exception as error:
                raise self._located(error, line, shown(node.pipe)[1:-1]) from error
            return ON

        return write

    def _call(self, node: Call) -> Step:
        evaluate = self._pipe(node.pipe) if node.pipe else None

        def call(frame: Frame, dot: object) -> int:
            try:
                frame.run.call(node.name, evaluate(frame, dot) if evaluate else None)
            except Exception as error:
                raise self._located(error, node.line, f'template "{node.name}"') from error
            return ON

        return call

    def _conditional(self, node: Branch) -> Step:
        evaluate, body = self._pipe(node.pipe), self._body(node.body)
        otherwise = self._body(node.otherwise) if node.otherwise else None
        is_with = node.keyword == "with"

        def choose(frame: Frame, dot: object) -> int:
            value = evaluate(frame, dot)
            if is_true(value):
                return body(frame, value if is_with else dot)
            return otherwise(frame, dot) if otherwise else ON

        return choose

    def _range(self, node: Branch) -> Step:
        evaluate, body = self._pipe(node.pipe, keeps=False), self._body(node.body)
        otherwise = self._body(node.otherwise) if node.otherwise else None
        slots, cost, line = node.pipe.slots, STEP * (1 + _cost(node.body)), node.line

        def loop(frame: Frame, dot: object) -> int:
            value, is_empty = evaluate(frame, dot), True
            try:
                for key, element in pairs_of(value):
                    is_empty = False
                    frame.run.spend(cost)
                    _assign(frame, slots, key, element)
                    if body(frame, element) == BREAK:
                        break
            except Exception as error:
                raise self._located(error, line, f"range {shown(node.pipe)[1:-1]}") from error
            return otherwise(frame, dot) if otherwise and is_empty else ON

        return loop

    def _pipe(self, pipe: Pipe, *, keeps: bool = True) -> Evaluate:
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
            raise self._located(error, command.line, shown(command)) from error
        if isinstance(word, (Constant, Dot)):
            return evaluate

        def located(frame: Frame, dot: object, piped: object = _NOTHING) -> Any:  # noqa: ANN401
            try:
                if piped is _NOTHING:
                    return evaluate(frame, dot)
                return evaluate(frame, dot, piped)
            # A template is a program: whatever it raises is its author's to mend.
            except Exception as error:
                raise self._located(error, command.line, shown(command)) from error

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
        return self._pipe(node)

    def _field(self, node: Field | Variable | Chain) -> Evaluate:
        match node:
            case Field((name,)):
                return lambda frame, dot: field_of(frame.run, dot, name)
            case Field(names):
                return lambda frame, dot: _fields_of(frame.run, dot, names)
            case Variable(_, slot, ()):
                return lambda frame, _dot: frame.variables[slot]
            case Variable(_, slot, names):
                return lambda frame, _dot: _fields_of(frame.run, frame.variables[slot], names)
        inner, names = self._operand(node.operand), node.names
        return lambda frame, dot: _fields_of(frame.run, inner(frame, dot), names)

    def _located(self, error: Exception, line: int, what: str) -> GoError:
        """The error with its place in it, once."""
        if isinstance(error, GoError) and error.file is not None:
            return error
        if isinstance(error, GoError) and error.line is not None:
            return GoError(error.message, error.line, self._file)
        message = str(error) or type(error).__name__
        if isinstance(error, RecursionError):
            message = "nested too deeply"
        return GoError(f"`{_shorten(what)}`: {message}", line, self._file)


def _check_value(word: Operand, *, is_called: bool) -> None:
    """Refuse arguments of what is no function."""
    if is_called and isinstance(word, (Field, Chain, Variable)):
        name = shown(word).rpartition(".")[2]
        raise GoError(f"{name} is not a method but has arguments")
    if is_called:
        raise GoError(f"can't give argument to non-function {shown(word)}")
    if isinstance(word, Constant) and word.shown == "nil":
        raise GoError("nil is not a command")


def _cost(body: Body) -> int:
    return sum(1 for _ in walk(body)) + sum(len(each.text) // STEP for each in _texts(body))


def _texts(body: Body) -> Iterator[Text]:
    return (each for each in walk(body) if isinstance(each, Text))


def _shorten(text: str, width: int = 80) -> str:
    one_line = " ".join(text.split())
    return one_line if len(one_line) <= width else f"{one_line[: width - 3]}..."


def _literal(node: Text) -> Step:
    text, line = node.text, node.line

    def write(frame: Frame, _dot: object) -> int:
        frame.run.literal(text, line)
        return ON

    return write


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


def _assign(frame: Frame, slots: Sequence[int], key: object, element: object) -> None:
    if len(slots) == 2:
        frame.variables[slots[0]], frame.variables[slots[1]] = key, element
    elif slots:
        frame.variables[slots[0]] = element


def pairs_of(value: object) -> Iterator[tuple[Any, Any]]:
    """What ``range`` goes through: keys and elements.

    Raises:
        GoError: It has none.
    """
    if isinstance(value, SLICE):
        yield from enumerate(value)
    elif isinstance(value, Mapping):
        yield from [(key, value[key]) for key in sorted_keys(value)]
    elif isinstance(value, int) and not isinstance(value, bool):
        for number in range(value):
            yield number, number
    elif value is not None:
        raise GoError(f"range can't iterate over {type_name(value)}")


def _fields_of(run: Run, value: object, names: Sequence[str]) -> Any:  # noqa: ANN401 -- any value
    for name in names:
        value = field_of(run, value, name)
    return value


def field_of(run: Run, value: Any, name: str) -> Any:  # noqa: ANN401 -- any value
    """The field ``.name`` of a value.

    Raises:
        GoError: It has none, and that is an error.
    """
    if isinstance(value, (dict, Mapping)):
        found = value.get(name, _MISSING)
        if found is not _MISSING:
            return found
        if run.strict:
            raise GoError(f'map has no entry for key "{name}"{_guess(value, name)}')
        return None
    if value is None:
        raise GoError(f"nil pointer evaluating interface {{}}.{name}")
    if isinstance(value, datetime) and name in METHODS:
        return METHODS[name](value)
    raise GoError(f"can't evaluate field {name} in type {type_name(value)}")


def _guess(value: Mapping[str, Any], name: str) -> str:
    names = sorted(map(str, value))
    lowered = {known.lower(): known for known in names}
    near = difflib.get_close_matches(name.lower(), lowered, n=1)
    guess = f" (did you mean {lowered[near[0]]}?)" if near else ""
    return guess if len(names) > _SHOWN else f"{guess}; it has {', '.join(names) or 'no keys'}"


_SHOWN: Final = 20
