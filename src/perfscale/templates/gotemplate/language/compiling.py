"""From the tree to closures, so that a rendering walks no tree.

A step writes; it returns how the loop around it goes on. What is computed gets the frame, which
holds the variables, and the dot.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from perfscale.templates.bounds.weights import STEP
from perfscale.templates.gotemplate.language.fields import pairs_of
from perfscale.templates.gotemplate.language.nodes import (
    Action,
    Branch,
    Call,
    Define,
    Leave,
    Text,
    shown,
    walk,
)
from perfscale.templates.gotemplate.language.pipelines import Pipelines
from perfscale.templates.gotemplate.values import is_true

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import TypeAlias

    from perfscale.templates.gotemplate.functions import signature
    from perfscale.templates.gotemplate.language.nodes import Body, Node, Pipe
    from perfscale.templates.gotemplate.language.pipelines import Evaluate
    from perfscale.templates.gotemplate.running import Frame

    Step: TypeAlias = Callable[[Frame, Any], int]

ON, BREAK, CONTINUE = 0, 1, 2
"""How the loop around a step goes on."""


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
        self._pipelines = Pipelines(file, functions)
        self._located = self._pipelines.located

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
        return self._pipelines.pipe(pipe, keeps=False)

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
        evaluate, line = self._pipelines.pipe(node.pipe), node.line
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
        evaluate = self._pipelines.pipe(node.pipe) if node.pipe else None

        def call(frame: Frame, dot: object) -> int:
            try:
                frame.run.call(node.name, evaluate(frame, dot) if evaluate else None)
            except Exception as error:
                raise self._located(error, node.line, f'template "{node.name}"') from error
            return ON

        return call

    def _conditional(self, node: Branch) -> Step:
        evaluate, body = self._pipelines.pipe(node.pipe), self._body(node.body)
        otherwise = self._body(node.otherwise) if node.otherwise else None
        is_with = node.keyword == "with"

        def choose(frame: Frame, dot: object) -> int:
            value = evaluate(frame, dot)
            if is_true(value):
                return body(frame, value if is_with else dot)
            return otherwise(frame, dot) if otherwise else ON

        return choose

    def _range(self, node: Branch) -> Step:
        evaluate, body = self._pipelines.pipe(node.pipe, keeps=False), self._body(node.body)
        otherwise = self._body(node.otherwise) if node.otherwise else None
        slots, cost, line = node.pipe.slots, STEP * (1 + _cost(node.body)), node.line

        def loop(frame: Frame, dot: object) -> int:
            value, is_empty = evaluate(frame, dot), True
            for slot in slots:  # what `else` sees
                frame.variables[slot] = value
            try:
                for key, element in pairs_of(value):
                    is_empty = False
                    frame.run.spend(cost)
                    for slot, each in assigned(slots, key, element):
                        frame.variables[slot] = each
                    if body(frame, element) == BREAK:
                        break
            except Exception as error:
                raise self._located(error, line, f"range {shown(node.pipe)[1:-1]}") from error
            ended = otherwise(frame, dot) if otherwise and is_empty else ON
            return ON if ended == BREAK else ended  # to Go, `else` is a part of the loop

        return loop


def _cost(body: Body) -> int:
    return sum(1 for _ in walk(body)) + sum(len(each.text) // STEP for each in _texts(body))


def _texts(body: Body) -> Iterator[Text]:
    return (each for each in walk(body) if isinstance(each, Text))


def _literal(node: Text) -> Step:
    text, line = node.text, node.line

    def write(frame: Frame, _dot: object) -> int:
        frame.run.literal(text, line)
        return ON

    return write


def assigned(slots: Sequence[int], key: object, element: object) -> Sequence[tuple[int, object]]:
    """What ``range`` puts into its variables: one is given the element, two the key as well."""
    return tuple(zip(slots, (key, element) if len(slots) > 1 else (element,), strict=False))
