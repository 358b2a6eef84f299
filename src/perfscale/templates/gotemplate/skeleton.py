"""What of a rendering stays the same when some variables change, and how the rest is computed.

A template is carried out once, in its tree: what does not depend on the variables that change is
computed, and of what does, the expression is kept with the variables around it. That works unless
they decide what is printed at all: in a condition, a loop, or the argument of another template.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from perfscale.templates.gotemplate.formatting import printed
from perfscale.templates.gotemplate.language.compiling import (
    BREAK,
    CONTINUE,
    ON,
    assigned,
)
from perfscale.templates.gotemplate.language.fields import pairs_of
from perfscale.templates.gotemplate.language.nodes import (
    Action,
    Branch,
    Call,
    Command,
    Dot,
    Field,
    Function,
    Leave,
    Pipe,
    Text,
    Variable,
    walk,
)
from perfscale.templates.gotemplate.running import Frame
from perfscale.templates.gotemplate.values import is_true

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from perfscale.templates.gotemplate.functions import signature
    from perfscale.templates.gotemplate.language.nodes import Body, Define, Node
    from perfscale.templates.gotemplate.language.pipelines import Evaluate
    from perfscale.templates.gotemplate.running import Run

_MAX_DEPTH: Final = 20
_MAX_HOLES: Final = 60
_NODE: Final = 16


class UnfitError(Exception):
    """What is printed at all depends on what changes (internal)."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """An expression, and all that it may read: ``late`` are variables that are kept ones."""

    evaluate: Evaluate
    variables: tuple[Any, ...]
    has_root: bool
    dot: Any
    is_root: bool
    late: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Skeleton:
    """A text with holes.

    Attributes:
        parts: Text, and in between the numbers of the holes, counted from 0.
    """

    parts: tuple[str | int, ...]
    _kept: tuple[_Kept | str, ...]
    _holes: tuple[int, ...]

    @property
    def count(self) -> int:
        """How many holes there are; one may be in several places."""
        return len(self._holes)

    def text(self, fillings: Sequence[str]) -> str:
        """The text with something in each hole."""
        return "".join(part if isinstance(part, str) else fillings[part] for part in self.parts)

    def values(self, run: Run, data: Mapping[str, Any]) -> list[Any]:
        """What the holes are to be filled with for these variables.

        Raises:
            GoError: An expression fails with them.
            TooMuchError: It would be too much work.
        """
        values: list[Any] = []
        for kept in self._kept:
            if isinstance(kept, str):
                values.append(data[kept])
                continue
            variables = list(kept.variables)
            if kept.has_root:
                variables[0] = data
            for slot, number in kept.late:
                variables[slot] = values[number]
            values.append(kept.evaluate(Frame(run, variables), data if kept.is_root else kept.dot))
        return [values[number] for number in self._holes]


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a skeleton is made from.

    Attributes:
        functions: All that there are.
        defines: The templates by name, with what compiles their pipelines.
        changing: The names of the variables that change.
    """

    functions: Mapping[str, signature.Function]
    defines: Mapping[str, tuple[Define, Callable[[Pipe], Evaluate]]]
    changing: Collection[str]


def build(inputs: Inputs, run: Run, name: str, data: Mapping[str, Any]) -> Skeleton:
    """The skeleton of a template's text.

    Args:
        inputs: What it is made from.
        run: Counts what that costs.
        name: Of the template.
        data: The variables; those that change have any of their values.

    Raises:
        UnfitError: There is none.
        GoError: Something fails with these variables.
        TooMuchError: It would be too much work.
    """
    trace = _Trace(inputs, run)
    trace.template(name, data, is_root=True)
    return Skeleton(tuple(trace.parts), tuple(trace.kept), tuple(trace.holes))


class _Trace:
    """What was written so far."""

    def __init__(self, inputs: Inputs, run: Run) -> None:
        self.inputs = inputs
        self.run = run
        self.parts: list[str | int] = []
        self.kept: list[_Kept | str] = []
        self.holes: list[int] = []
        self._named: dict[str, int] = {}
        self._depth = 0

    def template(self, name: str, value: Any, *, is_root: bool) -> None:  # noqa: ANN401 -- any value
        if name not in self.inputs.defines or self._depth >= _MAX_DEPTH:
            raise UnfitError
        define, compile_pipe = self.inputs.defines[name]
        self._depth += 1
        _Template(self, define, compile_pipe, value, has_root=is_root).body(
            define.body, value, is_root=is_root
        )
        self._depth -= 1

    def keep(self, expression: _Kept | str) -> int:
        """The number of an expression that is kept; a variable's name is kept once."""
        if isinstance(expression, str) and expression in self._named:
            return self._named[expression]
        self.kept.append(expression)
        if isinstance(expression, str):
            self._named[expression] = len(self.kept) - 1
        return len(self.kept) - 1

    def hole(self, number: int) -> None:
        """Leave a hole for a kept expression."""
        if number not in self.holes:
            self.holes.append(number)
        if len(self.holes) > _MAX_HOLES:
            raise UnfitError
        self.parts.append(self.holes.index(number))


