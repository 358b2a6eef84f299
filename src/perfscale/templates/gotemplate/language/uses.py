"""What a template does with its variables, found in its tree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from perfscale.templates.gotemplate.language.nodes import (
    Action,
    Branch,
    Call,
    Command,
    Dot,
    Field,
    Function,
    Pipe,
    Variable,
    walk,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from perfscale.templates.gotemplate.functions import signature
    from perfscale.templates.gotemplate.language.nodes import Body, Define


@dataclass(frozen=True, slots=True)
class Uses:
    """Of several templates together.

    Attributes:
        varies: Whether they may give something else for the same variables.
        changes: Whether they change a map among their variables.
        computed: Variables that are not only printed as they are.
        whole: Whether something is done with all variables together.
    """

    varies: bool
    changes: bool
    computed: frozenset[str]
    whole: bool

    def only_printed(self, name: str) -> bool:
        """Whether nothing but printing is done with a variable."""
        return not self.whole and name not in self.computed


def of_templates(defines: Sequence[Define], functions: Mapping[str, signature.Function]) -> Uses:
    """What templates that call each other do; what a function may do is in its table."""
    found = _Found()
    names: set[str] = set()
    for define in defines:
        found.body(define.body, is_root=True)
        names |= {each.name for each in walk(define.body) if isinstance(each, Function)}
    called = [functions[name] for name in names if name in functions]
    return Uses(
        any(each.varies for each in called),
        any(each.changes for each in called),
        frozenset(found.computed),
        found.whole,
    )


class _Found:
    """Collects uses; ``is_root`` is whether dot may be all the variables."""

    def __init__(self) -> None:
        self.computed: set[str] = set()
        self.whole = False

    def body(self, body: Body, *, is_root: bool) -> None:
        for node in body:
            match node:
                case Action(pipe):
                    self._action(pipe, is_root=is_root)
                case Call(_, Pipe((Command((Dot() | Variable(_, 0, ()),)),), ())):
                    pass  # the other template's own uses are collected
                case Call(_, Pipe() as given):
                    self._computed(given, is_root=is_root)
                case Branch():
                    self._computed(node.pipe, is_root=is_root)
                    self.body(node.body, is_root=is_root and node.keyword == "if")
                    self.body(node.otherwise or (), is_root=is_root)

    def _action(self, pipe: Pipe, *, is_root: bool) -> None:
        match pipe:
            case Pipe((Command((Field((_,)) | Variable(_, 0, (_,)),)),), ()):
                pass  # it is printed as it is
            case _:
                self._computed(pipe, is_root=is_root)

    def _computed(self, pipe: Pipe, *, is_root: bool) -> None:
        for node in walk(pipe):
            match node:
                case Field((name, *_)) | Variable(_, 0, (name, *_)):
                    self.computed.add(name)
                case Variable(_, 0, ()):
                    self.whole = True
                case Dot() if is_root:
                    self.whole = True


def calls(define: Define) -> Iterator[Call]:
    """The calls of other templates in a template."""
    return (each for each in walk(define.body) if isinstance(each, Call))


def surely_used(define: Define) -> dict[str, int]:
    """The variables that a template reads whatever their values are, by the line of the first."""
    first: dict[str, int] = {}
    for node in define.body:
        pipe = node.pipe if isinstance(node, (Action, Branch, Call)) else None
        if pipe is not None:
            _read(pipe, first)
    return first


def _read(pipe: Pipe, first: dict[str, int]) -> None:
    for command in pipe.commands:
        for operand in _sure(command.operands):
            match operand:
                case Field((name, *_)) | Variable(_, 0, (name, *_)):
                    first.setdefault(name, command.line)
                case Pipe():
                    _read(operand, first)


def _sure(operands: Sequence[Any]) -> Sequence[Any]:
    """The operands that are computed in any case: ``and`` and ``or`` may need the first alone."""
    word = operands[0]
    is_lazy = isinstance(word, Function) and word.name in {"and", "or"}
    return operands[:2] if is_lazy else operands