class _Template:
    """A template that is carried out; ``is_root`` is whether dot is all the variables."""

    def __init__(
        self,
        trace: _Trace,
        define: Define,
        compile_pipe: Callable[[Pipe], Evaluate],
        value: Any,  # noqa: ANN401 -- any value
        *,
        has_root: bool,
    ) -> None:
        self._trace = trace
        self._compile = compile_pipe
        self._frame = Frame(trace.run, [value] + [None] * (define.slots - 1))
        self._has_root = has_root
        self._late: dict[int, int] = {}

    def body(self, body: Body, dot: Any, *, is_root: bool) -> int:  # noqa: ANN401 -- any value
        for node in body:
            self._trace.run.spend(_NODE)
            if ended := self._node(node, dot, is_root=is_root):
                return ended
        return ON

    def _node(self, node: Node, dot: Any, *, is_root: bool) -> int:  # noqa: ANN401 -- any value
        match node:
            case Text(text):
                self._trace.parts.append(text)
            case Action(pipe):
                self._action(pipe, dot, is_root=is_root)
            case Call(name, pipe):
                self._call(name, pipe, dot, is_root=is_root)
            case Leave(keyword):
                return BREAK if keyword == "break" else CONTINUE
            case Branch("range"):
                return self._range(node, dot, is_root=is_root)
            case Branch():
                value = self._fixed(node.pipe, dot, is_root=is_root)
                if not is_true(value):
                    return self.body(node.otherwise or (), dot, is_root=is_root)
                if node.keyword == "with":
                    return self.body(node.body, value, is_root=False)
                return self.body(node.body, dot, is_root=is_root)
        return ON

    def _action(self, pipe: Pipe, dot: Any, *, is_root: bool) -> None:  # noqa: ANN401 -- any value
        if not self._changes(pipe, is_root=is_root):
            value = self._fixed(pipe, dot, is_root=is_root)
            if not pipe.slots:
                self._trace.run.weigh(value)
                self._trace.parts.append(printed(value))
            return
        number = self._keep(pipe, dot, is_root=is_root)
        if pipe.slots:
            self._late[pipe.slots[0]] = number
        else:
            self._trace.hole(number)

    def _keep(self, pipe: Pipe, dot: Any, *, is_root: bool) -> int:  # noqa: ANN401 -- any value
        match pipe.commands:
            case (Command((Field((name,)),)),) if is_root:
                return self._trace.keep(name)
            case (Command((Variable(_, 0, (name,)),)),) if self._has_root:
                return self._trace.keep(name)
            case (Command((Variable(_, slot, ()),)),) if slot in self._late:
                return self._late[slot]
        variables, late = tuple(self._frame.variables), tuple(self._late.items())
        kept = _Kept(self._compile(pipe), variables, self._has_root, dot, is_root, late)
        return self._trace.keep(kept)

    def _call(self, name: str, pipe: Pipe | None, dot: Any, *, is_root: bool) -> None:  # noqa: ANN401
        match pipe and pipe.commands:
            case (Command((Dot(),)),) if is_root:
                self._trace.template(name, dot, is_root=True)
            case (Command((Variable(_, 0, ()),)),) if self._has_root:
                self._trace.template(name, self._frame.variables[0], is_root=True)
            case _:
                value = self._fixed(pipe, dot, is_root=is_root) if pipe else None
                self._trace.template(name, value, is_root=False)

    def _range(self, node: Branch, dot: Any, *, is_root: bool) -> int:  # noqa: ANN401 -- any value
        value, is_empty = self._fixed(node.pipe, dot, is_root=is_root, keeps=False), True
        for slot in node.pipe.slots:
            self._set(slot, value)
        for key, element in pairs_of(value):
            is_empty = False
            for slot, each in assigned(node.pipe.slots, key, element):
                self._set(slot, each)
            if self.body(node.body, element, is_root=False) == BREAK:
                break
        ended = self.body(node.otherwise or (), dot, is_root=is_root) if is_empty else ON
        return ON if ended == BREAK else ended

    def _set(self, slot: int, value: Any) -> None:  # noqa: ANN401 -- any value
        self._frame.variables[slot] = value
        self._late.pop(slot, None)

    def _fixed(
        self,
        pipe: Pipe,
        dot: Any,  # noqa: ANN401 -- any value
        *,
        is_root: bool,
        keeps: bool = True,
    ) -> Any:  # noqa: ANN401 -- any value
        """The value of a pipeline that does not change."""
        if self._changes(pipe, is_root=is_root):
            raise UnfitError
        value = self._compile(pipe)(self._frame, dot)
        if keeps and pipe.slots:
            self._set(pipe.slots[0], value)
        return value

    def _changes(self, pipe: Pipe, *, is_root: bool) -> bool:
        """Whether a pipeline reads what changes, or may give something else each time."""
        return any(self._is_changing(node, is_root=is_root) for node in walk(pipe.commands))

    def _is_changing(self, node: object, *, is_root: bool) -> bool:
        inputs = self._trace.inputs
        match node:
            case Field((name, *_)):
                return is_root and name in inputs.changing
            case Dot():
                return is_root
            case Variable(_, 0, names):
                return self._has_root and (not names or names[0] in inputs.changing)
            case Variable(_, slot, _):
                return slot in self._late
            case Function(name):
                function = inputs.functions.get(name)
                return function is not None and function.varies
        return False
